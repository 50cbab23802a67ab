"""Redis keys of sessions and seen marks, as the bot makes them. Pure."""

import re

from pawsctl import escaping

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


NOBODYS_PHONE = r"\+00[0-9]{15}"
"""The pattern of the phones that `nobodys_phone` returns."""


def nobodys_phone() -> str:
    """Return a random phone of 17 digits, more than any real number or pseudonym has.

    It begins with 0, as no country code does: an ACL that allows the keys of some countries does
    not allow it.
    """
    # A command that makes none starts 3 ms sooner.
    from secrets import randbelow

    return f"+00{randbelow(10**15):015}"


def seen_key(message_id: str) -> bytes:
    """Return the key with which the bot marks a WhatsApp message as handled."""
    return (SEEN_PREFIX + message_id).encode()


def key_text(key: bytes) -> str:
    r"""Return a key as text; bytes that are not UTF-8 are escaped, as in `\xff`."""
    return key.decode("utf-8", "backslashreplace")


_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def behind(text: str) -> list[bytes]:
    r"""Return the keys, or their ends, that are shown as `text`, in which bytes are escaped.

    There are none if nothing in it is an escape. `\xff` is a byte that is not UTF-8, and a control
    character such as `\x85` may also be one. Left out is a key with a zero byte, after which a
    shell would cut it off.
    """
    typed = text.encode("utf-8", "surrogateescape")
    found = {_ESCAPE.sub(_character, typed), _ESCAPE.sub(_byte, typed)} - {typed}
    shown = escaping.visible(text)
    return sorted(
        key for key in found if b"\0" not in key and escaping.visible(key_text(key)) == shown
    )


def _byte(escape: re.Match[bytes]) -> bytes:
    return bytes([int(escape[1], 16)]) if escape[1] else _character(escape)


def _character(escape: re.Match[bytes]) -> bytes:
    number = int(escape[1] or escape[2] or escape[3], 16)
    return chr(number).encode("utf-8", "surrogatepass") if number < 0x110000 else escape[0]


def shell_word(key: bytes) -> str:
    r"""Return a key as a word of bash or zsh, as in `$'wh:session:\xff'`."""
    plain = (each for each in range(0x20, 0x7F) if each not in b"'\\")
    kept = {each: chr(each) for each in plain}
    return "$'" + "".join(kept.get(each, f"\\x{each:02x}") for each in key) + "'"
