"""A process that has loaded everything, and forks processes for commands.

Started by `tests.fork_server` with the number of a socket, from which it takes requests. A request
is four handles: the command's three streams, and a socket for the request itself, for the process's
id, and for the exit status.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import sys

from tests.forking import preloaded, process


class Server:
    """Passes each request to an idle process or a new one, and reports how each command ended."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._woken, self._wakeup = socket.socketpair()
        self._woken.setblocking(False)
        self._wakeup.setblocking(False)
        signal.set_wakeup_fd(self._wakeup.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # By process: the channel to it, and what waits for the end of its command.
        self._processes: dict[int, socket.socket] = {}
        self._waiting: dict[int, socket.socket] = {}

    def serve(self) -> socket.socket | None:
        """Serve until the channel is closed. In a new process, return its channel to the server."""
        while True:
            sockets = [self._channel, self._woken, *self._processes.values()]
            ready, _, _ = select.select(sockets, [], [])
            for pid, each in list(self._processes.items()):
                if each in ready:
                    self._hear(pid, each)
            if self._woken in ready:
                self._woken.recv(1 << 10)
                self._reap()
            if self._channel in ready:
                message, handles, _, _ = socket.recv_fds(self._channel, 1, 4)
                if not message:
                    self._close()
                    return None
                if not self._pass_on(handles) and (mine := self._fork(handles)):
                    return mine
                for handle in handles[:3]:
                    os.close(handle)

    def _pass_on(self, handles: list[int]) -> bool:
        """Give a request to an idle process; return whether there is one."""
        for pid in self._processes.keys() - self._waiting.keys():
            with contextlib.suppress(OSError):
                self._give(pid, handles)
                return True
        return False

    def _give(self, pid: int, handles: list[int]) -> None:
        socket.send_fds(self._processes[pid], [b"r"], handles)
        self._waiting[pid] = socket.socket(fileno=handles[3])

    def _fork(self, handles: list[int]) -> socket.socket | None:
        """Give a request to a new process; in that, return its channel."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid:
            theirs.close()
            self._processes[pid] = ours
            self._give(pid, handles)
            return None
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ours.close()
        for handle in handles:
            os.close(handle)
        self._close()
        return theirs

    def _hear(self, pid: int, channel: socket.socket) -> None:
        """Pass on the exit status that a process tells when it is idle again."""
        if status := channel.recv(16):
            self._report(pid, status)
        else:
            self._processes.pop(pid).close()

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid in self._waiting:
                    self._report(pid, b"%d\n" % os.waitstatus_to_exitcode(status))
                if pid in self._processes:
                    self._processes.pop(pid).close()

    def _report(self, pid: int, status: bytes) -> None:
        with self._waiting.pop(pid) as report, contextlib.suppress(OSError):
            report.sendall(status)

    def _close(self) -> None:
        sockets = (self._channel, self._woken, self._wakeup)
        for each in (*sockets, *self._processes.values(), *self._waiting.values()):
            each.close()


def _main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    preloaded.load()
    process.prepare()
    # Else a command's garbage collection would copy every memory page that it touches.
    gc.freeze()
    if channel := Server(socket.socket(fileno=int(sys.argv[1]))).serve():
        process.run_commands(channel)


if __name__ == "__main__":
    _main()
