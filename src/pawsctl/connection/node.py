"""One Redis server behind one socket of redis-py.

Commands go out in batches (`send`, then `receive`), so that a caller can ask for the next batch
before it works on the last. All values are bytes: one value that is not UTF-8 must not end a scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from pawsctl.connection.commands import Command
from pawsctl.connection.failures import explained
from pawsctl.connection.replies import checked, error_reply
from pawsctl.errors import UsageError
from pawsctl.target import Target, Tls

if TYPE_CHECKING:
    from redis.connection import AbstractConnection

Notice = Callable[[str], None]
"""Takes a sentence that the user should hear and that is no failure."""

# What every connection tells the server before its first command, and what is asked of one that may
# turn out to be a cluster's. A server that does not know it, or forbids it, is served all the same.
_GREETING: tuple[Command, ...] = (
    ("CLIENT", "SETNAME", "pawsctl"),
    # Reading a key for inspection must not make it look used: eviction goes by that.
    ("CLIENT", "NO-TOUCH", "ON"),
)
ASK_FOR_CLUSTER: Command = ("INFO", "cluster")


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds to wait for a connection, for each reply, and for a failover to be over."""

    connect: float = 2.0
    reply: float = 5.0
    failover: float = 15.0

    def at_most(self, seconds: float) -> Timeouts:
        """The same, with a connection and a reply worth no more than `seconds` of waiting."""
        return Timeouts(min(self.connect, seconds), min(self.reply, seconds), self.failover)


class Node:
    """One Redis server behind one socket; `target` is standalone, and names this very server."""

    def __init__(
        self,
        target: Target,
        timeouts: Timeouts,
        notice: Notice,
        *,
        greeting: Sequence[Command] = (),
        program: str = "Redis",
    ) -> None:
        self.target = target
        self.program = program
        self._timeouts = timeouts
        self._notice = notice
        self._greeting = (*_GREETING, *greeting)
        self._socket = _socket(target, timeouts)
        self._unread = 0
        # Since it was last connected.
        self.has_answered = False
        # What the server says of itself in answer to ASK_FOR_CLUSTER, or by a MOVED.
        self.is_cluster = False

    def __str__(self) -> str:
        return str(self.target.addresses[0] if self.target.addresses else self.target.path)

    def connect(self) -> None:
        """Connect and log in, again where the server has cut the connection while it was idle.

        Nothing may be under way. `send` connects by itself, and `pipeline` renews too. Raises
        RedisUnreachable, LoginRefused.
        """
        if self._was_cut():
            self._socket.disconnect()
        if not self._socket.is_connected:
            self._open()

    def _open(self) -> None:
        self.has_answered = False
        with self._told():
            self._log_in()
            self._send(self._greeting)
        self._unread = len(self._greeting)

    def _log_in(self) -> None:
        import redis

        try:
            self._socket.connect()
        except redis.AuthenticationError as error:
            # A server without a password: anyone may come in, as redis-cli does.
            if "without any password" not in str(error) and "no password is set" not in str(error):
                raise
            self._notice(f"{self.program} at {self.target.url} asks for no password; none is used.")
            self._socket = _socket(self.target.with_login(None, None), self._timeouts)
            self._socket.connect()

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands whose replies `receive` will read in the same order."""
        if not self._socket.is_connected:
            self._open()
        with self._told():
            self._send(commands)

    def receive(self, count: int) -> list[Any]:
        """The next `count` replies; an error reply stands in the list as an ErrorReply."""
        with self._told():
            while self._unread:
                self._unread -= 1
                reply = self._reply()
                if isinstance(reply, bytes) and b"cluster_enabled:1" in reply:
                    self.is_cluster = True
            return [self._reply() for _ in range(count)]

    def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands and read their replies, in one round trip."""
        self.connect()
        self.send(commands)
        return self.receive(len(commands))

    def call(self, *command: bytes | str | int) -> Any:
        """Send one command and return its reply. Raises OperationFailed for an error reply."""
        return checked(self.pipeline([command])[0])

    def _was_cut(self) -> bool:
        import redis

        if not self._socket.is_connected or self._unread:
            return False
        try:
            # Nothing was asked: what can be read is the end, or the server's word on why.
            return bool(self._socket.can_read(0))
        except (redis.RedisError, OSError):
            return True

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.disconnect()

    def _send(self, commands: Sequence[Command]) -> None:
        import hiredis

        # redis-py's own packing looks at each argument in Python: half a microsecond for a key.
        # Its stub forgets that a command may have several parts.
        packed = [hiredis.pack_command(tuple(each)) for each in commands]  # type: ignore[arg-type]
        self._socket.send_packed_command([b"".join(packed)])

    def _reply(self) -> Any:
        import redis

        try:
            # The socket is closed by _told, and not where redis-py raises a reply as a failure.
            reply = self._socket.read_response(disconnect_on_error=False)
        except (redis.ResponseError, redis.exceptions.BusyLoadingError) as error:
            reply = error_reply(error)
            if reply.code == "MOVED":
                self.is_cluster = True
        self.has_answered = True
        return reply

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The SDK's exceptions as ours."""
        import redis

        try:
            yield
        except (redis.RedisError, OSError) as error:
            self._socket.disconnect()
            raise explained(
                error, self.target, program=self.program, was_connected=self.has_answered
            ) from error
        except BaseException:
            # Replies may be under way: on this socket the next command would read them as its own.
            self._socket.disconnect()
            raise


def _socket(target: Target, timeouts: Timeouts) -> AbstractConnection:
    # 0.1 s: only a command that talks to Redis pays for it.
    from redis.backoff import NoBackoff
    from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection
    from redis.retry import Retry

    common: dict[str, Any] = {
        "db": target.db,
        "username": target.username,
        "password": target.password,
        "socket_timeout": timeouts.reply,
        "socket_connect_timeout": timeouts.connect,
        "retry": Retry(NoBackoff(), 0),
        # RESP2 needs no HELLO, which servers before 6.0 and some proxies don't know.
        "protocol": 2,
        "driver_info": None,
        "socket_read_size": 1 << 20,
    }
    if target.path is not None:
        # redis-py leaves `host` abstract in this class and never reads it.
        return UnixDomainSocketConnection(path=target.path, **common)  # type: ignore[abstract]
    address = target.addresses[0]
    common |= {"host": address.host, "port": address.port, "socket_keepalive": True}
    if target.tls is None:
        return Connection(**common)
    _require_files(target.tls)
    return SSLConnection(
        ssl_ca_certs=target.tls.ca_certs,
        ssl_certfile=target.tls.certfile,
        ssl_keyfile=target.tls.keyfile,
        ssl_check_hostname=target.tls.check_hostname,
        ssl_cert_reqs="required" if target.tls.verify else "none",
        **common,
    )


def _require_files(tls: Tls) -> None:
    """Raises UsageError for PEM files that can't be used: the server is not to blame."""
    import ssl

    if tls.keyfile is not None and tls.certfile is None:
        raise UsageError(
            "ssl_keyfile in the URL is of no use without ssl_certfile.", hint="Name both."
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    given = "ssl_ca_certs"
    try:
        if tls.ca_certs is not None:
            context.load_verify_locations(tls.ca_certs)
        if tls.certfile is not None:
            given = "ssl_certfile and ssl_keyfile" if tls.keyfile else "ssl_certfile"
            context.load_cert_chain(tls.certfile, tls.keyfile)
    except OSError as error:
        reason = getattr(error, "reason", None) or error.strerror
        raise UsageError(
            f"What {given} in the URL names can't be used: {reason}.",
            hint="Give PEM files that belong together, with paths that are absolute or from the "
            "working directory.",
        ) from error
