"""Undo what is half done, and keep Ctrl-C out of steps that must not be cut in two."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import ParamSpec, TypeVar

from pawsctl.errors import Interrupted, PawsctlError

# Windows has no SIGHUP.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_AGAIN = "Once that is fixed, 'pawsctl redis up' puts in order what is left."

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")


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


class Undo(ExitStack):
    """Steps that undo what was done, the last one first.

    One that fails is noted in `failures`, and the others are done all the same. `left` and `hints`
    are for steps that have a reason to leave something as it is.
    """

    def __init__(self) -> None:
        super().__init__()
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
        """Note a step down."""

        def step() -> None:
            try:
                callback(*args, **kwds)
            # Whatever it is, it must hide neither the first failure nor the steps that remain.
            except Exception as error:  # noqa: BLE001
                self.failures.append(
                    error.message if isinstance(error, PawsctlError) else str(error)
                )

        super().callback(step)
        return callback


@contextmanager
def rollback(now: Callable[[], str] = lambda: "") -> Iterator[Undo]:
    """Undo what the block noted down if it fails or is interrupted.

    The failure is raised again. If a step of the undoing failed, or left something, that is told
    after the first failure, with `now()`: how things stand afterwards.
    """
    undo = Undo()
    try:
        yield undo
    except BaseException as first:
        with uninterrupted():
            undo.close()
            failures = dict.fromkeys(undo.failures)
            if not (failures or undo.left):
                raise
            sentences = [*undo.left, *(f"Undoing it failed too: {each}" for each in failures)]
            text = " ".join(filter(None, (*sentences, now())))
        hint = " ".join(dict.fromkeys([*undo.hints, *([_AGAIN] if failures else ())]))
        if isinstance(first, PawsctlError):
            raise first.with_context(after=text, hint=hint) from first
        if isinstance(first, KeyboardInterrupt):
            raise Interrupted(f"Interrupted. {text}", hint=hint) from first
        first.add_note(text)
        raise
