"""A real bash or zsh on a terminal of its own, in which the Tab key is pressed."""

import os
import pty
import re
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.servers import required

_SECONDS = 60.0
# Escape and * insert all completions. Ctrl-A goes to the beginning of the line.
_ALL, _FIRST = "\x1b*", "\x01"
_START = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["--no-rcs", "-i"],
}
_KEYS = {
    "bash": "PS1='> '; bind 'set enable-bracketed-paste off'",
    "zsh": "PS1='> '; unset zle_bracketed_paste; bindkey -e; "
    "zle -C all-matches complete-word _generic; bindkey '\\e*' all-matches; "
    "zstyle ':completion:all-matches:*' completer _all_matches _complete; "
    "zstyle ':completion:all-matches:*' insert true",
}
_SET_UP = {
    "bash": f"{_KEYS['bash']}; source ./script",
    "zsh": f"autoload -Uz compinit; compinit -u; {_KEYS['zsh']}; source ./script",
}

# Redis is given 50 ms, and a busy machine may take longer to look at it.
_TRIES = 20
Found = TypeVar("Found")


def in_time(look: Callable[[], Found], wanted: Found) -> Found:
    """Return what completion finds; look again if that is not `wanted`, as people press Tab."""
    found = look()
    for _ in range(_TRIES):
        if found == wanted:
            break
        found = look()
    return found


class Shell:
    """A shell that has read the completion script."""

    def __init__(self, name: str, terminal: int) -> None:
        self.name = name
        self._terminal = terminal
        self._seen = ""
        self._count = 0

    def completed(self, line: str) -> str:
        """Type `line`, insert all completions, and return what the line has become."""
        return self.run(f"{line}{_ALL}{_FIRST}")

    def run(self, keys: str) -> str:
        """Press keys, and have the shell print the line that they make; return it."""
        self._count += 1
        mark = f"@{self._count}@"
        self._type(f"{keys}print_ {mark} \n")
        return self._until(rf"^{mark} ?(.*?)\s*$")

    def set_up(self, commands: str) -> None:
        """Run commands that make the shell ready."""
        printing = 'print_() { printf "%s " "$@"; echo; }'
        self._type(f'stty cols 4000; {commands}; {printing}; echo ready-"is"\n')
        self._until("^(ready-is)")

    def start_anew(self) -> None:
        """Replace the shell by one that reads the user's own start-up files."""
        self._type(f"exec {self.name} -i\n")
        self.set_up(_KEYS[self.name])

    def _type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def _until(self, pattern: str) -> str:
        """Return the group of a pattern when it is seen; fail if it is not in time."""
        deadline = time.monotonic() + _SECONDS
        while True:
            if found := re.search(pattern, self._seen, re.MULTILINE):
                self._seen = self._seen[found.end() :]
                return found[1].strip()
            assert time.monotonic() < deadline, f"no {pattern} in {self._seen[-2000:]!r}"
            if select.select([self._terminal], [], [], 1.0)[0]:
                new = os.read(self._terminal, 65_536).decode("utf-8", "replace")
                self._seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", new)


@contextmanager
def running(name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Shell]:
    """Yield a shell in `folder`, in which `script` is the completion script; kill it at the end."""
    path = required(name)
    own = Path(sys.executable).parent
    search = f"{own}{os.pathsep}{environment['PATH']}"
    everything = {**environment, "PATH": search, "TERM": "xterm", "COLUMNS": "4000"}
    child, terminal = pty.fork()
    if not child:
        os.chdir(folder)
        os.execve(path, [name, *_START[name]], everything)  # noqa: S606
    try:
        shell = Shell(name, terminal)
        shell.set_up(_SET_UP[name])
        yield shell
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)
