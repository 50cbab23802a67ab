"""Interrupt a request to the Docker Engine at each instruction of the code that lends connections.

Python raises KeyboardInterrupt between any two instructions, also just after a lock was taken. Run
as a program, since a lock that nobody lets go stops the whole process. Prints each instruction's
number before the requests that follow its interruption.
"""

import sys

from pawsctl.stack.engine.docker.sdk.api import LocalApi
from pawsctl.stack.engine.docker.sdk.contexts import endpoint
from tests.instructions import Interrupt, raise_interrupt

# The code that takes connections out of a pool and puts them back.
_FUNCTIONS = ("_get_conn", "_put_conn")
_FILES = ("/queue.py", "/threading.py", "/connection_queue.py")


def _is_interrupted(number: int) -> bool:
    """Interrupt a request; whether or not there is such an instruction, send another."""
    api = LocalApi(endpoint(), timeout=10)
    api.ping()
    interrupt = Interrupt(number, _FILES, raise_interrupt, functions=_FUNCTIONS)
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
