"""A connection to the Docker Engine, and its failures in this project's words."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pawsctl.errors import NoEngine, OperationFailed
from pawsctl.target import is_loopback

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
    import docker
    import requests
    from docker.errors import DockerException

    where = _address()
    try:
        api = docker.from_env(timeout=_FIRST_ANSWER).api
    except (DockerException, requests.RequestException) as error:
        raise _no_engine(error, where) from error
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


def _address() -> str:
    """Where the engine is, in words. Raises NoEngine for what pawsctl can't or won't use."""
    from docker.context import ContextAPI
    from docker.errors import DockerException

    # An SDK that finds no such context takes the default socket, silently.
    name = os.environ.get("DOCKER_CONTEXT") or None
    address = os.environ.get("DOCKER_HOST")
    if not address:
        try:
            # None where there is none; its type stub promises too much.
            context: Any = ContextAPI.get_context(name)
        except (DockerException, OSError, ValueError, LookupError) as error:
            raise NoEngine(
                f"The Docker context can't be read: {error}.", hint="See 'docker context ls'."
            ) from error
        if context is None:
            shown = f"'{name}'" if name else "that is current in Docker's config.json"
            raise NoEngine(
                f"The Docker context {shown} does not exist.",
                hint="See 'docker context ls', and choose one with 'docker context use'.",
            )
        address = str(context.Host or "the default socket")
    url = urlsplit(address)
    if url.scheme == "ssh" or (
        url.scheme in ("tcp", "http", "https") and not is_loopback(url.hostname or "localhost")
    ):
        raise NoEngine(
            f"The Docker Engine at {url.hostname} is on another host: the ports it publishes and "
            "the files it mounts are not this machine's.",
            hint="Unset DOCKER_HOST, or choose a local context with 'docker context use default'.",
        )
    return address


def _no_engine(error: BaseException, where: str) -> NoEngine:
    """The SDK wraps the reason several times over; what the operating system said is at the end."""
    import requests

    root: BaseException | None = error
    while root is not None:
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
        root = _below(root)
    return NoEngine(f"The Docker Engine at {where} can't be used: {error}.", hint=_START)


def _below(error: BaseException) -> BaseException | None:
    # urllib3 and requests hand the original on as an argument.
    inner = [each for each in error.args if isinstance(each, BaseException)]
    return error.__cause__ or (inner[-1] if inner else None) or error.__context__


@contextmanager
def told() -> Iterator[None]:
    """The SDK's exceptions as OperationFailed and NoEngine."""
    import requests
    from docker.errors import APIError, DockerException

    try:
        yield
    except APIError as error:
        raise OperationFailed(
            f"Docker refused: {explained(error)}.", hint="Mend that, and try again."
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
