"""Stable pseudonyms of phones: the same one for the same phone, for whoever has the key."""

from pawsctl.files import keyed_hash

_DIGITS = 15


def of(phone: str) -> str:
    """Return the pseudonym of a phone: 16 digits after a +, of which the first is 0.

    No country code begins with 0, so it is nobody's phone. Raises what `keyed_hash.hashed` raises.
    """
    number = int(keyed_hash.hashed(phone).rpartition(":")[2], 16)
    return f"+0{number % 10**_DIGITS:0{_DIGITS}}"
