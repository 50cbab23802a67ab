"""Run pawsctl step by step, to look at what it has done so far, or to kill or interrupt it there.

The steps are those that change something, each divided where a kill can divide it: before a file is
opened to be written, made, renamed or removed; before, within and after a direct write; before and
after a sync; before another process is sent a signal; and before, within and after commands for
Redis that do not only read.
"""

import gc
import os
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import hiredis

from pawsctl import process_setup
from pawsctl.cli.app import run
from pawsctl.connection import read_list
from pawsctl.connection.commands import Command
from pawsctl.connection.node import Node
from tests.cli_runner import Pawsctl
from tests.forking import preloaded

T = TypeVar("T")

_CHANGES = (
    *("os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.symlink"),
    *("os.truncate", "os.kill", "subprocess.Popen"),
)
_MOST_SECONDS = 120
_FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def load() -> None:
    """Import everything, so that commands in forks import nothing."""
    preloaded.load()


def looks(pawsctl: Pawsctl, words: Sequence[str], look: Callable[[], T]) -> Iterator[T]:
    """Run a command to its end, and yield what `look` returns at each step.

    What is changed by the command and looked at must not change otherwise.
    """
    ours, theirs = socket.socketpair()
    with ours:
        child = _forked(pawsctl, words, _asking(theirs))
        theirs.close()
        while ours.recv(1):
            yield look()
            ours.send(b".")
        _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, (words, _log(pawsctl).read_text())


def kill_at(number: int, pawsctl: Pawsctl, words: Sequence[str]) -> None:
    """Run a command that SIGKILL ends at the step of this number, counted from 0."""
    _, status = os.waitpid(_forked(pawsctl, words, _at(number, signal.SIGKILL)), 0)
    ended = os.waitstatus_to_exitcode(status)
    assert ended == -signal.SIGKILL, (words, number, ended, _log(pawsctl).read_text())


def interrupt_at(
    number: int, pawsctl: Pawsctl, words: Sequence[str], sent: signal.Signals
) -> tuple[int, str]:
    """Send a command a signal at the step of this number; return its status, and what it says."""
    child = _forked(pawsctl, words, _at(number, sent), interrupt=process_setup.Interrupt())
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), _log(pawsctl).read_text()


def _asking(channel: socket.socket) -> Callable[[], None]:
    def step() -> None:
        channel.send(b".")
        channel.recv(1)

    return step


def _at(number: int, sent: signal.Signals) -> Callable[[], None]:
    left = number

    def step() -> None:
        nonlocal left
        left -= 1
        if left == -1:
            signal.raise_signal(sent)

    return step


def _log(pawsctl: Pawsctl) -> Path:
    return pawsctl.folder.with_name(f"{pawsctl.folder.name}.stepwise.log")


def _forked(
    pawsctl: Pawsctl,
    words: Sequence[str],
    step: Callable[[], None],
    *,
    interrupt: process_setup.Interrupt | None = None,
) -> int:
    with warnings.catch_warnings():
        # Newer Pythons warn where there are threads; those of pytest hold no lock that matters.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    try:
        _become(pawsctl, words, step, interrupt)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(99)


def _become(
    pawsctl: Pawsctl,
    words: Sequence[str],
    step: Callable[[], None],
    interrupt: process_setup.Interrupt | None,
) -> NoReturn:
    # A deadline for a test that would wait for it for ever.
    signal.alarm(_MOST_SECONDS)
    # A collection would copy every memory page that it touches.
    gc.disable()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(_log(pawsctl), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(each, mode) for each, mode in enumerate("rww"))
    os.chdir(pawsctl.folder)
    os.environ.clear()
    os.environ.update(pawsctl.environment)
    if interrupt is not None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)
        process_setup.prepare(interrupt)
    _watch(str(pawsctl.folder), step)
    try:
        status = run(list(words))
    except KeyboardInterrupt:
        status = process_setup.INTERRUPTED
    if interrupt is not None:
        status = interrupt.status(status)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _watch(folder: str, step: Callable[[], None]) -> None:
    """Call `step` at each step of this process, below a folder or on the way to Redis."""

    def look(event: str, found: tuple[Any, ...]) -> None:
        is_opened = event == "open" and found[2] & _FOR_WRITING and folder in str(found[0])
        if is_opened or event in _CHANGES:
            step()

    def write(descriptor: int, data: bytes) -> int:
        step()
        done = real_write(descriptor, data[: len(data) // 2])
        step()
        return done + real_write(descriptor, data[len(data) // 2 :])

    def fsync(descriptor: int) -> None:
        step()
        real_fsync(descriptor)
        step()

    def send(node: Node, commands: Sequence[Command]) -> None:
        if all(map(read_list.only_reads, commands)):
            real_send(node, commands)
            return
        # Its stub forgets that a command may have several parts.
        packed = b"".join(hiredis.pack_command(tuple(each)) for each in commands)  # type: ignore[arg-type]
        step()
        for part in (packed[: len(packed) // 2], packed[len(packed) // 2 :]):
            node._socket.send_packed_command([part])
            step()

    real_write, real_fsync, real_send = os.write, os.fsync, Node._send
    for owner, name, function in (
        (os, "write", write),
        (os, "fsync", fsync),
        (Node, "_send", send),
    ):
        setattr(owner, name, function)
    sys.addaudithook(look)
