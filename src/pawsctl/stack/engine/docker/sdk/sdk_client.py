"""Connect to the Docker Engine, and translate the SDK's exceptions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pawsctl.errors import NoEngine, OperationFailed, causes
from pawsctl.stack.engine.docker.sdk import contexts, refusals
from pawsctl.stack.engine.docker.sdk.unusable import no_engine, quoted

if TYPE_CHECKING:
    from docker.api import APIClient

# Seconds. A working engine answers its first request in milliseconds; a start may take long.
_FIRST_ANSWER = 5
_ANY_ANSWER = 60

_RUNS_IT = "See whether Docker still runs, and what its log says ('journalctl -u docker')."


def connect() -> APIClient:
    """Return a client for the engine of DOCKER_HOST or the current Docker context.

    Raises NoEngine if no engine answers there, or if it is not on this machine.
    """
    # 0.1 s: only a command that needs Docker pays for it.
    import requests
    from docker.errors import DockerException

    from pawsctl.stack.engine.docker.sdk.api import LocalApi

    where = contexts.endpoint()
    try:
        api = LocalApi(where, timeout=_FIRST_ANSWER)
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        raise no_engine(error, str(where), _FIRST_ANSWER) from error
    api.timeout = _ANY_ANSWER
    return api


def check_host_network(api: APIClient) -> None:
    """Raise NoEngine if the containers' host network is not that of this machine.

    Raises OperationFailed if the engine refuses the request.
    """
    with translated_errors():
        about = api.info()
    if about.get("OperatingSystem") == "Docker Desktop" or sys.platform != "linux":
        where = "Docker Desktop runs containers in a virtual machine"
    elif any("name=rootless" in each for each in about.get("SecurityOptions") or ()):
        where = "Rootless Docker runs containers on a network of its own"
    else:
        return
    raise NoEngine(
        f"{where}, and the addresses that these nodes announce would not lead there.",
        hint="Set PAWSCTL_ENGINE=embedded to run them without Docker, on Linux and macOS.",
    )


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the SDK's exceptions into OperationFailed and NoEngine."""
    from http.client import HTTPException

    import requests
    from docker.errors import APIError, DockerException, StreamParseError
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    from pawsctl.stack.engine.docker.sdk.api import NotUnderstood

    try:
        yield
    except APIError as error:
        said = explained(error)
        raise OperationFailed(
            f"Docker refused: {said}.", hint=refusals.hint(said, error.status_code)
        ) from error
    except (NotUnderstood, StreamParseError) as error:
        raise OperationFailed(
            f"The Docker Engine does not answer as Docker does: {error}.",
            hint="Look at what DOCKER_HOST or the Docker context leads to, and at its log.",
        ) from error
    except (requests.Timeout, ReadTimeoutError) as error:
        raise NoEngine(
            f"The Docker Engine does not answer within {_ANY_ANSWER} s.",
            hint="Restart Docker, and run this again.",
        ) from error
    # The SDK reads some streams, as that of a pull, without `requests`.
    except (DockerException, requests.RequestException, HTTPError) as error:
        # Causes further back may be unrelated errors that were being handled at the time.
        root = next((each for each in causes(error) if not _is_wrapped(each)), error)
        said = "its answer breaks off" if isinstance(root, HTTPException) else str(root)
        raise NoEngine(f"The Docker Engine stopped answering: {said}.", hint=_RUNS_IT) from error


def _is_wrapped(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("docker", "requests", "urllib3")


def explained(error: Exception) -> str:
    """Return the engine's own message in an error."""
    return quoted(getattr(error, "explanation", None) or str(error))
