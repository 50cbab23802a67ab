"""What this process makes of its signals and its standard streams, before anything else."""

import os
import signal
import sys


def prepare() -> None:
    """Have every end that can be helped be a KeyboardInterrupt, and every standard stream open."""
    # What Ctrl-C undoes or cleans up, a CI runner's TERM or a closed terminal must not leave lying
    # about. Windows has no SIGHUP, and nohup wants it ignored.
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
    sys.unraisablehook = _interrupt_again
    _open_closed_streams()


def _interrupt_again(ignored: "sys.UnraisableHookArgs") -> None:
    """A Ctrl-C that came where Python ignores exceptions is not lost, but comes once more.

    Such places are destructors, and the callbacks with which an import lets go of its lock.
    """
    if ignored.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(ignored)
        return
    import threading

    # A moment later: here it would be ignored again.
    threading.Timer(0.001, _interrupt_main).start()


def _interrupt_main() -> None:
    import _thread
    import threading

    main = threading.main_thread().ident
    if sys.platform == "win32" or main is None:
        _thread.interrupt_main()
    else:
        # This one also ends a system call in which it waits.
        signal.pthread_kill(main, signal.SIGINT)


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
