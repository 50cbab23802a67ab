"""What a person at a terminal sees, with a clock that always shows the same."""

import time


def noon_zone() -> str:
    """Return a time zone, named UTC, in which it is noon now: a value for the variable TZ."""
    west = int(time.time()) % 86_400 - 12 * 3_600
    return f"<UTC>{'-' if west < 0 else '+'}{_clock(abs(west))}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
