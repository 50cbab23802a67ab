"""The `pawsctl` command, and `python -m pawsctl`."""

import gc
import sys
from typing import NoReturn

from pawsctl import process


def main() -> NoReturn:
    """Run the command line that the process was started with."""
    # Start-up makes many objects and no garbage: looking for some every 700 costs 10 ms, and
    # looking through all of them once more at exit another 20.
    gc.set_threshold(100_000)
    process.prepare()
    try:
        from pawsctl.cli.app import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        # Before there was anything to interrupt.
        status = 130
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    main()
