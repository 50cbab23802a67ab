"""The `pawsctl` command, and `python -m pawsctl`."""

# The C half of `signal`, which costs nothing to import: until main() has set its handler, Ctrl-C
# ends the process the system's way, without a traceback.
import _signal  # type: ignore[import-not-found] # typeshed does not know it

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import gc
import sys
from typing import NoReturn

from pawsctl import process_setup


def main() -> NoReturn:
    """Run this process's command line and exit."""
    # Start-up makes many objects and no garbage: a collection every 700 objects costs 10 ms, and
    # the one at exit another 20.
    gc.set_threshold(100_000)
    interrupt = process_setup.Interrupt()
    try:
        process_setup.prepare(interrupt)
        from pawsctl.cli.app import run

        status = run(sys.argv[1:])
        interrupt.is_too_late = True
    except BaseException as error:
        interrupt.is_too_late = True
        # Interrupted code may raise another error: a class body raises a RuntimeError.
        if interrupt.number is None and not isinstance(error, KeyboardInterrupt):
            process_setup.let_go()
            raise
        status = process_setup.INTERRUPTED
    process_setup.let_go()
    gc.freeze()
    sys.exit(interrupt.status(status))


if __name__ == "__main__":
    main()
