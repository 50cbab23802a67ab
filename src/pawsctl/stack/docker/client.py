"""A connection to the Docker Engine, and its failures in this project's words."""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pawsctl.errors import NoEngine, OperationFailed, causes
from pawsctl.stack.docker import contexts, refusals

if TYPE_CHECKING:
    from docker.api import APIClient

# Seconds. An engine that lives answers its first question in milliseconds; a start may take long.
_FIRST_ANSWER = 5
_ANY_ANSWER = 60

_START = "Start Docker, or set PAWSCTL_ENGINE=embedded to do without."


def connect() -> APIClient:
    """The Engine's API, where DOCKER_HOST or the current Docker context say.

    Raises NoEngine where no engine answers there, or where it is not on this machine.
    """
    # 0.1 s: only a command that needs Docker pays for it.
    import requests
    from docker.errors import DockerException

    from pawsctl.stack.docker.api import LocalApi

    where = contexts.endpoint()
    try:
        api = LocalApi(where, timeout=_FIRST_ANSWER)
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        raise _no_engine(error, str(where)) from error
    api.timeout = _ANY_ANSWER
    return api


def check_host_network(api: APIClient) -> None:
    """Raise NoEngine where the host that containers see is not this machine.

    Raises OperationFailed where the engine refuses to tell.
    """
    with told():
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


def _no_engine(error: BaseException, where: str) -> NoEngine:
    """The SDK wraps the reason several times over; what the operating system said is at the end."""
    import requests

    last: BaseException = error
    for root in causes(error):
        if isinstance(root, PermissionError):
            return NoEngine(
                f"There is no permission to use Docker's socket ({where}).",
                hint="Add yourself to the group 'docker' and log in again, or use sudo.",
            )
        if isinstance(root, FileNotFoundError | ConnectionRefusedError):
            return NoEngine(f"No Docker Engine runs at {where}.", hint=_START)
        if isinstance(root, requests.Timeout | TimeoutError):
            return NoEngine(
                f"The Docker Engine at {where} does not answer within {_FIRST_ANSWER} s.",
                hint="Restart Docker, or set PAWSCTL_ENGINE=embedded to do without.",
            )
        if isinstance(root, ssl.SSLError) or "HTTP request to an HTTPS" in str(root):
            return NoEngine(
                f"The Docker Engine at {where} and this client do not agree on TLS: {root}.",
                hint="DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or the context, say whether TLS is "
                "spoken and with which certificates: they must be the engine's.",
            )
        last = root
    return NoEngine(f"The Docker Engine at {where} can't be used: {_said(last)}.", hint=_START)


def _said(error: BaseException) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__


@contextmanager
def told() -> Iterator[None]:
    """The SDK's exceptions as OperationFailed and NoEngine."""
    import requests
    from docker.errors import APIError, DockerException

    try:
        yield
    except APIError as error:
        raise OperationFailed(
            f"Docker refused: {explained(error)}.", hint=refusals.hint(explained(error))
        ) from error
    except (DockerException, requests.RequestException) as error:
        raise NoEngine(
            f"The Docker Engine stopped answering: {error}.", hint="See whether Docker still runs."
        ) from error


def explained(error: Exception) -> str:
    """The Engine's own sentence."""
    text = getattr(error, "explanation", None) or str(error)
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    with suppress(ValueError, LookupError, TypeError):
        text = json.loads(text)["message"]
    return str(text).strip().rstrip(".")
