"""The bot's own word on its health: `GET /api/health` at APP_URL."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import msgspec

from pawsctl import safe
from pawsctl.doctor.findings import Finding
from pawsctl.settings import Setting

# Seconds to connect, and for each part of the answer.
_TIMEOUT = 2.0
# The answer is a few hundred bytes.
_MOST_BYTES = 65_536

_PATH = "/api/health"


class _Service(msgspec.Struct):
    configured: bool
    status: str = ""


class _Answer(msgspec.Struct):
    status: str
    services: dict[str, _Service] = {}
    error: str = ""


def examine(app_url: Setting) -> Finding:
    """Whether the bot runs, and what it says of itself; only one that was named has to run."""
    url = app_url.value.rstrip("/") + _PATH
    asked = safe.without_password(url)
    try:
        answer = msgspec.json.decode(_get(url), type=_Answer)
    except (OSError, HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return _missing(app_url, f"nothing answers at {asked}: {reason}")
    except ValueError as error:
        return _missing(app_url, f"what answers at {asked} is not the bot: {error}")
    down = [name for name, service in answer.services.items() if service.status == "down"]
    unset = [name for name, service in answer.services.items() if not service.configured]
    if answer.status != "healthy":
        reasons = [*(f"{name} is down" for name in down), *(f"{name} is not set" for name in unset)]
        detail = answer.error or ", ".join(reasons) or "it does not say why"
        return Finding("bot", "failed", f"unhealthy: {detail}", _mend(down, unset))
    if unset:
        return Finding("bot", "warning", f"{', '.join(unset)} not configured", _mend(down, unset))
    return Finding("bot", "ok", f"healthy at {asked}")


def _get(url: str) -> bytes:
    """The body of an answer, whatever its status; redirects are not followed.

    Raises ValueError for what is no HTTP URL.
    """
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        # Its text holds what stands where the port should: the end of a password, perhaps.
        is_web = False
    if not is_web or not parts.hostname:
        raise ValueError("that is no URL of a web server")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=_TIMEOUT)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().read(_MOST_BYTES)
    finally:
        connection.close()


def _missing(app_url: Setting, detail: str) -> Finding:
    if app_url.is_default:
        return Finding("bot", "skipped", detail, "Set APP_URL to have the bot looked at.")
    return Finding("bot", "failed", detail, f"Start the bot, or mend APP_URL ({app_url.origin}).")


def _mend(down: list[str], unset: list[str]) -> str:
    hints = []
    if "redis" in down:
        hints.append("Compare the bot's REDIS_URL with the Redis above.")
    names = [each for service in unset for each in _VARIABLES.get(service, ())]
    if names:
        hints.append(f"Set {', '.join(names)} where the bot runs.")
    return " ".join(hints)


# What the bot's own check looks at.
_VARIABLES = {
    "redis": ("REDIS_URL",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "database": ("DATABASE_URL",),
    "twilio": ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
}
