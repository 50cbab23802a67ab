"""Interrupt a process of pawsctl at each instruction of its start and of its end.

Run as a program, since a process that has threads is not to be forked. Prints a line for each
instruction: the exit status, and the last words on stderr.
"""

import _thread
import os
import signal
import sys
import tempfile
from typing import NoReturn

from pawsctl import __main__
from pawsctl.cli import app
from tests.instructions import Interrupt

# The code that runs before a command and after it.
_FILES = ("/pawsctl/__main__.py", "/pawsctl/process_setup.py")
# The exit status if there was no such instruction.
_ENOUGH = 99


def _run(number: int) -> NoReturn:
    """Run a command that succeeds at once, and end as it does, but not as slowly as Python."""
    vars(app)["run"] = lambda _arguments: 0
    # Unlike a signal, this does nothing if there is no handler (any more).
    interrupt = Interrupt(number, _FILES, _thread.interrupt_main)
    sys.settrace(interrupt)
    try:
        __main__.main()
    except SystemExit as done:
        sys.settrace(None)
        os._exit(int(str(done.code)) if interrupt.has_come else _ENOUGH)


def main() -> None:
    """Interrupt one instruction after the other."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    number = status = 0
    while status != _ENOUGH:
        number += 1
        with tempfile.TemporaryFile() as said:
            child = os.fork()
            if not child:
                os.dup2(said.fileno(), 2)
                _run(number)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            said.seek(0)
            sys.stdout.write(f"{status} {' '.join(said.read().decode().splitlines()[-1:])}\n")


if __name__ == "__main__":
    main()
