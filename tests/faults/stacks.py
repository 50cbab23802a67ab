"""Attacks on the stack's commands: killed while they start, reset and remove a Redis."""

import gzip
import json
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.faults.lab import PREFIX, VALUES, Place, Run, judge, until
from tests.faults.tally import Tally
from tests.ports import free_port

SESSIONS = dict(list(VALUES.items())[:20])


def _client(port: int) -> redis.Redis:
    """Return a client that says at once that no Redis answers."""
    return redis.Redis(port=port, protocol=2, retry=Retry(NoBackoff(), 0))


class Stack(Place):
    """A project of its own, whose Redis the attacked commands start and remove."""

    def __init__(self, folder: Path, engine: str, project: str) -> None:
        port = free_port()
        super().__init__(folder, _client(port))
        self.environment |= {
            "PAWSCTL_ENGINE": engine,
            "PAWSCTL_PROJECT": project,
            "REDIS_PORT": str(port),
        }

    def move(self) -> None:
        """Choose another port for Redis; the next `up` recreates it there."""
        self.client.close()
        port = free_port()
        self.client = _client(port)
        self.environment["REDIS_PORT"] = str(port)

    def write(self) -> None:
        """Write the sessions over any that exist."""
        with self.client.pipeline(transaction=False) as pipe:
            for phone, value in SESSIONS.items():
                pipe.set(PREFIX + phone, value, ex=20_000)
            pipe.execute()

    def missing(self) -> int:
        """Return how many sessions are neither in Redis nor in a whole backup."""
        found: set[str] = set()
        if until(self.client.ping, 0.2):
            found |= set(self.stored())
        for path in (self.folder / "state").rglob("sessions-*.jsonl.gz"):
            found |= _phones(path)
        return len(set(SESSIONS) - found)


def _phones(path: Path) -> set[str]:
    """Return the sessions of a whole archive; none if it is not whole."""
    try:
        lines = gzip.decompress(path.read_bytes()).splitlines()
        if "checksum" not in json.loads(lines[-1]):
            return set()
        return {json.loads(line)["phone"] for line in lines[1:-1]}
    except (OSError, EOFError, ValueError, LookupError):
        return set()


_SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def attacks(folder: Path, rng: random.Random, tries: int, *, engine: str) -> Iterator[Tally]:
    """End `up`, `reset` and `down` at random moments by every signal, then run them again."""
    for command in ("up", "reset", "down"):
        tally = Tally(f"redis {command} ended in the middle, then run again ({engine})")
        for number in range(tries):
            for name in _SIGNALS:
                place = Stack(
                    folder / f"{command}{number}{name.name}",
                    engine,
                    f"pawsctl-test-f{rng.randrange(1 << 32):x}",
                )
                try:
                    _ended(place, command, name, rng, tally)
                finally:
                    place.run("redis", "down", "--volumes", "--yes")
                    place.client.close()
                if left := place.servers():
                    tally.found("leftovers", f"{name.name} in {command}: {left}")
        yield tally


def _ended(
    place: Stack, command: str, number: signal.Signals, rng: random.Random, tally: Tally
) -> None:
    words = ("redis", command, *(("--yes",) if command == "reset" else ()))
    if command != "up":
        assert place.run("redis", "up").status == 0
        place.write()
    after = rng.random() * (2.5 if place.environment["PAWSCTL_ENGINE"] == "docker" else 0.8)
    how = f"{number.name} {after:.3f} s into {command}"
    process = place.start(*words)
    time.sleep(after)
    process.send_signal(number)
    first = place.end(process, words)
    tally.tried()
    judge(first, tally, how, sent=number)
    if command == "reset" and (lost := place.missing()):
        tally.found("lost", f"{how}: {lost} sessions are neither in Redis nor in a backup: {first}")
    again = place.run(*words)
    judge(again, tally, f"again after {how}")
    if again.status != 0:
        tally.found("lost", f"again after {how}: {again}")
    _look(place, command, again, how, tally)


def _look(place: Stack, command: str, again: Run, how: str, tally: Tally) -> None:
    if command == "down":
        up = place.run("redis", "up")
        if up.status != 0 or set(place.stored()) != set(SESSIONS):
            tally.found("lost", f"again after {how}: the data did not stay: {up}")
    elif again.status == 0 and not until(place.client.ping, 1):
        tally.found("lost", f"again after {how}: it is up, and does not answer: {again}")
    if command == "reset" and again.status == 0 and (lost := place.missing()):
        tally.found("lost", f"again after {how}: {lost} sessions in no backup: {again}")
    parts = [str(each) for each in place.folder.rglob("*.part*")]
    if parts:
        tally.found("leftovers", f"again after {how}: {parts}")
