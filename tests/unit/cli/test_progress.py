"""Bars and pictures that are drawn over and over leave the terminal as it was."""

import io
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from pawsctl.cli.output import progress
from tests.instructions import Interrupt

# The code that begins and ends a drawing.
_FILES = ("/rich/live.py", "/output/progress.py", "/pawsctl/process_setup.py")
_HIDDEN, _SHOWN = "\x1b[?25l", "\x1b[?25h"


class _Terminal(io.StringIO):
    """A stream that says that it is a terminal, and keeps all that is written."""

    def isatty(self) -> bool:
        return True


def _one_bar() -> None:
    with progress.one_bar("exporting", 7, colour=False) as advance:
        advance(1)


def _many_bars() -> None:
    with progress.many_bars(colour=False) as move:
        move("a", "pulling", 1, 7)


def _screen() -> None:
    progress.draw([1], lambda state, _width, _height: [[(str(state), "")]], colour=False)


@pytest.mark.parametrize("drawn", [_one_bar, _many_bars, _screen])
def test_an_interruption_leaves_the_cursor_visible(
    monkeypatch: pytest.MonkeyPatch, drawn: Callable[[], Any]
) -> None:
    """Wherever it comes, also while the first picture is drawn, or the last is removed."""
    monkeypatch.setenv("TERM", "xterm")
    number, has_come = 0, True
    while has_come:
        number += 1
        terminal = _Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setattr(sys, "stderr", terminal)
        interrupt = Interrupt(
            number, _FILES, lambda: signal.raise_signal(signal.SIGINT), looking=True
        )
        tracer = sys.gettrace()
        sys.settrace(interrupt)
        is_interrupted = False
        try:
            drawn()
        except KeyboardInterrupt:
            is_interrupted = True
        finally:
            sys.settrace(tracer)
        has_come = interrupt.has_come
        said = terminal.getvalue()
        assert is_interrupted == has_come
        assert said.rfind(_HIDDEN) <= said.rfind(_SHOWN), (number, said)
        assert (sys.stdout, sys.stderr) == (terminal, terminal)
    assert number > 30
