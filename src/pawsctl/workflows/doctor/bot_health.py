"""Ask the bot for its health: `GET /api/health` at APP_URL."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead, responses
from urllib.parse import urlsplit

import msgspec

from pawsctl import escaping
from pawsctl.config.setting_specs import Setting
from pawsctl.workflows.doctor.finding import Finding

# Seconds for a connection, and for the whole answer: a bot that was just started is slow at first.
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 6.0
# The answer is a few hundred bytes.
_MOST_BYTES = 65_536

_PATH = "/api/health"

OURS = "pawsctl"
"""The Server header of `pawsctl serve`, which answers in the bot's place."""


# The HTTP statuses of the bot's health.
_STATUSES = (200, 503)


class _NoAnswer(Exception):
    """Something accepts the connection but sends no complete answer."""


class _Service(msgspec.Struct):
    configured: bool
    status: str = ""


class _Failure(msgspec.Struct):
    error: str


class _Answer(msgspec.Struct):
    status: str
    services: dict[str, _Service] = {}
    error: str = ""


def examine(app_url: Setting) -> Finding:
    """Return a finding on whether the bot runs, and on the health that it reports.

    A missing bot is a failure only if APP_URL is set. One that accepts a connection and does not
    answer is a failure in any case.
    """
    url = app_url.value.rstrip("/") + _PATH
    asked = escaping.without_password(url)
    try:
        status, server, body = _get(url)
    except _NoAnswer as error:
        return Finding(
            "bot",
            "failed",
            f"something accepts at {asked} and does not answer: {error}",
            "The bot hangs like that if its Redis is gone: look at the findings on Redis, then "
            "restart the bot.",
        )
    except OSError as error:
        return _missing(app_url, _unreached(asked, error))
    except ValueError as error:
        return _missing(app_url, f"{asked} can't be asked: {error}")
    if server == OURS:
        detail = f"'pawsctl serve' answers at {asked}: the bot itself was not looked at"
        return Finding("bot", "skipped", detail, "Set APP_URL to the bot's own address.")
    return _understood(app_url, asked, status, body)


def _understood(app_url: Setting, asked: str, status: int, body: bytes) -> Finding:
    """Return the finding for an answer of the bot, or of what is no bot."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return _strange(app_url, asked, status, body, error)
    if status not in _STATUSES:
        return _strange(app_url, asked, status, body, None)
    return _judged(asked, answer)


def _unreached(asked: str, error: OSError) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"nothing answers at {asked}: the connection is refused"
    reason = error.strerror or str(error) or type(error).__name__
    if isinstance(error, socket.gaierror):
        return f"{asked} has no address: {reason}"
    return f"{asked} can't be reached: {reason}"


def _strange(
    app_url: Setting, asked: str, status: int, body: bytes, error: Exception | None
) -> Finding:
    """Return the finding for an answer that is not the bot's health: an error, or no bot."""
    told = f"status {status} {responses.get(status, '')}".rstrip()
    if status >= 500:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told += f": '{msgspec.json.decode(body, type=_Failure).error}'"
        detail = f"{asked} answers with {told}"
        return Finding("bot", "failed", detail, "See what the bot logs, and restart it.")
    reason = f": {error}" if error is not None else ""
    return _missing(app_url, f"what answers at {asked} with {told} is not the bot{reason}")


def _judged(asked: str, answer: _Answer) -> Finding:
    down = [_name(name) for name, each in answer.services.items() if each.status == "down"]
    unset = [_name(name) for name, each in answer.services.items() if not each.configured]
    if answer.status != "healthy":
        reasons = [*(f"{name} is down" for name in down), *(f"{name} is not set" for name in unset)]
        said = f"'{answer.error}'" if answer.error else ""
        detail = said or ", ".join(reasons) or "it does not say why"
        return Finding("bot", "failed", f"unhealthy: {detail}", _mend(down, unset))
    if unset:
        return Finding("bot", "warning", f"{', '.join(unset)} not configured", _mend(down, unset))
    return Finding("bot", "ok", f"healthy at {asked}")


def _name(service: str) -> str:
    """Return the name of a service; one that the bot does not have is quoted."""
    return service if service in _VARIABLES else f"'{service}'"


def _get(url: str) -> tuple[int, str, bytes]:
    """Return the status, Server header and body of an answer; redirects are not followed.

    Raises _NoAnswer, OSError if there is no connection, ValueError if `url` is no HTTP URL.
    """
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        # Its text quotes the invalid port, which may be the end of a password.
        is_web = False
    if not is_web or not parts.hostname:
        raise ValueError("that is no URL of a web server")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    try:
        connection = kind(parts.hostname, parts.port, timeout=_CONNECT_SECONDS)
    except HTTPException as error:
        raise ValueError("that is no host of a web server") from error
    try:
        connection.connect()
        connection.sock.settimeout(_ANSWER_SECONDS)
        with _deadline(connection.sock):
            connection.request("GET", parts.path)
            response = connection.getresponse()
            body = response.read(_MOST_BYTES)
            if response.length and len(body) < _MOST_BYTES:
                raise IncompleteRead(body)
            return response.status, response.getheader("Server", ""), body
    finally:
        connection.close()


@contextmanager
def _deadline(connection: socket.socket) -> Iterator[None]:
    """Limit the time of a whole answer. Raises _NoAnswer, ValueError for an answer not in HTTP."""
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(_ANSWER_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, HTTPException) as error:
        if is_over.is_set() or isinstance(error, TimeoutError):
            raise _NoAnswer(f"{_ANSWER_SECONDS:g} s have passed") from error
        if isinstance(error, OSError | IncompleteRead):
            raise _NoAnswer("it closes the connection") from error
        raise ValueError(f"what answers there is no web server ({error!r})") from error
    finally:
        timer.cancel()
    if is_over.is_set():
        raise _NoAnswer(f"{_ANSWER_SECONDS:g} s have passed")


def _missing(app_url: Setting, detail: str) -> Finding:
    if app_url.is_default:
        return Finding(
            "bot", "skipped", detail, "Start the bot, or set APP_URL, to have it looked at."
        )
    return Finding("bot", "failed", detail, f"Start the bot, or mend APP_URL ({app_url.origin}).")


def _mend(down: list[str], unset: list[str]) -> str:
    hints = []
    if "redis" in down:
        hints.append("Compare the bot's REDIS_URL with the Redis above.")
    names = [each for service in unset for each in _VARIABLES.get(service, ())]
    if names:
        hints.append(f"Set {', '.join(names)} where the bot runs.")
    return " ".join(hints)


# A service that the bot checks → its environment variables.
_VARIABLES = {
    "redis": ("REDIS_URL",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "database": ("DATABASE_URL",),
    "twilio": ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
}
