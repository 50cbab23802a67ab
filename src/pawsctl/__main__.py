"""The `pawsctl` command, and `python -m pawsctl`."""

# The C half of `signal`, which costs nothing to import: until main() knows what to do about a
# Ctrl-C, the system's own end of the process is the one without a traceback.
import _signal  # type: ignore[import-not-found] # typeshed does not know it

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import gc
import sys
from typing import NoReturn

from pawsctl import process_setup


def main() -> NoReturn:
    """Run the command line that the process was started with."""
    # Start-up makes many objects and no garbage: looking for some every 700 costs 10 ms, and
    # looking through all of them once more at exit another 20.
    gc.set_threshold(100_000)
    interrupt = process_setup.prepare()
    try:
        from pawsctl.cli.app import run

        status = run(sys.argv[1:])
    except BaseException as error:
        # What is interrupted may fail in its own way: a class body with a RuntimeError.
        if interrupt.number is None and not isinstance(error, KeyboardInterrupt):
            raise
        status = process_setup.INTERRUPTED
    process_setup.let_go()
    gc.freeze()
    sys.exit(interrupt.status(status))


if __name__ == "__main__":
    main()
