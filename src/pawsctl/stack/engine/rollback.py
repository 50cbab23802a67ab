"""Undo a half-done operation, and delay Ctrl-C during steps that must not be interrupted."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import ParamSpec, TypeVar

from pawsctl.errors import Interrupted, PawsctlError
from pawsctl.process_setup import is_repeat

# Windows has no SIGHUP.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")

_CUT_SHORT = "another Ctrl-C cut it short."

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


@contextmanager
def uninterrupted(*, is_done: bool = False) -> Iterator[None]:
    """Delay the first SIGINT, SIGTERM or SIGHUP until the end of the block.

    An interrupt between the request that creates an object and the line that registers its undo
    would leave the object behind. A later signal gets through at once, in case the block hangs,
    but not one that repeats the one before (`process_setup.is_repeat`). If the work `is_done`, and
    the block only tidies up, the first signal is dropped.
    """
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    handlers = {number: signal.getsignal(number) for number in numbers}
    # Signals that are ignored or have the system's default handling stay so.
    interrupts = {number: handler for number, handler in handlers.items() if callable(handler)}
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[tuple[int, FrameType | None]] = []
    last: float | None = None

    def hold(number: int, frame: FrameType | None) -> None:
        nonlocal last
        if is_repeat(last):
            return
        last = time.monotonic()
        pressed.append((number, frame))
        if len(pressed) > 1:
            # The first tells the exit status.
            first, _ = pressed[0]
            interrupts[first](first, frame)

    for number in interrupts:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number, handler in interrupts.items():
            signal.signal(number, handler)
    if pressed and not is_done:
        number, frame = pressed[0]
        interrupts[number](number, frame)


class Undo(ExitStack):
    """A stack of undo steps, run last one first.

    A failed step is noted in `failures`, and the others still run. A step that deliberately leaves
    something as it is says so in `left` and `hints`. `up` is the command that goes on, in quotes.
    """

    def __init__(self, option: str = "") -> None:
        super().__init__()
        self.up = f"'pawsctl redis up{option}'"
        self.failures: list[str] = []
        self.left: list[str] = []
        self.hints: list[str] = []

    def callback(
        self,
        callback: Callable[_Arguments, _Answer],
        /,
        *args: _Arguments.args,
        **kwds: _Arguments.kwargs,
    ) -> Callable[_Arguments, _Answer]:
        """Add a step."""

        def step() -> None:
            try:
                callback(*args, **kwds)
            except KeyboardInterrupt:
                self.failures.append(_CUT_SHORT)
            # No exception of a step may hide the first failure or skip the remaining steps.
            except Exception as error:  # noqa: BLE001
                text = error.message if isinstance(error, PawsctlError) else str(error)
                self.failures.append(f"{text.rstrip('.')}.")

        super().callback(step)
        return callback


@contextmanager
def rollback(option: str, now: Callable[[], str] = lambda: "") -> Iterator[Undo]:
    """Run the undo steps that the block has added, if the block fails or is interrupted.

    The failure is raised again. If an undo step failed or left something, the message says so after
    the first failure, followed by `now()`, a sentence on the state afterwards. `option` makes a
    command act on the topology. The first signal during the undo is dropped, since the command ends
    anyway; each later one cuts the step short that is under way.
    """
    undo = Undo(option)
    try:
        yield undo
    except BaseException as first:
        with uninterrupted(is_done=True):
            _carried_out(undo)
            failures = dict.fromkeys(undo.failures)
            if not (failures or undo.left):
                raise
            sentences = [*undo.left, *(f"Undoing it failed too: {each}" for each in failures)]
            text = " ".join(filter(None, (*sentences, _asked(now))))
        first_fix = "" if {*failures} == {_CUT_SHORT} else "Once that is fixed, "
        again = f"{first_fix}{undo.up} puts in order what is left."
        hint = " ".join(dict.fromkeys([*undo.hints, *([again] if failures else ())]))
        if isinstance(first, PawsctlError):
            raise first.with_context(after=text, hint=hint) from first
        if isinstance(first, KeyboardInterrupt):
            raise Interrupted(f"Interrupted. {text}", hint=hint) from first
        first.add_note(text)
        raise


def _carried_out(undo: Undo) -> None:
    """Run all undo steps, also those after one that a signal has cut short."""
    while True:
        try:
            undo.close()
        except KeyboardInterrupt:
            undo.failures.append(_CUT_SHORT)
        else:
            return


def _asked(now: Callable[[], str]) -> str:
    try:
        return now()
    except KeyboardInterrupt:
        return ""
