"""A process that runs commands of pawsctl, one after the other.

Most of a short command's processor time is its start: the imports, and after a fork the copy of
each memory page that it touches. So a process that has run a command runs another, unless the
command left behind what the end of its process would clear away. Then it ends as Python would.
"""

import _thread
import atexit
import contextlib
import faulthandler
import functools
import json
import logging
import os
import re
import runpy
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.request
import weakref
from io import BufferedReader, BufferedWriter, FileIO, TextIOWrapper
from types import FunctionType, ModuleType
from typing import Any

from tests.forking.preloaded import own_modules
from tests.running_command import TELL_WHERE

# A process ends after so many commands, lest it grow. Coverage is written when a process ends, so
# each ends after one command if coverage is measured.
_COMMANDS = 1 if any(name.startswith("COVERAGE_") for name in os.environ) else 100
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGCHLD)


def prepare() -> None:
    """Do once, in the process that is to be forked, what each process would do and keep."""
    _variables()
    faulthandler.register(TELL_WHERE, all_threads=True)
    # The first finalizer has Python call all of them at its end.
    weakref.finalize(prepare, prepare).detach()


def run_commands(channel: socket.socket) -> None:
    """Run commands until the server is gone, or one leaves anything behind; then end as it did."""
    streams: tuple[Any, ...] = (sys.stdin, sys.stdout, sys.stderr)
    clean: object = None
    for number in range(1, _COMMANDS + 1):
        message, handles, _, _ = socket.recv_fds(channel, 1, 4)
        if not message:
            os._exit(0)
        _become(handles, streams)
        clean = clean or _state()
        try:
            runpy.run_module("pawsctl", run_name="__main__", alter_sys=True)
        except SystemExit as done:
            if number == _COMMANDS or not _is_reusable(done.code, clean):
                _end(done.code)
                raise
            channel.sendall(f"{done.code or 0}\n".encode())


def _become(handles: list[int], originals: tuple[Any, ...]) -> None:
    """Apply a request's streams, folder, environment and arguments."""
    for stream, handle in enumerate(handles[:3]):
        os.dup2(handle, stream)
        os.close(handle)
    sys.stdin, sys.stdout, sys.stderr = map(_opened, range(3), originals)
    with socket.socket(fileno=handles[3]) as report, report.makefile("rb") as lines:
        report.sendall(b"%d\n" % os.getpid())
        request = json.loads(lines.readline())
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path[0] = request["folder"]
    sys.argv[1:] = request["arguments"]
    # Values of the environment that Python keeps.
    time.tzset()
    tempfile.tempdir = None
    urllib.request.install_opener(None)


def _opened(number: int, original: Any) -> TextIOWrapper:
    """Open a standard stream as Python opened the original."""
    raw = FileIO(number, "wb" if number else "rb", closefd=False)
    raw.name = original.name
    return TextIOWrapper(
        BufferedWriter(raw) if number else BufferedReader(raw),
        encoding=original.encoding,
        errors=original.errors,
        newline="\n" if number else None,
        line_buffering=original.line_buffering,
        write_through=original.write_through,
    )


def _is_reusable(code: object, clean: object) -> bool:
    """Let go of the streams and the folder; return whether the process is clean."""
    _finalize()
    if not isinstance(code, int | None) or _state() != clean:
        return False
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.close(nothing)
    os.chdir("/")
    return True


def _finalize() -> None:
    """Let what is to be finalized at the end of a process be so, such as pools of connections."""
    for each in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        each()


def _state() -> object:
    """Return what a command may leave behind, in a form that can be compared."""
    sys.unraisablehook = sys.__unraisablehook__
    if signal.getsignal(signal.SIGINT) in (signal.SIG_DFL, signal.SIG_IGN):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    umask = os.umask(0)
    os.umask(umask)
    return (
        sorted(os.listdir("/dev/fd")),  # noqa: PTH208 - a third of the time
        *(_thread._count(), _has_children(), umask, socket.getdefaulttimeout()),
        [signal.getsignal(each) for each in _SIGNALS],
        signal.getitimer(signal.ITIMER_REAL),
        atexit._ncallbacks(),
        len(weakref.finalize._registry),  # type: ignore[attr-defined]
        _logging(),
        [_value(module.get(key)) for module, key in _variables()],
    )


def _has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _logging() -> list[object]:
    """Return how loggers are set."""
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    return [(each.level, *each.handlers) for each in loggers if isinstance(each, logging.Logger)]


@functools.cache
def _variables() -> list[tuple[dict[str, Any], str]]:
    """Return the variables of pawsctl's modules that may be another object some time."""
    fixed = (type, FunctionType, ModuleType, re.Pattern)
    return [
        (vars(sys.modules[name]), key)
        for name in own_modules()
        for key, value in vars(sys.modules[name]).items()
        if key[:2] != "__" and not isinstance(value, fixed)
    ]


def _value(found: object) -> object:
    """Return an object's identity, and the size of one that can grow."""
    return id(found), len(found) if isinstance(found, dict | list | set) else 0


def _end(status: object) -> None:
    """End this process as Python would, but leave its memory to the system.

    Python frees every object, for which each page shared with the server would be copied first:
    half of a short command's processor time. Returns if the streams can't be flushed.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else bool(status))
