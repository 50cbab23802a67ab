"""The screen of a real terminal, with a clock that always shows the same."""

import time
from typing import NamedTuple

from tests import fork_server
from tests.cli_runner import TIMEOUT_SECONDS, Pawsctl
from tests.needs import skip_or_fail

# More lines than any output has: nothing scrolls away.
_LINES = 200


class Screen(NamedTuple):
    """The exit status of a command, its lines, and the colour of each line's first character.

    `grounds` has the background of each character of each line.

    `printed` is the number of lines that the command printed: less than `lines` if the terminal has
    broken one.
    """

    status: int
    lines: list[str]
    colours: list[str]
    printed: int
    grounds: list[list[str]]


def screen(pawsctl: Pawsctl, *arguments: str, columns: int, typed: bytes = b"") -> Screen:
    """Run a command in a terminal, where this is typed; return what an emulator draws of it."""
    try:
        import pyte
    except ModuleNotFoundError:
        skip_or_fail("pyte is not installed")
    status, printed = fork_server.run_in_terminal(
        arguments,
        columns=columns,
        folder=pawsctl.folder,
        environment=pawsctl.environment | {"TERM": "xterm-256color", "TZ": noon_zone()},
        timeout=TIMEOUT_SECONDS,
        typed=typed,
    )
    drawn = pyte.Screen(columns, _LINES)
    pyte.ByteStream(drawn).feed(printed)
    lines = [line.rstrip() for line in drawn.display]
    while lines and not lines[-1]:
        lines.pop()
    colours = [drawn.buffer[row][0].fg for row in range(len(lines))]
    grounds = [[drawn.buffer[row][at].bg for at in range(columns)] for row in range(len(lines))]
    return Screen(status, lines, colours, printed.count(b"\n"), grounds)


def noon_zone() -> str:
    """Return a time zone, named UTC, in which it is noon now: a value for the variable TZ."""
    west = int(time.time()) % 86_400 - 12 * 3_600
    return f"<UTC>{'-' if west < 0 else '+'}{_clock(abs(west))}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
