"""Progress bars on stderr. Loading rich for them costs 80 ms: import this only for a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
)

from pawsctl import safe


@contextmanager
def one_bar(doing: str, total: int | None, *, colour: bool) -> Iterator[Callable[[int], None]]:
    """A bar of `total` things, None where that is not known; yields what advances it by so many."""
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True, no_color=not colour),
        transient=True,
    )
    with bar:
        task = bar.add_task(doing, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def many_bars(*, colour: bool) -> Iterator[Callable[[str, str, int, int], None]]:
    """Bars of bytes, none at first.

    Yields what moves one, and makes it first: (key, doing, done, total); a total of 0 is not known
    yet.
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
        if not tasks:
            drawn.start()
        if key not in tasks:
            tasks[key] = drawn.add_task(safe.visible(doing), total=None)
        drawn.update(
            tasks[key], description=safe.visible(doing), completed=done, total=total or None
        )

    try:
        yield move
    finally:
        drawn.stop()
