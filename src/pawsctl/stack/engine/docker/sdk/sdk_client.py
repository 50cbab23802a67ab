"""A connection to the Docker Engine, and its failures in this project's words."""

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

# Seconds. An engine that lives answers its first question in milliseconds; a start may take long.
_FIRST_ANSWER = 5
_ANY_ANSWER = 60

_RUNS_IT = "See whether Docker still runs, and what its log says ('journalctl -u docker')."


def connect() -> APIClient:
    """The Engine's API, where DOCKER_HOST or the current Docker context say.

    Raises NoEngine where no engine answers there, or where it is not on this machine.
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
    """Raise NoEngine where the host that containers see is not this machine.

    Raises OperationFailed where the engine refuses to tell.
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
    """The SDK's exceptions as OperationFailed and NoEngine."""
    import requests
    from docker.errors import APIError, DockerException

    from pawsctl.stack.engine.docker.sdk.api import NotUnderstood

    try:
        yield
    except APIError as error:
        said = explained(error)
        raise OperationFailed(
            f"Docker refused: {said}.", hint=refusals.hint(said, error.status_code)
        ) from error
    except NotUnderstood as error:
        raise OperationFailed(
            f"The Docker Engine does not answer as Docker does: {error}.",
            hint="Look at what DOCKER_HOST or the Docker context leads to, and at its log.",
        ) from error
    except requests.Timeout as error:
        raise NoEngine(
            f"The Docker Engine does not answer within {_ANY_ANSWER} s.",
            hint="Restart Docker, and run this again.",
        ) from error
    except (DockerException, requests.RequestException) as error:
        # What lies further back may be an error that was being handled meanwhile.
        root = next((each for each in causes(error) if not _is_wrapped(each)), error)
        raise NoEngine(f"The Docker Engine stopped answering: {root}.", hint=_RUNS_IT) from error


def _is_wrapped(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("docker", "requests", "urllib3")


def explained(error: Exception) -> str:
    """The Engine's own sentence."""
    return quoted(getattr(error, "explanation", None) or str(error))
