"""Read a snapshot that lies in a server's folder without an append-only file beside it.

As a backup is put back by hand. A server with an append-only file reads nothing else: it would
start empty, and its next snapshot would replace the one that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from pawsctl import sizes
from pawsctl.connection import info_reply, probe
from pawsctl.errors import Conflict, OperationFailed
from pawsctl.files.state_dir import usable
from pawsctl.stack.engine import append_only, append_only_files
from pawsctl.stack.engine.embedded.server_process import ServerProcess
from pawsctl.stack.events import Emit, TakenOver, TakingOver

_FILE = "dump.rdb"
# All of it is loaded, whatever the limit, and nothing overwrites it.
_OPTIONS = ("--appendonly", "no", "--save", "", "--maxmemory", "0")
_TAIL_LINES = 15


class Snapshot:
    """A snapshot that may be in the folder of a server that does not run.

    `service` is the server's name. `wait` returns when it answers; by then it has loaded all.
    """

    def __init__(
        self, server: ServerProcess, service: str, emit: Emit, wait: Callable[[], None]
    ) -> None:
        self._server = server
        self._service = service
        self._emit = emit
        self._wait = wait
        self._path = server.data / _FILE

    def is_unread(self) -> bool:
        """Whether there is one, and the server would not read it. Raises OperationFailed."""
        data = self._server.data
        read = append_only_files.begins(append_only_files.FOLDER, append_only_files.FILE)
        with usable(data):
            return self._path.exists() and not any((data / each).exists() for each in read)

    def load(self, arguments: Sequence[str], port: int, password: str | None) -> None:
        """Write it into the append-only file that a server with these arguments reads.

        Runs one on `port`, and shuts it down. Raises Conflict if the snapshot can't be read or
        written, or is larger than the memory limit, and TimedOut.
        """
        self._emit(TakingOver(self._service, f"in a snapshot in {self._server.data}"))
        begin = self._server.log_size()
        self._server.launch((*arguments, *_OPTIONS), port)
        try:
            self._wait()
            info = probe.info(port, password)
            self._check_room(info, sizes.in_bytes(_option(arguments, "--maxmemory")))
            append_only.complete(port, password)
        except (append_only.NotWritten, probe.Refused, OSError) as error:
            raise Conflict(
                f"The snapshot {self._path} can't be written anew: {error}. It is left as it is.",
                hint="Make room where it is, or remove what is in the way, and run this again.",
                detail=self._server.log_from(begin)[-_TAIL_LINES:],
            ) from error
        except OperationFailed as error:
            raise Conflict(
                f"The snapshot {self._path} can't be read. It is left as it is.",
                hint="A Redis or a newer Valkey may have written it: import it from a server that "
                "reads it, see 'pawsctl session copy', and move the file away.",
                detail=self._server.log_from(begin)[-_TAIL_LINES:],
            ) from error
        self._server.shut_down()
        keys = info_reply.databases(info)
        self._emit(TakenOver(self._service, sum(total for total, _ in keys.values()), len(keys)))

    def _check_room(self, info: dict[str, str], limit: int) -> None:
        used = int(info.get("used_memory_dataset", "0"))
        if 0 < limit < used:
            raise Conflict(
                f"The snapshot {self._path} needs {used} bytes, and REDIS_MAXMEMORY allows {limit}."
                " It is left as it is.",
                hint=f"Set REDIS_MAXMEMORY to {2 * used >> 20}mb or more, and run this again.",
            )


def _option(arguments: Sequence[str], name: str) -> str:
    """Return the value of an option; `0` if it is not given."""
    pairs = dict(pairwise(arguments))
    return pairs.get(name, "0")
