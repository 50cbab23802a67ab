"""A temporary server, removed with all its data after use, or when pawsctl is killed."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from msgspec import Struct

from pawsctl import process_setup
from pawsctl.stack.engine.embedded.server_process import program

# A shell runs the server and cleans up after it: its stdin ends when we end, even if killed.
_KEEPER = """\
folder=$1; shift
"$@" >"$folder/server.log" 2>&1 &
server=$!
cat >/dev/null
kill -9 $server
wait $server
rm -rf "$folder"
"""
# A Unix socket's path may have 103 bytes on macOS.
_LONGEST_FOLDER = 103 - len("/socket")
# Seconds; a server that was killed frees its memory in some milliseconds.
_END = 30


class Throwaway(Struct, frozen=True):
    """A server that will soon answer on a Unix socket, in a folder only this user may enter."""

    socket: Path
    log: Path


@contextmanager
def running() -> Iterator[Throwaway]:
    """Run a server without memory limit, persistence, port or password during the block.

    Raises NoEngine if the embedded server is not installed.
    """
    path = program()
    folder = keeper = None
    try:
        with process_setup.undisturbed():
            folder = _made_folder()
        socket = folder / "socket"
        options = {
            "--port": "0",
            "--unixsocket": str(socket),
            "--dir": str(folder),
            "--save": "",
            "--appendonly": "no",
            "--maxmemory": "0",
        }
        keeper = subprocess.Popen(  # noqa: S603 - our own script and program
            ["/bin/sh", "-c", _KEEPER, "sh", str(folder), str(path)]
            + [word for option in options.items() for word in option],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # No Ctrl-C reaches it.
            start_new_session=True,
        )
        yield Throwaway(socket, folder / "server.log")
    finally:
        if keeper is not None and keeper.stdin is not None:
            keeper.stdin.close()
            keeper.wait(_END)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _made_folder() -> Path:
    """Make a temporary folder whose path leaves room for that of a socket."""
    folder = Path(mkdtemp(prefix="pawsctl-"))
    if len(str(folder)) > _LONGEST_FOLDER:
        folder.rmdir()
        folder = Path(mkdtemp(prefix="pawsctl-", dir="/tmp"))
    return folder
