"""Set up this process's signals and standard streams, before anything else runs."""

import os
import signal
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


INTERRUPTED = 130
"""The exit status of a command ended by Ctrl-C."""

# Windows has no SIGHUP.
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
# Seconds in which one wish to end may arrive as several signals: npm passes on a Ctrl-C that the
# terminal has sent to all, and a shell the hangup.
_AT_ONCE = 0.5


class Interrupt:
    """A signal handler that raises KeyboardInterrupt and keeps the signal in `number`.

    Once it `is_too_late`, when the command has ended and only the exit is left, it does nothing;
    nor if the signal repeats the one before, so that what that has begun is not interrupted.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.is_too_late = False
        self._last: float | None = None

    def __call__(self, number: int, frame: "FrameType | None") -> None:
        """Handle the signal; of several, the first is kept."""
        if not self.is_too_late and not is_repeat(self._last):
            self._last = time.monotonic()
            self.number = self.number or number
            raise KeyboardInterrupt

    def take_again(self) -> None:
        """Take the next signal at once: the exception that the last one raised was lost."""
        self._last = None

    def status(self, status: int) -> int:
        """Return the exit status to end with: 143 for TERM and 129 for HUP instead of 130."""
        if status != INTERRUPTED or self.number is None:
            return status
        return 128 + self.number


def is_repeat(last: float | None) -> bool:
    """Whether a signal that comes now is the same wish as one at `last` (`time.monotonic`)."""
    return last is not None and time.monotonic() < last + _AT_ONCE


def prepare(interrupt: Interrupt) -> None:
    """Have `interrupt` handle SIGINT, SIGTERM and SIGHUP, and open every standard stream.

    A CI runner's TERM or a closed terminal then cleans up just as Ctrl-C does.
    """
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        # nohup has SIGHUP ignored, and a shell has SIGINT ignored for background jobs.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, interrupt)
    sys.unraisablehook = _interrupt_again
    _open_closed_streams()


@contextmanager
def undisturbed() -> "Iterator[None]":
    """Hold signals back during the block; one that came is handled at its end.

    For moments at which an interruption would leave something behind, as when Python looks for the
    folder of temporary files: it writes a file there and removes it.
    """
    if sys.platform == "win32":
        # Windows can't hold signals back.
        yield
        return
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        # It handles what came just before, and would then leave signals blocked.
        signal.pthread_sigmask(signal.SIG_BLOCK, [getattr(signal, name) for name in _SIGNALS])
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


def was_interrupted() -> bool:
    """Return whether a signal has asked this process to end."""
    handler = _handler()
    return handler is not None and handler.number is not None


def exit_status(status: int) -> int:
    """Return the exit status that this process ends with if its command ended with `status`."""
    handler = _handler()
    return status if handler is None else handler.status(status)


def _handler() -> Interrupt | None:
    """Return the handler of signals; that of SIGINT alone may be missing, as in the background."""
    numbers = (getattr(signal, name, None) for name in _SIGNALS)
    handlers = (signal.getsignal(number) for number in numbers if number is not None)
    return next((each for each in handlers if isinstance(each, Interrupt)), None)


def let_go() -> None:
    """Restore the default signal handlers; call it when the work is done, before the exit.

    From then on a signal ends the process the system's way, without a traceback. The SIGINT that
    repeats an interruption (`_interrupt_again`) may still be pending and is ignored, because it
    must not change the exit status.
    """
    repeats = was_interrupted()
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and isinstance(signal.getsignal(number), Interrupt):
            is_ignored = repeats and name == "SIGINT"
            signal.signal(number, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
    # `python -m` ends as by Ctrl-C if the last code that Python ran from text was interrupted, as
    # that with which a named tuple is made. This code isn't.
    exec("")  # noqa: S102


def _interrupt_again(ignored: "sys.UnraisableHookArgs") -> None:
    """Repeat a Ctrl-C that arrived where Python ignores exceptions, so that it is not lost.

    Such places are destructors, and the callbacks with which an import releases its lock.
    """
    if ignored.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(ignored)
        return
    import threading

    threading.Timer(0.001, _interrupt_main).start()


def _interrupt_main() -> None:
    import _thread
    import threading

    main = threading.main_thread().ident
    # Inside the hook it would be ignored again.
    while _is_in_hook(main):
        time.sleep(0.001)
    if handler := _handler():
        handler.take_again()
    if sys.platform == "win32" or main is None:
        _thread.interrupt_main()
    else:
        # Unlike interrupt_main, this also ends a blocking system call.
        signal.pthread_kill(main, signal.SIGINT)


def _is_in_hook(thread: int | None) -> bool:
    """Return whether a thread still runs `_interrupt_again`."""
    frame = sys._current_frames().get(thread or 0)
    while frame is not None:
        if frame.f_code is _interrupt_again.__code__:
            return True
        frame = frame.f_back
    return False


def _open_closed_streams() -> None:
    """Open /dev/null for closed standard streams (`<&-`, `>&-`), so that no file gets their number.

    stdin is then empty, writing to stdout fails, and output to stderr is lost.
    """
    for name, mode, flags in (
        ("stdin", "r", os.O_RDONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))
