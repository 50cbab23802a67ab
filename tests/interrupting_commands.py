"""Interrupt a command of pawsctl at instructions that are spread over all of its run.

Run as a program, with the name of a signal, the number of interruptions and the command's words: a
process that has threads is not to be forked. Runs the command to its end first, and each time
begins when it reads a line. Python ends as it does for users. Prints a line of JSON for each: the
exit status, stdout and stderr.
"""

import json
import os
import signal
import sys
import tempfile
from typing import Any

from pawsctl import __main__
from tests.forking import preloaded
from tests.instructions import Interrupt

_MOST = 10**9


def _become(words: list[str], number: int, kind: signal.Signals, counted: int) -> None:
    """Run the command; write to the file `counted` how many instructions it had till its end."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.argv = ["pawsctl", *words]
    interrupt = Interrupt(number, ("",), lambda: os.kill(os.getpid(), kind), looking=True)
    sys.settrace(interrupt)
    try:
        __main__.main()
    finally:
        sys.settrace(None)
        if not interrupt.has_come:
            os.pwrite(counted, str(interrupt.passed).encode(), 0)


def _reopened(descriptor: int) -> Any:
    return os.fdopen(descriptor, "rww"[descriptor], closefd=False)


def _ended(words: list[str], number: int, kind: signal.Signals, counted: int) -> dict[str, object]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.stdin, sys.stdout, sys.stderr = map(_reopened, range(3))
            # Its SystemExit ends this process.
            _become(words, number, kind, counted)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told = {}
        for name, each in (("out", out), ("err", err)):
            each.seek(0)
            told[name] = each.read().decode()
    # When its work is done, a process leaves signals to the system.
    return {"status": 128 - status if status < 0 else status, **told}


def main() -> None:
    """Count the command's instructions, and interrupt it so many times."""
    kind, times, words = signal.Signals[sys.argv[1]], int(sys.argv[2]), sys.argv[3:]
    preloaded.load()
    with tempfile.TemporaryFile() as counted:
        number, total = _MOST, 0
        for each in range(times + 1):
            sys.stdin.readline()
            sys.stdout.write(f"{json.dumps(_ended(words, number, kind, counted.fileno()))}\n")
            sys.stdout.flush()
            total = total or int(os.pread(counted.fileno(), 100, 0))
            number = total * (2 * each + 1) // (2 * times)


if __name__ == "__main__":
    main()
