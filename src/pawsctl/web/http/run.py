"""Run the server until a signal ends it, and drain what is open then."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from pawsctl.web.http.protocol import BoundedProtocol
from pawsctl.web.http.request_log import RequestLog
from pawsctl.workflows.doctor.bot_health import OURS

# Seconds for open requests once a signal has come; the end comes within 5 s.
_DRAIN_SECONDS = 4
# Connections at the same time; more are answered with 503, and memory stays bounded.
_MOST_CONNECTIONS = 1_000
# Seconds that a connection may be idle between requests: more than the 60 of load balancers, which
# could otherwise send a request just as it is closed.
_IDLE_SECONDS = 75

# Windows has no SIGHUP.
_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")


class _Server(uvicorn.Server):
    """A server that leaves signals to `until_signalled`."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def until_signalled(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    log: RequestLog,
    begin: Callable[[], None],
) -> None:
    """Serve until SIGTERM, then finish open requests and return.

    `begin` is called once a signal would be heard. SIGINT and SIGHUP end it in the same way, and
    are raised again at the end: whoever sent them is told by the exit status. A second signal ends
    it at once.
    """
    _log_in(log)
    server = _Server(
        uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            headers=[("Server", OURS)],
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    )
    came: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        server.should_exit = True
        server.force_exit = len(came) > 1

    handlers = {}
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        # nohup has SIGHUP ignored, and a shell SIGINT for background jobs.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            handlers[number] = signal.signal(number, stop)
    try:
        begin()
        asyncio.run(server.serve(sockets=list(sockets)))
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if came and came[0] != signal.SIGTERM:
        signal.raise_signal(came[0])


def _log_in(log: RequestLog) -> None:
    """Have uvicorn's own messages in the log of requests, those for developers left out."""

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage().strip()
            # That message asks for a library that this server has no use for.
            if "WebSocket library" not in message:
                log.once(message)

    logger = logging.getLogger("uvicorn")
    logger.setLevel(logging.WARNING)
    logger.addHandler(Handler())
    logger.propagate = False
