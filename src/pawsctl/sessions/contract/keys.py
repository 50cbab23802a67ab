"""Redis keys of sessions and seen marks, as the bot makes them. Pure."""

import re
from secrets import randbelow

from pawsctl.errors import UsageError

SESSION_PREFIX = "wh:session:"
SEEN_PREFIX = "wh:seen:"


def normalised(phone: str) -> str:
    """Return a phone as the bot stores it: only its ASCII digits and `+`."""
    return re.sub(r"[^0-9+]", "", phone)


def nobodys_phone() -> str:
    """Return a random phone of 16 digits, more than any real number has.

    It begins with 0, as no country code does: an ACL that allows the keys of some countries does
    not allow it.
    """
    return f"+0{randbelow(10**15):015}"


def session_key(phone: str) -> bytes:
    """Return the key of a phone's session; `phone` may also be a whole key (`wh:session:…`).

    Raises UsageError if `phone` has no digit.
    """
    if phone.startswith(SESSION_PREFIX):
        # A shell hands over bytes that are not UTF-8 as surrogates.
        return phone.encode("utf-8", "surrogateescape")
    number = normalised(phone)
    if not re.search("[0-9]", number):
        raise UsageError(
            f"'{phone}' has no digit, so it is no phone number.",
            hint="Give a phone like +1234567890, or a whole key like wh:session:+1234567890. What "
            "the bot got from a phone without digits is under the key wh:session: alone.",
        )
    return (SESSION_PREFIX + number).encode()


def seen_key(message_id: str) -> bytes:
    """Return the key with which the bot marks a WhatsApp message as handled."""
    return (SEEN_PREFIX + message_id).encode()


def key_text(key: bytes) -> str:
    r"""Return a key as text; bytes that are not UTF-8 are escaped, as in `\xff`."""
    return key.decode("utf-8", "backslashreplace")


def phone_of(key: bytes) -> str:
    """Return the phone part of a session's key."""
    return key_text(key).removeprefix(SESSION_PREFIX)


def is_normalised(key: bytes) -> bool:
    """Return whether the bot itself could have made this session key.

    For a phone without digits it makes `wh:session:` alone.
    """
    # Nearly all are a + and digits; this test is five times as quick as the pattern.
    is_usual = key.rstrip(b"0123456789") == _PLUS and key != _PLUS
    return is_usual or _NORMALISED.fullmatch(key) is not None


NO_DIGIT = SESSION_PREFIX.encode()
"""The key that the bot makes for every phone without digits."""

_PLUS = NO_DIGIT + b"+"
_NORMALISED = re.compile(rb"wh:session:([0-9+]*[0-9][0-9+]*)?")


SESSIONS = SESSION_PREFIX.encode() + b"*"
