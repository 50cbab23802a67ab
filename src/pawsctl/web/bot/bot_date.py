"""Times as the bot's `new Date(value).toISOString()` has them. Pure."""

import math
import re
import time
from typing import Any

from pawsctl.web.bot import bot_json

# Milliseconds from the epoch, to both sides.
_MOST = 8.64e15
_DAY = 86_400_000

_TIME = r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?"
_ISO = re.compile(
    rf"([+-]\d{{6}}|\d{{4}})(?:-(\d\d)(?:-(\d\d))?)?(?:T{_TIME}(Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
# Forms that are not ISO 8601 and that V8 reads too: 2024/1/31, 1/31/2024, 31 Jan 2024, and what
# Date's toString and toUTCString write. Without a zone they are local.
_CLOCK = (
    r"(?:[ ,]+(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d)(?:\.(?P<f>\d+))?)?(?: ?(?P<half>[AP]M))?)?"
)
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT)?(?P<offset>[+-]\d\d:?\d\d)?(?: \([^()]*\))?)?"
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?"
_MONTH = r"(?P<name>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_OTHERS = [
    re.compile(each + _CLOCK + _ZONE, re.ASCII | re.IGNORECASE)
    for each in (
        r"(?P<year>\d{4})[-/](?P<month>\d{1,2})[-/](?P<day>\d{1,2})",
        r"(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4})",
        rf"{_WEEKDAY}{_MONTH} (?P<day>\d{{1,2}}),? (?P<year>\d{{4}})",
        rf"{_WEEKDAY}(?P<day>\d{{1,2}}) {_MONTH} (?P<year>\d{{4}})",
    )
]
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def iso_text(value: Any) -> str | None:
    """Return the time that a parsed JSON value stands for in ISO 8601; None if it is none."""
    found = _milliseconds(value)
    # A comparison with NaN or None would not do: both mean an invalid date.
    return None if found is None or not abs(found) <= _MOST else _iso(math.trunc(found))


def _milliseconds(value: Any) -> float | None:
    """Return a value as milliseconds since the epoch; null is 0, and true 1."""
    match value:
        case None:
            return 0
        case bool() | int() | float():
            return value
        case str():
            return _parsed(value)
        case list():
            return _parsed(bot_json.as_text(value))
    return None


def _iso(milliseconds: int) -> str:
    days, rest = divmod(milliseconds, _DAY)
    year, month, day = _civil(days)
    # Beyond four digits a year has its sign and six.
    shown = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+07d}"
    seconds, thousandths = divmod(rest, 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{shown}-{month:02d}-{day:02d}T{clock}.{thousandths:03d}Z"


def _civil(days: int) -> tuple[int, int, int]:
    """Return the date of a number of days since the epoch, in any year.

    Python's dates end with the year 9999. See "chrono-Compatible Low-Level Date Algorithms".
    """
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    return year, month, day_of_year - (153 * shifted + 2) // 5 + 1


def _days(year: int, month: int, day: int) -> int:
    """Return the days since the epoch of a date; a day beyond its month is in the next one."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468 + day - 1


def _parsed(text: str) -> float | None:
    """Return the milliseconds of a date as a text; None if it is none."""
    if found := _ISO.fullmatch(text):
        if found[1] == "-000000":
            return None
        year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
        clock = (found[4] or "0", found[5] or "0", found[6] or "0", found[7] or "0")
        # A date alone is in UTC, one with a clock time local.
        zone = found[8] or ("" if found[4] else "Z")
        return _moment((year, month, day), clock, zone)
    for pattern in _OTHERS:
        if found := pattern.fullmatch(text):
            named = found.groupdict(default="")
            name = named.get("name", "")[:3].lower()
            month = _MONTHS.index(name) + 1 if name else int(named["month"])
            hour = int(named["h"] or 0)
            if half := named["half"].upper():
                if hour > 12:
                    return None
                hour = hour % 12 + (12 if half == "PM" else 0)
            clock = (str(hour), named["m"] or "0", named["s"] or "0", named["f"] or "0")
            zone = named["offset"] or ("Z" if named["zone"] else "")
            return _moment((int(named["year"]), month, int(named["day"])), clock, zone)
    return None


def _moment(date: tuple[int, int, int], clock: tuple[str, str, str, str], zone: str) -> int | None:
    """Return the milliseconds of a date and clock time; the zone is Z, an offset, or '' for here.

    None if a part is out of its range.
    """
    year, month, day = date
    hour, minute, second = map(int, clock[:3])
    thousandths = int(clock[3][:3].ljust(3, "0"))
    is_midnight = hour == 24 and not (minute or second or thousandths)
    if not (1 <= month <= 12 and 1 <= day <= 31 and minute < 60 and second < 60):
        return None
    if hour > 23 and not is_midnight:
        return None
    seconds = _days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    if not zone:
        seconds = _local(seconds)
    elif zone not in "Zz":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        seconds -= (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
    return seconds * 1000 + thousandths


def _local(seconds: int) -> int:
    """Return the time at which a clock here shows what one in UTC shows at `seconds`."""
    try:
        return int(time.mktime((*time.gmtime(seconds)[:8], -1)))
    except (OverflowError, ValueError, OSError):
        # Beyond what this system's clock knows, there are no rules for zones.
        return seconds
