"""The `pawsctl` command, and `python -m pawsctl`."""

import gc
import os
import signal
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line that the process was started with."""
    # Start-up makes many objects and no garbage: looking for some every 700 costs 10 ms, and
    # looking through all of them once more at exit another 20.
    gc.set_threshold(100_000)
    # What Ctrl-C undoes or cleans up, a CI runner's TERM or a closed terminal must not leave lying
    # about. Windows has no SIGHUP, and nohup wants it ignored.
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    _open_closed_streams()
    try:
        from pawsctl.cli.app import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        # Before there was anything to interrupt.
        status = 130
    gc.freeze()
    sys.exit(status)


def _open_closed_streams() -> None:
    """What was closed, as in `<&-` and `>&-`: a file or a socket must not take its number.

    stdin is then empty, nothing can be written to stdout, and what is said on stderr is lost.
    """
    for name, mode, flags in (
        ("stdin", "r", os.O_RDONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))


if __name__ == "__main__":
    main()
