"""Parse sizes as written in redis.conf. Pure."""

import re

_UNITS = {
    "": 1,
    "b": 1,
    "k": 1000,
    "kb": 1 << 10,
    "m": 1000**2,
    "mb": 1 << 20,
    "g": 1000**3,
    "gb": 1 << 30,
}
# Redis keeps sizes in 64 bits; larger ones wrap around.
_MOST = 2**63 - 1


def in_bytes(text: str) -> int:
    """Parse `512mb`, `1GB`, `100k` (1000) or a bare number into bytes. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,19})([kmg]?b?)", text.strip().lower())
    size = int(found[1]) * _UNITS[found[2]] if found else -1
    if not 0 <= size <= _MOST:
        raise ValueError(f"{text!r} is no size")
    return size
