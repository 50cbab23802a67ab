"""Undo what is half done, and keep Ctrl-C out of steps that must not be cut in two."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

# Windows has no SIGHUP.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold the first Ctrl-C, TERM or hangup back until the block is done.

    Between the request that creates something and the line that notes it down, an interrupt would
    leave it behind. A second one gets through at once, should the block hang.
    """
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    # What is left to the system, or ignored, stays so.
    interrupts = {number: handler for number, handler in handlers.items() if callable(handler)}
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[tuple[int, FrameType | None]] = []

    def hold(number: int, frame: FrameType | None) -> None:
        if pressed:
            interrupts[number](number, frame)
        pressed.append((number, frame))

    for number in interrupts:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in interrupts.items():
            signal.signal(number, handler)
    if pressed:
        number, frame = pressed[0]
        interrupts[number](number, frame)


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
