"""Interrupt code before the instruction of a number, as Python does between any two."""

import dis
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

# After these, CPython looks whether a signal has come.
_LOOKING = {
    dis.opmap[name]
    for name in ("RESUME", "PRECALL", "CALL", "CALL_KW", "CALL_FUNCTION_EX", "JUMP_BACKWARD")
    if name in dis.opmap
}


class Interrupt:
    """A tracer (`sys.settrace`) that calls `interrupt`, once, before an instruction of some code.

    It counts the instructions of the files that end with `files`, and of the `functions`; with
    `looking` only those before which CPython itself looks whether a signal has come.
    """

    def __init__(
        self,
        number: int,
        files: tuple[str, ...],
        interrupt: Callable[[], object],
        *,
        functions: tuple[str, ...] = (),
        looking: bool = False,
    ) -> None:
        self._number = self._left = number
        self._files, self._functions = files, functions
        self._interrupt = interrupt
        self._is_looking = looking
        # By frame: the instruction before.
        self._before: dict[FrameType, int] = {}

    @property
    def has_come(self) -> bool:
        """Whether there were so many instructions."""
        return self._left <= 0

    @property
    def passed(self) -> int:
        """How many instructions there were so far."""
        return self._number - self._left

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Any:
        """Trace; see `sys.settrace`."""
        code = frame.f_code
        is_counted = code.co_name in self._functions or code.co_filename.endswith(self._files)
        frame.f_trace_opcodes = is_counted
        if event == "opcode" and self._counts(frame):
            self._left -= 1
            if not self._left:
                sys.settrace(None)
                self._interrupt()
        return self

    def _counts(self, frame: FrameType) -> bool:
        if not self._is_looking:
            return True
        before = self._before.get(frame)
        now = self._before[frame] = frame.f_code.co_code[frame.f_lasti]
        # In 3.11 a call is two instructions, and nothing comes between.
        return before in _LOOKING and now != dis.opmap["CALL"]


def raise_interrupt() -> None:
    """Raise KeyboardInterrupt, as the handler of SIGINT does."""
    raise KeyboardInterrupt
