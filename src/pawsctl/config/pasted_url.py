"""Find the Redis URL in text pasted from a shell, `.env`, manual or other program. Pure."""

import re
import shlex
import string

# Opening → closing; a URL begins with none of them.
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "<": ">"}
# The quotes that word processors make of the simple ones.
_QUOTES["\u2018"] = "\u2019"
_INVISIBLE = f"{string.whitespace}\xa0\u200b\u2060\ufeff"
# An assignment in a shell, or in YAML, where a space follows the colon.
_ASSIGNMENT = re.compile(
    r"(?:(?:export\s+|set\s+|\$env:)?[A-Za-z_]\w*\s*=\s*|[A-Za-z_]\w*:\s+)", re.ASCII
)
_CLIENT = re.compile(r"(?:\S*/)?(?:redis|valkey)-cli\s")
_BARE = re.compile(
    r"(?:[^@/\s?#,]*@)?(?:\[[0-9a-f:.%]+\]|[a-z0-9_.-]*):[0-9]{1,5}(?:/[0-9]*)?(?:\?\S*)?"
    r"|localhost|[0-9]{1,3}(?:\.[0-9]{1,3}){3}",
    re.IGNORECASE | re.ASCII,
)
_PATH = re.compile(r"(?:unix:)?(?=/[^/])", re.IGNORECASE)


def url_in(text: str) -> str:
    """Return the URL in `text`, without quotes, a variable's name or a redis-cli around it.

    Text without a scheme that can only be host and port, or a path, gets a scheme. Anything else is
    returned unchanged. Raises ValueError, whose text is a hint, for a redis-cli command with other
    options than its URL.
    """
    found = _unquoted(text)
    name = _ASSIGNMENT.match(found)
    if name and not found[: name.end()].isdigit():
        found = _unquoted(found[name.end() :])
    if _CLIENT.match(found):
        found = _of_client(found)
    if _BARE.fullmatch(found):
        return f"redis://{found}"
    return _PATH.sub("unix://", found, count=1) if _PATH.match(found) else found


def _unquoted(text: str) -> str:
    text = text.strip(_INVISIBLE)
    while len(text) > 1 and _QUOTES.get(text[0], "") == text.rstrip(";").rstrip()[-1:]:
        text = text.rstrip(";").rstrip()[1:-1].strip()
    return text


def _of_client(text: str) -> str:
    hint = "Give the URL alone: redis://[user:password@]host:port/db, or rediss:// for --tls."
    try:
        _, *words = shlex.split(text)
    except ValueError as error:
        raise ValueError(hint) from error
    if len(words) != 2 or words[0] not in ("-u", "--uri"):
        raise ValueError(hint)
    return words[1]
