"""What is half done is undone, and Ctrl-C comes where it can be acted on."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold the first Ctrl-C back until the block is done.

    Between the request that creates something and the line that notes it down, an interrupt would
    leave it behind. A second Ctrl-C gets through at once, should the block hang.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    pressed: list[tuple[int, FrameType | None]] = []

    def hold(number: int, frame: FrameType | None) -> None:
        if pressed:
            before(number, frame)
        pressed.append((number, frame))

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        before(*pressed[0])


@contextmanager
def rollback() -> Iterator[ExitStack]:
    """Where the block fails or is interrupted, what it noted down is undone, last things first."""
    undo = ExitStack()
    try:
        yield undo
    except BaseException:
        with uninterrupted():
            undo.close()
        raise
