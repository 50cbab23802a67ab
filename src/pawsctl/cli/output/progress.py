"""Redrawn output: progress bars on stderr, a live view on stdout.

It loads rich, which costs 80 ms: import this only for a terminal.

Rich is not interrupted while it draws: what is half drawn can't be ended, and the terminal would
stay without a cursor. A thread that it starts inherits that signals are held back, so that they all
come to the main thread, which can hold them back again.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
)
from rich.text import Text

from pawsctl import escaping
from pawsctl.cli.output.table import Line
from pawsctl.process_setup import undisturbed

State = TypeVar("State")


@contextmanager
def one_bar(doing: str, total: int | None, *, colour: bool) -> Iterator[Callable[[int], None]]:
    """Show a bar of `total` items (None if unknown); yields a function that advances it."""
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True, no_color=not colour),
        transient=True,
    )
    with _ended(bar):
        with undisturbed():
            bar.start()
            task = bar.add_task(doing, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def many_bars(*, colour: bool) -> Iterator[Callable[[str, str, int, int], None]]:
    """Show progress bars of bytes, none at first.

    Yields a function (key, doing, done, total) that updates the bar of a key, and creates it if it
    is new; a total of 0 is not known yet.
    """
    drawn = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        console=Console(stderr=True, no_color=not colour),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def move(key: str, doing: str, done: int, total: int) -> None:
        if key not in tasks:
            with undisturbed():
                drawn.start()
                tasks[key] = drawn.add_task(escaping.visible(doing), total=None)
        drawn.update(
            tasks[key], description=escaping.visible(doing), completed=done, total=total or None
        )

    with _ended(drawn):
        yield move


def draw(
    states: Iterable[State], view: Callable[[State, int, int], Iterable[Line]], *, colour: bool
) -> None:
    """Draw states on stdout, each over the previous one; lines are cut at the terminal's edge.

    The cursor is restored in every case.
    """
    console = Console(no_color=not colour, highlight=False, markup=False, emoji=False)
    live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
    with _ended(live):
        with undisturbed():
            live.start()
        for state in states:
            lines = [
                Text.assemble(*((escaping.visible(text), style) for text, style in line))
                for line in view(state, console.width, console.height)
            ]
            picture = Text("\n", no_wrap=True, overflow="ellipsis").join(lines)
            with undisturbed():
                live.update(picture, refresh=True)


@contextmanager
def _ended(drawn: Progress | Live) -> Iterator[None]:
    """End a drawing after the block."""
    try:
        yield
    finally:
        try:
            _stop(drawn)
        except KeyboardInterrupt:
            # It came before signals were held back, or when all was done: then this does nothing.
            _stop(drawn)
            raise


def _stop(drawn: Progress | Live) -> None:
    with undisturbed():
        drawn.stop()
