"""Escape text from Redis, logs, Docker and the environment before it is shown.

Pure. Characters that can move the cursor, recolour, reorder or hide text become visible escapes:
every control (C0, DEL, C1), every format character (Unicode category Cf: bidi overrides,
zero-width, tags), the line and paragraph separators, and lone surrogates.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

# Category Cf of Unicode 15.1; tests/unit/test_escaping.py holds this to the running unicodedata.
_FORMAT = (
    "\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
_SURROGATES = "\ud800-\udfff"
_EMOJI = "\u2190-\u2bff\U0001f000-\U0001faff"
_JOINER = "\u200d"


@cache
def _pattern(allowed: str) -> re.Pattern[str]:
    controls = "".join(
        f"\\x{number:02x}"
        for number in (*range(0x20), *range(0x7F, 0xA0))
        if chr(number) not in allowed
    )
    # A zero-width joiner between two emoji combines them into one; it is kept.
    joined = f"(?<=[{_EMOJI}\ufe0f]){_JOINER}(?=[{_EMOJI}])"
    return re.compile(f"(?!{joined})[{controls}{_FORMAT}{_SURROGATES}]")


def visible(text: str, *, keep: str = "") -> str:
    r"""Return `text` with every dangerous character escaped: `\x1b`, `\u202e`, `\U000e0001`.

    `keep` holds control characters to leave as they are because the destination allows them, such
    as a newline.
    """
    # No character that is escaped is printable.
    if text.isprintable():
        return text
    return _pattern(keep).sub(_escape, text)


def is_printable(text: str) -> bool:
    """Return `text.isprintable()`; of a long ASCII text in a tenth of the time."""
    if text.isascii():
        return not text.encode().translate(None, _PLAIN)
    return text.isprintable()


class Printable(Sequence[str]):
    """Texts known to be printable, none of them empty: nobody has to look for what to escape.

    `encoded` are they in UTF-8.
    """

    def __init__(self, encoded: Sequence[bytes]) -> None:
        self.encoded = encoded
        self.joined = b"".join(encoded)

    def __len__(self) -> int:
        return len(self.encoded)

    def __iter__(self) -> Iterator[str]:
        return map(bytes.decode, self.encoded)

    def __getitem__(self, index: Any) -> Any:
        return [*self][index]


def printable(texts: Sequence[str]) -> Printable | None:
    """Return texts as Printable if each is, else None; in half the time of asking each."""
    if not all(texts):
        return None
    try:
        encoded = list(map(str.encode, texts))
    except UnicodeEncodeError:
        # A lone surrogate.
        return None
    found = Printable(encoded)
    rest = found.joined.translate(None, _PLAIN)
    return found if rest.decode().isprintable() else None


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


@cache
def _json_pattern() -> re.Pattern[str]:
    return re.compile(f"[\x00-\x1f\x7f-\x9f{_FORMAT}{_SURROGATES}]")


def json_line(document: bytes) -> bytes:
    r"""Return a JSON document on one line, dangerous characters as `\uXXXX`; its value is the same.

    In valid JSON a raw control character can only be white space between tokens, and any other
    dangerous character can only be inside a string.
    """
    if not document.translate(None, _PLAIN):
        return document
    return _json_pattern().sub(_json_escape, document.decode()).encode()


def json_lines(documents: bytes) -> bytes:
    """Return JSON documents, one on each line, with dangerous characters escaped by `json_line`."""
    return b"\n".join(map(json_line, documents.split(b"\n")))


# Printable ASCII; deleting it is the quickest way to see whether anything else is there.
_PLAIN = bytes(range(0x20, 0x7F))


def _json_escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x20:
        return " "
    if number < 0x10000:
        return f"\\u{number:04x}"
    number -= 0x10000
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"


# URL parameters whose values are secrets.
_SECRETS = re.compile(
    r"([?&;](?:[^=&;]*(?:pass|pwd|secret|token|key|auth|sig|cred)[^=&;]*)=)[^&;]*", re.IGNORECASE
)
_DIGEST = re.compile(r"@sha\d+:[0-9a-f]+$")
_USER = re.compile(r"[A-Za-z0-9._~%+-]*", re.ASCII)


def without_password(url: str) -> str:
    """Return a URL with its password hidden; the user name stays.

    Parameters whose names suggest a secret are hidden, too. A password with a raw `/` or `@` is
    hidden as a whole.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    before, at, after = rest.rpartition("@")
    if at and (":" in before or "/" not in before):
        user, colon, _ = before.partition(":")
        # A user without a password may be a token.
        rest = f"{user if colon and _USER.fullmatch(user) else '***'}@{after}"
    return scheme + separator + _SECRETS.sub(r"\1***", rest)


def setting(value: str) -> str:
    """Return a setting's value with passwords hidden: any setting may hold a URL by mistake.

    The URL's scheme may be missing. An image's `@sha256:…` is a digest, not a host.
    """
    is_login = "@" in value and not _DIGEST.search(value)
    return without_password(value) if is_login or "://" in value else value
