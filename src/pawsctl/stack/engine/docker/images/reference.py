"""The name of an image, checked by the rules of Docker. Pure."""

import re

from pawsctl.errors import UsageError

_LONGEST = 255
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
_NAME = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)"
    r"(?::[\w][\w.-]{0,127})?"
    r"(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)


def check(image: str) -> None:
    """Raise UsageError if `image` is not a valid image name."""
    found = _NAME.fullmatch(image)
    if found and len(found["name"]) <= _LONGEST:
        return
    raise bad_name(image)


def bad_name(image: str) -> UsageError:
    """Return the error for an invalid image name."""
    has_capitals = image != image.lower() and _NAME.fullmatch(image.lower())
    reason = "has capital letters" if has_capitals else "is not one"
    return UsageError(
        f"'{image}' should be the name of an image, and {reason}.",
        hint="Set REDIS_IMAGE or REDIS_COMMANDER_IMAGE to a name such as redis:7.2-alpine or "
        "registry.example.com/redis:7.2-alpine.",
    )


def is_refused(reason: str) -> bool:
    """Whether an engine's error says that a name is invalid.

    Engines differ in which hosts and which IPv6 addresses they accept.
    """
    return any(each in reason for each in ("invalid reference format", "invalid repository name"))


def registry_of(image: str) -> str:
    """Return the host of the registry that an image is pulled from."""
    first, slash, _ = image.partition("/")
    is_host = "." in first or ":" in first or first == "localhost" or first != first.lower()
    return first if slash and is_host else "docker.io"
