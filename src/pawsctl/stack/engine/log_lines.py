"""Split chunks of a log into lines, and parse their times. Pure."""

import codecs
import re
from datetime import UTC, datetime

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d) ?", re.ASCII)


class Lines:
    """Assembles lines from chunks, which may end within a line and within a character."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, chunk: bytes, *, last: bool = False) -> list[str]:
        """Return the lines that are now complete; with `last`, the rest is a line, too."""
        *lines, self._rest = (self._rest + self._decoder.decode(chunk, last)).split("\n")
        if last and self._rest:
            lines.append(self._rest)
            self._rest = ""
        return [line.removesuffix("\r") for line in lines]


def split_stamp(line: str) -> tuple[datetime | None, str]:
    """Split a line into the time that Docker puts at its beginning (or None), and the rest."""
    found = _STAMP.match(line)
    return (stamp(found[0]), line[found.end() :]) if found else (None, line)


def stamp(text: str) -> datetime | None:
    """Parse an RFC 3339 time; nanoseconds are cut to Python's microseconds. None if it is none."""
    found = _STAMP.match(text)
    if not found:
        return None
    zone = "+00:00" if found[3] == "Z" else found[3]
    fraction = (found[2] or "0")[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{found[1]}.{fraction}{zone}").astimezone(UTC)
