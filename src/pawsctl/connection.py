"""A Redis URL made a connection: redis-py's sockets, this project's errors.

A `Node` is one server on one socket. Its commands go out in batches (`send`, then `receive`), so
that a caller can ask for the next batch before it works on the last. All values are bytes: one
value that is not UTF-8 must not end a scan.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from pawsctl.errors import LoginRefused, OperationFailed, PawsctlError, RedisUnreachable
from pawsctl.target import Address, Target

if TYPE_CHECKING:
    from redis.connection import AbstractConnection

Command = Sequence[bytes | str | int]

# What every connection tells and asks of the server before its first command. A server that does
# not know it, or does not allow it, is served all the same.
_GREETING: tuple[Command, ...] = (
    ("CLIENT", "SETNAME", "pawsctl"),
    # Reading a key for inspection must not make it look used: eviction goes by that.
    ("CLIENT", "NO-TOUCH", "ON"),
)


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds to wait for a connection, and for each reply."""

    connect: float = 2.0
    reply: float = 5.0


class ErrorReply(Exception):
    """Redis's own error in answer to one command, as in `-NOPERM this user has no permissions`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}".strip())
        self.code = code


class Node:
    """One Redis server behind one socket."""

    def __init__(self, target: Target, address: Address | None, timeouts: Timeouts) -> None:
        self.target = target
        self.address = address
        self._socket = _socket(target, address, timeouts)
        self._unread = 0
        # Seconds of the slowest round trip since a caller last set this to 0.
        self.slowest = 0.0

    def __str__(self) -> str:
        return str(self.address or self.target.path)

    def connect(self) -> None:
        """Connect and log in; `send` does so by itself. Raises RedisUnreachable, LoginRefused."""
        if not self._socket.is_connected:
            with self._told():
                self._socket.connect()
                self._send(_GREETING)
            self._unread = len(_GREETING)

    def send(self, commands: Sequence[Command]) -> None:
        """Send commands whose replies `receive` will read in the same order."""
        self.connect()
        with self._told():
            self._send(commands)

    def receive(self, count: int) -> list[Any]:
        """The next `count` replies; an error reply stands in the list as an ErrorReply."""
        with self._told():
            while self._unread:
                self._unread -= 1
                self._reply()
            return [self._reply() for _ in range(count)]

    def pipeline(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands and read their replies, in one round trip."""
        begun = time.perf_counter()
        self.send(commands)
        replies = self.receive(len(commands))
        self.slowest = max(self.slowest, time.perf_counter() - begun)
        return replies

    def call(self, *command: bytes | str | int) -> Any:
        """Send one command and return its reply. Raises OperationFailed for an error reply."""
        return checked(self.pipeline([command])[0])

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.disconnect()

    def _send(self, commands: Sequence[Command]) -> None:
        self._socket.send_packed_command(self._socket.pack_commands(commands))

    def _reply(self) -> Any:
        from redis.exceptions import ResponseError

        try:
            return self._socket.read_response()
        except ResponseError as error:
            return _error_reply(error)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The SDK's exceptions as ours."""
        import redis

        try:
            yield
        except (redis.RedisError, OSError) as error:
            self._socket.disconnect()
            raise self._explained(error) from error
        except BaseException:
            # Replies may be under way: on this socket the next command would read them as its own.
            self._socket.disconnect()
            raise

    def _explained(self, error: Exception) -> PawsctlError:
        import redis

        where = self.target.url
        if isinstance(error, redis.AuthenticationError):
            what = "asks for a password" if not self.target.password else "refuses the login"
            return LoginRefused(
                f"Redis at {where} {what}.",
                hint="Check the user and password in REDIS_URL, REDIS_PASSWORD or REDISCLI_AUTH "
                "('pawsctl config' shows which are set).",
            )
        if isinstance(error, redis.BusyLoadingError):
            return OperationFailed(
                f"Redis at {where} is still loading its data.", hint="Try again in a moment."
            )
        if isinstance(error, redis.ResponseError):
            return refused(_error_reply(error))
        start = "Start it with 'pawsctl redis up'" if self.target.is_local else "Check the address"
        return RedisUnreachable(
            f"Redis at {where} can't be reached: {_reason(error)}.",
            hint=f"{start}, or name another with --url or REDIS_URL "
            f"(this one is from {self.target.origin}).",
        )


def checked(reply: Any) -> Any:
    """A reply that is no error. Raises OperationFailed for one that is."""
    if isinstance(reply, ErrorReply):
        raise refused(reply) from reply
    return reply


def refused(reply: ErrorReply) -> OperationFailed:
    """Redis's refusal of a command as a failure with a next step."""
    hints = {
        "NOPERM": "Ask for the permission, or use another user in the URL.",
        "OOM": "Redis has reached maxmemory: free some, or raise it.",
        "READONLY": "This is a replica: use the primary's address.",
        "LOADING": "Try again in a moment.",
        "MISCONF": "Redis can't save to disk: see its log ('pawsctl redis logs').",
        "MOVED": "This is a node of a cluster: use redis+cluster://.",
    }
    return OperationFailed(
        f"Redis refused: {reply}.", hint=hints.get(reply.code, "See Redis's log for more.")
    )


def _error_reply(error: Exception) -> ErrorReply:
    """redis-py cuts the code off the replies whose class tells it; here it is put back."""
    import redis

    codes: dict[type[Exception], str] = {
        redis.exceptions.NoPermissionError: "NOPERM",
        redis.exceptions.OutOfMemoryError: "OOM",
        redis.exceptions.ReadOnlyError: "READONLY",
        redis.exceptions.MovedError: "MOVED",
        redis.exceptions.AskError: "ASK",
        redis.exceptions.TryAgainError: "TRYAGAIN",
        redis.exceptions.ClusterCrossSlotError: "CROSSSLOT",
        redis.exceptions.ClusterDownError: "CLUSTERDOWN",
        redis.exceptions.MasterDownError: "MASTERDOWN",
        redis.exceptions.NoScriptError: "NOSCRIPT",
        redis.exceptions.ExecAbortError: "EXECABORT",
    }
    text = str(error)
    code = codes.get(type(error))
    if code is not None:
        return ErrorReply(code, text)
    first, _, rest = text.partition(" ")
    return ErrorReply(first, rest) if first.isupper() else ErrorReply("ERR", text)


def _reason(error: Exception) -> str:
    """Why a connection failed, in a few words; redis-py's own carry the address again."""
    import ssl

    import redis

    root: BaseException | None = error
    while root is not None:
        if isinstance(root, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({root.verify_message})"
        if isinstance(root, ssl.SSLError):
            return f"TLS failed ({root.reason or 'no TLS there'})"
        if isinstance(root, OSError) and root.errno == errno.ECONNREFUSED:
            return "the connection was refused"
        root = root.__cause__ or root.__context__
    if isinstance(error, redis.TimeoutError | TimeoutError):
        return "it did not answer in time"
    text = str(error).rstrip(".")
    return text if len(text) < 200 else text[:200] + "…"


def _socket(target: Target, address: Address | None, timeouts: Timeouts) -> AbstractConnection:
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
    if address is None:
        # redis-py leaves `host` abstract in this class and never reads it.
        return UnixDomainSocketConnection(path=target.path, **common)  # type: ignore[abstract]
    common |= {"host": address.host, "port": address.port, "socket_keepalive": True}
    if target.tls is None:
        return Connection(**common)
    return SSLConnection(
        ssl_ca_certs=target.tls.ca_certs,
        ssl_certfile=target.tls.certfile,
        ssl_keyfile=target.tls.keyfile,
        ssl_check_hostname=target.tls.check_hostname,
        **common,
    )


def connect(target: Target, timeouts: Timeouts | None = None) -> Node:
    """A node for a standalone target, not yet connected."""
    address = target.addresses[0] if target.addresses else None
    return Node(target, address, timeouts or Timeouts())
