"""The reason that an engine can't be used, from the SDK's exception at the first request."""

from __future__ import annotations

import json
import re
import ssl
from contextlib import suppress
from http.client import BadStatusLine, IncompleteRead
from typing import TYPE_CHECKING

from pawsctl.errors import NoEngine, causes

if TYPE_CHECKING:
    import requests

_START = "Start Docker, or set PAWSCTL_ENGINE=embedded to do without."
_RESTART = "Restart Docker, or set PAWSCTL_ENGINE=embedded to do without."
_ELSEWHERE = (
    "Check DOCKER_HOST and the Docker context, or set PAWSCTL_ENGINE=embedded to do without."
)
# Characters of an error body; an engine's own are shorter.
_LONGEST = 2000


def no_engine(error: BaseException, where: str, patience: float) -> NoEngine:
    """Return the error to raise for an exception at the address `where`.

    The SDK wraps the reason several times; the operating system's error is the last cause.
    `patience` is the timeout in seconds.
    """
    chain = list(causes(error))
    found = next(filter(None, (_explained(each, where, patience) for each in chain)), None)
    message, hint = found or _of_last(chain[-1], where)
    return NoEngine(f"{message}.", hint=hint)


def _explained(error: BaseException, where: str, patience: float) -> tuple[str, str] | None:
    """Return message and hint for a known error; None for one that only wraps another."""
    import requests
    from docker.errors import InvalidVersion

    from pawsctl.stack.engine.docker.sdk.api import NotUnderstood

    found = None
    is_plain = False
    if isinstance(error, PermissionError):
        found = (
            f"There is no permission to use Docker's socket ({where})",
            "Add yourself to the group 'docker' and log in again, or use sudo.",
        )
    elif isinstance(error, FileNotFoundError | ConnectionRefusedError):
        found = f"No Docker Engine runs at {where}", _START
    elif isinstance(error, requests.Timeout | TimeoutError):
        found = f"The Docker Engine at {where} does not answer within {patience:g} s", _RESTART
    elif isinstance(error, ssl.SSLError) or (is_plain := "HTTP request to an HTTPS" in str(error)):
        reason = "it wants TLS, and was asked without" if is_plain else _reason(error)
        found = (
            f"The Docker Engine at {where} and this client do not agree on TLS: {reason}",
            "DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or the context, say whether TLS is spoken and "
            "with which certificates: they must be the engine's.",
        )
    elif isinstance(error, requests.HTTPError) and error.response is not None:
        found = _answered(error.response, where)
    elif isinstance(error, InvalidVersion):
        found = (
            f"The Docker Engine at {where} is too old: {_reason(error)}",
            "Update Docker, or set PAWSCTL_ENGINE=embedded to do without.",
        )
    elif isinstance(error, NotUnderstood | requests.TooManyRedirects | BadStatusLine) and (
        not isinstance(error, ConnectionError)
    ):
        found = f"What answers at {where} is no Docker Engine: {_reason(error)}", _ELSEWHERE
    return found


def _of_last(error: BaseException, where: str) -> tuple[str, str]:
    """Return message and hint for the last cause of a chain without a known error."""
    import requests

    if isinstance(error, ConnectionError | IncompleteRead):
        return f"What listens at {where} closes the connection before it has answered", _RESTART
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        return f"The Docker Engine at {where} can't be reached: {_reason(error)}", _ELSEWHERE
    return f"What answers at {where} is no Docker Engine", _ELSEWHERE


def _answered(response: requests.Response, where: str) -> tuple[str, str]:
    said = quoted(response.content)
    text = f"The Docker Engine at {where} answers with the status {response.status_code}"
    if response.status_code in (401, 403):
        hint = "Ask who runs this engine: it does not let you in."
    else:
        hint = _RESTART if response.status_code >= 500 else _ELSEWHERE
    return f"{text}: {said}" if said else text, hint


def quoted(body: bytes | str) -> str:
    """Return the message in the body of an error reply, or the text of an HTML page."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    with suppress(ValueError, RecursionError):
        found = json.loads(text)
        if isinstance(found, dict) and isinstance(found.get("message"), str):
            text = found["message"]
    if text.lstrip().startswith("<"):
        text = " ".join(re.sub("<[^>]*>", " ", text).split())
    text = text.strip().rstrip(".")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _reason(error: BaseException) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
