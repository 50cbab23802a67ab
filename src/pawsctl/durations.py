"""Lengths of time as people write them: `90s`, `30m`, `1h30m`, `2d`, `1w`. Pure."""

import re

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])", re.ASCII)
# A hundred years: longer than any TTL, and short enough that no date overflows.
MOST_DAYS = 36_500


def whole_seconds(milliseconds: int) -> int:
    """Return milliseconds as seconds, rounded as Redis's TTL does; -1 (never) stays -1."""
    return milliseconds if milliseconds < 0 else (milliseconds + 500) // 1000


def seconds(text: str) -> float:
    """Parse `text` into seconds.

    Every number needs its unit: a bare one could mean seconds or minutes. Raises ValueError if
    `text` can't be read, or is more than a hundred years.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"'{text}' is no duration")
    total = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if total > MOST_DAYS * 86_400:
        raise ValueError(f"'{text}' is too long")
    return total


def text(seconds: int) -> str:
    """Return seconds in whole units, the largest first: `6 h`, `1 h 30 min`, `14 d`."""
    parts, left = [], seconds
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts) or "0 s"
