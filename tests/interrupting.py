"""Interrupt a request to the Docker Engine at each instruction of the code that lends connections.

Python raises KeyboardInterrupt between any two instructions, also just after a lock was taken. Run
as a program, since a lock that nobody lets go stops the whole process. Prints each instruction's
number before the requests that follow its interruption.
"""

import sys
from types import FrameType
from typing import Any

from pawsctl.stack.engine.docker.sdk.api import LocalApi
from pawsctl.stack.engine.docker.sdk.contexts import endpoint

# The code that takes connections out of a pool and puts them back.
_FUNCTIONS = ("_get_conn", "_put_conn")
_FILES = ("/queue.py", "/threading.py", "/connection_queue.py")


class _Interrupt:
    """Raises KeyboardInterrupt before the instruction of that code that has a number."""

    def __init__(self, number: int) -> None:
        self._left = number

    @property
    def has_come(self) -> bool:
        """Whether there were so many instructions."""
        return self._left <= 0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Any:
        code = frame.f_code
        frame.f_trace_opcodes = code.co_name in _FUNCTIONS or code.co_filename.endswith(_FILES)
        if event == "opcode":
            self._left -= 1
            if not self._left:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self


def _is_interrupted(number: int) -> bool:
    """Interrupt a request; whether or not there is such an instruction, send another."""
    api = LocalApi(endpoint(), timeout=10)
    api.ping()
    interrupt = _Interrupt(number)
    sys.settrace(interrupt)
    try:
        api.ping()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(None)
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()
    assert isinstance(api.version()["Version"], str)
    api.close()
    return interrupt.has_come


def main() -> None:
    """Interrupt one instruction after the other."""
    number = 1
    while _is_interrupted(number):
        number += 1


if __name__ == "__main__":
    main()
