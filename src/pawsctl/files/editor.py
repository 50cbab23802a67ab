"""Run the user's editor on a private copy of some text."""

import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.files import state_dir

_USUAL = ("sensible-editor", "nano", "vi")
_FOLDER = re.compile(r"\.editing-(\d+)-[0-9a-f]{16}")


def program(environ: Mapping[str, str]) -> list[str]:
    """Return the editor's words: $VISUAL, else $EDITOR, else one for the terminal.

    Raises UsageError if there is none, or if the variable can't be read.
    """
    for name in ("VISUAL", "EDITOR"):
        if not (value := environ.get(name, "").strip()):
            continue
        try:
            words = shlex.split(value)
        except ValueError as error:
            raise UsageError(
                f"{name} can't be read: {error}.", hint="Set it like EDITOR='code --wait'."
            ) from error
        if words and shutil.which(words[0], path=environ.get("PATH")):
            return words
        raise UsageError(
            f"{name} names '{value}', and there is no such program.",
            hint="Set it like EDITOR=nano or EDITOR='code --wait'.",
        )
    for name in _USUAL if sys.stdin.isatty() else ():
        if shutil.which(name, path=environ.get("PATH")):
            return [name]
    raise UsageError(
        "No editor is set, and there is none for a terminal here.",
        hint="Set EDITOR, like EDITOR=nano.",
    )


class Draft:
    """A private file (0600) for an editor; it is removed at the end of `drafted`."""

    def __init__(self, path: Path, words: Sequence[str]) -> None:
        self._path, self._words = path, words

    def edit(self, text: bytes) -> bytes:
        """Have the user edit a text; return what was saved.

        Raises OperationFailed if the text can't be written, or the editor fails or leaves no file.
        """
        try:
            self._path.write_bytes(text)
        except OSError as error:
            raise OperationFailed(
                f"The draft can't be written in {self._path.parent.parent}: {error.strerror}; "
                "nothing was changed.",
                hint="Make room, or set XDG_STATE_HOME to a disk that has some.",
            ) from error
        # A person at a terminal sees the editor even if the result goes to a file.
        shown = None if sys.stdout.isatty() else sys.stderr
        status = _Run().status([*self._words, str(self._path)], shown)
        if status:
            how = f"signal {-status}" if status < 0 else f"{status}"
            raise OperationFailed(
                f"The editor {self._words[0]} ended with {how}; nothing was changed.",
                hint="VISUAL and EDITOR name the editor.",
            )
        try:
            return self._path.read_bytes()
        except OSError as error:
            raise OperationFailed(
                f"The editor left no text: {error.strerror}; nothing was changed.",
                hint="Save it under the name with which the editor was started.",
            ) from error


@contextmanager
def drafted(folder: Path, name: str, words: Sequence[str]) -> Iterator[Draft]:
    """Yield a draft of that file name in a new folder of this process, below `folder`.

    Drafts that killed processes have left there are removed first.
    """
    state_dir.made(folder)
    _sweep(folder)
    place = folder / f".editing-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        with state_dir.usable(place):
            place.mkdir(mode=0o700)
            path = place / name
            path.touch(mode=0o600)
        yield Draft(path, words)
    finally:
        # Swap files and backups of the editor are in it too.
        shutil.rmtree(place, ignore_errors=True)


def drafts(folder: Path) -> list[tuple[Path, bool]]:
    """Return the folder of each draft below `folder`, and whether its process is alive.

    Raises OSError if they can't be listed.
    """
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [
        (each, _is_alive(int(told[1]))) for each in found if (told := _FOLDER.fullmatch(each.name))
    ]


def _sweep(folder: Path) -> None:
    with suppress(OSError):
        for each, is_open in drafts(folder):
            if not is_open:
                shutil.rmtree(each, ignore_errors=True)


def _is_alive(process: int) -> bool:
    # Saves 20 ms for commands that edit nothing.
    import psutil

    return psutil.pid_exists(process)


class _Run:
    """A run of the editor, to which signals are passed on.

    Ctrl-C reaches it by the terminal, and may mean something else to it. Others end it, and then
    this process: at any moment, also while it is being started.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = 0

    def status(self, words: Sequence[str], shown: IO[str] | None) -> int:
        """Run the editor and return its exit status; -15 if SIGTERM has ended it."""
        before = {number: signal.signal(number, self._handle) for number in _signals()}
        try:
            with subprocess.Popen(words, stdout=shown) as self._process:  # noqa: S603
                self._end_if_asked()
                status = self._process.wait()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._asked:
            signal.raise_signal(self._asked)
        return status

    def _handle(self, number: int, _frame: object) -> None:
        if number != signal.SIGINT:
            self._asked = number
            self._end_if_asked()

    def _end_if_asked(self) -> None:
        if self._asked and self._process is not None:
            self._process.terminate()


def _signals() -> list[signal.Signals]:
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    found = [getattr(signal, name) for name in names if hasattr(signal, name)]
    return [each for each in found if signal.getsignal(each) not in (signal.SIG_IGN, None)]
