"""`pawsctl serve` as a running process, and requests to it over real sockets."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

from tests.cli_runner import Pawsctl
from tests.running_command import Running

DEADLINE_SECONDS = 60.0

BOT = {
    "ANTHROPIC_API_KEY": "key",
    "DATABASE_URL": "postgres://localhost/bot",
    "TWILIO_ACCOUNT_SID": "sid",
    "TWILIO_AUTH_TOKEN": "token",
}
"""The variables, beside REDIS_URL, that the bot has when all is configured."""

DEVELOPMENT = {**BOT, "NODE_ENV": "development"}


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Answer(NamedTuple):
    """The status, headers (in lower case) and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body parsed as JSON."""
        return json.loads(self.body)


class Served:
    """A running server; its stderr is in a file."""

    def __init__(self, process: Running, log: Path) -> None:
        self.process = process
        self._log = log
        self.port = int(self.logged(r"Listening on http://[^ ]*:(\d+)[, ]")[1])

    @property
    def log(self) -> str:
        """Its stderr so far."""
        return self._log.read_text()

    @property
    def url(self) -> str:
        """Its URL, by address."""
        return f"http://127.0.0.1:{self.port}"

    def logged(self, pattern: str) -> re.Match[str]:
        """Wait until stderr has what matches, and return the match."""
        until(lambda: re.search(pattern, self.log) is not None or self.process.poll() is not None)
        found = re.search(pattern, self.log)
        assert found is not None, f"it has ended: {self.log}"
        return found

    def ask(
        self,
        method: str = "GET",
        path: str = "/api/health",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_SECONDS)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()


@contextmanager
def serving(
    pawsctl: Pawsctl, *options: str, env: Mapping[str, str] | None = None, is_fresh: bool = False
) -> Iterator[Served]:
    """Yield a server on a free port; end it with SIGTERM. See `Pawsctl.start` for `is_fresh`."""
    log = pawsctl.folder / f"serve-{time.monotonic_ns()}.log"
    with log.open("wb") as stream:
        process = pawsctl.start(
            *("serve", "--port", "0", *options),
            env=dict(env or {}),
            stderr=stream.fileno(),
            is_fresh=is_fresh,
        )
    try:
        yield Served(process, log)
        process.terminate()
        assert process.wait(DEADLINE_SECONDS) == 0, log.read_text()
        assert "bug:" not in log.read_text(), log.read_text()
    finally:
        process.kill()
        process.communicate()
