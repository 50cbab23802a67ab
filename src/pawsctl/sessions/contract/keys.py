"""Redis keys of sessions and seen marks, as the bot makes them. Pure."""

import re
from secrets import randbelow

SESSION_PREFIX = "wh:session:"
SEEN_PREFIX = "wh:seen:"


def normalised(phone: str) -> str:
    """Return a phone as the bot stores it: only its ASCII digits and `+`."""
    return re.sub(r"[^0-9+]", "", phone)


def mistyped(phone: str) -> str:
    """Return the first character of a phone that nobody writes in one, such as a letter, or ''.

    The bot drops such a character and takes the rest for the phone of somebody else. A scheme like
    the `whatsapp:` that Twilio sends is none.
    """
    number = re.sub(r"^\s*[A-Za-z]+:", "", phone)
    found = re.search(r"[^\W0-9_]|[*?\[\]]", number)
    return found[0] if found else ""


def nobodys_phone() -> str:
    """Return a random phone of 16 digits, more than any real number has.

    It begins with 0, as no country code does: an ACL that allows the keys of some countries does
    not allow it.
    """
    return f"+0{randbelow(10**15):015}"


def seen_key(message_id: str) -> bytes:
    """Return the key with which the bot marks a WhatsApp message as handled."""
    return (SEEN_PREFIX + message_id).encode()


def key_text(key: bytes) -> str:
    r"""Return a key as text; bytes that are not UTF-8 are escaped, as in `\xff`."""
    return key.decode("utf-8", "backslashreplace")
