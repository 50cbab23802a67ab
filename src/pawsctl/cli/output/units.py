"""Durations, sizes, counts and bars as text for people. Nothing here writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pawsctl.cli.output.table import Line

if TYPE_CHECKING:
    from pawsctl.sessions.stats.pictures import Pictures


def duration(seconds: float) -> str:
    """Return seconds in their two largest units: `5h 12m`, `12m 03s`, `8s`; -1 is `never`."""
    if seconds < 0:
        return "never"
    whole = int(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{days}d {hours:02}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {whole % 60:02}s" if minutes else f"{whole}s"


def size(count: float) -> str:
    """Return bytes as text: `812 B`, `1.2 KB` (1024 bytes per KB), `3.4 MB`."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KB", "MB", "GB"):
        count /= 1024
        if count < 1024 or unit == "GB":
            break
    return f"{count:.1f} {unit}"


def about(seconds: float) -> str:
    """Return seconds in their largest unit: `12 s`, `3 min`, `2 h`, `1 day`, `5 days`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min"
    if whole < 86_400:
        return f"{whole // 3_600} h"
    # Help needs no plural.
    from pawsctl.plurals import plural

    return plural(whole // 86_400, "day")


def moment(time: datetime | None, *, now: datetime | None = None) -> str:
    """Return a UTC time as ISO 8601 to the second, or a dash.

    With `now`, it is how long ago that was: `3 min ago`; if that is over a hundred days, the date.
    """
    if time is None:
        return "-"
    if now is None:
        return f"{time:%Y-%m-%dT%H:%M:%SZ}"
    seconds = (now - time).total_seconds()
    if seconds > 100 * 86_400:
        return f"{time:%Y-%m-%d}"
    # Clocks differ a little: what is only just ahead is now.
    return f"in {about(-seconds)}" if seconds < -60 else f"{about(seconds)} ago"


def moments(times: Sequence[datetime | None]) -> list[str]:
    """Return what `moment` returns of each."""
    # Saves 3 ms without such a list.
    import msgspec

    written = msgspec.json.encode(times).decode()[1:-1]
    # Years before 1000 are written in another way.
    if not times or "null" in written or '"0' in written:
        return [moment(time) for time in times]
    return [each[1:20] + "Z" for each in written.split(",")]


def clock(time: datetime, *, now: datetime) -> str:
    """Return a time as the reader's clock shows it, with its zone: `18:32 CET`, `Mon 00:05 CET`.

    The day is left out if it is today, and is a date if it is over six days away.
    """
    there, here = time.astimezone(), now.astimezone()
    days = (there.date() - here.date()).days
    day = "" if days == 0 else f"{there:%a} " if 0 < days < 7 else f"{there:%Y-%m-%d} "
    return f"{day}{there:%H:%M %Z}"


def url(found: dict[str, str]) -> Iterator[Line]:
    """Render the URL alone, so that it can be passed to a program."""
    yield [(found["url"], "")]


def or_dash(number: int | None) -> str:
    """Return a number as text, or a dash for None."""
    return "-" if number is None else str(number)


def bars(count: int, most: int, width: int) -> str:
    """Return a bar, `width` blocks long for `most`; at least one block if `count` is not 0."""
    return "█" * max(1 if count else 0, round(width * count / most))


def pictures(found: Pictures) -> Line:
    """Render the number and size of the bot's temporary pictures (temp_image:*)."""
    from pawsctl.plurals import plural

    words = f"{plural(found.keys, 'picture')} on their way (temp_image:*)"
    if found.complete:
        return [(f"{words} take {size(found.bytes)}", "")]
    why = (f", not all was looked at: {found.reason}", "yellow")
    if not found.keys:
        return [("no picture on its way (temp_image:*) was seen", ""), why]
    if not found.bytes:
        return [(f"at least {words}", ""), (f", of unknown size: {found.reason}", "yellow")]
    return [(f"at least {words} take {size(found.bytes)}", ""), why]


class Texts(dict[int | None, str]):
    """The texts of numbers, made by a function once for each, since rows often have the same."""

    def __init__(self, made: Callable[[int], str]) -> None:
        super().__init__()
        self._made = made

    def __missing__(self, number: int | None) -> str:
        # The fewer there are, the more of them are at hand at once.
        if len(self) >= _MOST_TEXTS:
            self.clear()
        text = self[number] = "-" if number is None else self._made(number)
        return text


_MOST_TEXTS = 30_000
