"""Text from Redis, logs, Docker and the environment, made safe for the place it is shown.

Pure. What can move a cursor, recolour, reorder or hide text becomes a visible escape: every control
(C0, DEL, C1), every format character (Unicode category Cf: bidi overrides, zero-width, tags), the
line and paragraph separators, and lone surrogates.
"""

import re
from functools import cache

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
    # A zero-width joiner between two emoji makes one picture of them, and stays.
    joined = f"(?<=[{_EMOJI}\ufe0f]){_JOINER}(?=[{_EMOJI}])"
    return re.compile(f"(?!{joined})[{controls}{_FORMAT}{_SURROGATES}]")


def visible(text: str, *, keep: str = "") -> str:
    r"""`text` with every dangerous character as an escape: `\x1b`, `\u202e`, `\U000e0001`.

    `keep` names control characters that mean no harm where the text goes, such as a newline.
    """
    if text.isascii() and text.isprintable():
        return text
    return _pattern(keep).sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


@cache
def _json_pattern() -> re.Pattern[str]:
    return re.compile(f"[\x00-\x1f\x7f-\x9f{_FORMAT}{_SURROGATES}]")


def json_line(document: bytes) -> bytes:
    r"""A JSON document on one line, with dangerous characters as `\uXXXX`; the value is the same.

    In valid JSON a raw control character can only be white space between tokens, and any other
    dangerous character can only stand inside a string.
    """
    if not document.translate(None, _PLAIN):
        return document
    return _json_pattern().sub(_json_escape, document.decode()).encode()


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


# Parameters that hold what nobody should read over a shoulder.
_SECRETS = re.compile(
    r"([?&;](?:[^=&;]*(?:pass|pwd|secret|token|key|auth|sig|cred)[^=&;]*)=)[^&;]*", re.IGNORECASE
)
_DIGEST = re.compile(r"@sha\d+:[0-9a-f]+$")
_USER = re.compile(r"[A-Za-z0-9._~%+-]*", re.ASCII)


def without_password(url: str) -> str:
    """Return a URL as it may be shown: the user stays, what follows as a password goes.

    So do parameters whose names speak of a secret. A password with a raw `/` or `@` goes whole.
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
    """Return a setting's value as it may be shown: a URL may have slipped into any of them.

    Its scheme may be missing; what stands behind the @ of an image is a digest.
    """
    is_login = "@" in value and not _DIGEST.search(value)
    return without_password(value) if is_login or "://" in value else value
