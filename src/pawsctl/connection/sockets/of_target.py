"""redis-py's sockets for a target, each reply held to its deadline."""

from __future__ import annotations

from typing import Any

from pawsctl.config.target import Address, Target
from pawsctl.connection.last_words import LastWords
from pawsctl.connection.sockets.timed_socket import TimedSocket
from pawsctl.deadline import Deadline


def socket_of(
    target: Target, seconds: tuple[float, float], *, deadline: Deadline, words: LastWords
) -> Any:
    """Return redis-py's connection to a target, not connected yet.

    `seconds` are the timeouts of connecting and of a reply. `words` keeps the server's last
    message. Raises UsageError for TLS files that can't be used.
    """
    # Only a command that talks to Redis pays for it.
    from pawsctl.connection.sockets.sdk import backoff, connection, retry

    def timed(kind: Any) -> Any:
        # redis-py leaves its constructors untyped.
        class Timed(kind):  # type: ignore[misc]
            def _connect(self) -> Any:
                return TimedSocket(super()._connect(), deadline, words)

        return Timed

    common: dict[str, Any] = {
        # As text, since hiredis must not be given a number, see `without_numbers`.
        "db": target.db and str(target.db),
        "username": target.username,
        "password": target.password,
        "socket_timeout": seconds[1],
        "socket_connect_timeout": seconds[0],
        "retry": retry.Retry(backoff.NoBackoff(), 0),
        # RESP2 needs no HELLO, which servers before 6.0 and some proxies don't know.
        "protocol": 2,
        "driver_info": None,
        "socket_read_size": 1 << 20,
    }
    if target.path is not None:
        return timed(connection.UnixDomainSocketConnection)(path=target.path, **common)
    address = target.addresses[0]
    common |= {"host": address.host, "port": address.port, "socket_keepalive": True}
    if target.tls is None:
        return timed(connection.Connection)(**common)
    # It takes ssl, which a connection without TLS does not need.
    from pawsctl.connection.sockets import pem_files

    pem_files.require(target.tls)
    return timed(connection.SSLConnection)(
        ssl_ca_certs=target.tls.ca_certs,
        ssl_certfile=target.tls.certfile,
        ssl_keyfile=target.tls.keyfile,
        ssl_check_hostname=target.tls.check_hostname,
        ssl_cert_reqs="required" if target.tls.verify else "none",
        **common,
    )


def speaks_tls(address: Address, timeout: float) -> bool:
    """Return whether a server answers a TLS handshake, whatever the certificates say.

    `timeout` is in seconds.
    """
    import socket
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((address.host, address.port), timeout) as plain,
            context.wrap_socket(plain, server_hostname=address.host),
        ):
            return True
    except ssl.SSLError as error:
        # An alert is part of TLS; bytes that are not TLS, or the end of the stream, are not.
        return "ALERT" in (error.reason or "")
    except (OSError, ValueError):
        return False
