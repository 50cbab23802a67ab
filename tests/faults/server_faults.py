"""Attacks on the server: killed, paused, full, read-only, restarted during a command."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import redis

from tests.faults.commands import Attacked, every, prepare
from tests.faults.lab import LIMITS, Lab, judge, lab, until
from tests.faults.tally import Tally

Fault = Callable[[Lab], None]

_AOF = ("--appendonly", "yes", "--appendfsync", "always")


def _kill(place: Lab) -> None:
    place.server.process.kill()
    place.server.process.wait()


def _restart(place: Lab) -> None:
    """Restart as a supervisor does, with all acknowledged writes on disk."""
    _kill(place)
    place.server.restart()


def _load(place: Lab) -> None:
    """Restart with much data to load: it answers LOADING for a second or two."""
    _kill(place)
    place.server.restart(
        "--key-load-delay", "400", "--loading-process-events-interval-bytes", "1024"
    )


def _pause(place: Lab) -> None:
    place.server.process.send_signal(signal.SIGSTOP)
    time.sleep(3)
    place.server.process.send_signal(signal.SIGCONT)


def _fill_up(place: Lab) -> None:
    with suppress(redis.RedisError):
        place.client.config_set("maxmemory", "1mb")


def _read_only(place: Lab) -> None:
    with suppress(redis.RedisError):
        place.client.replicaof("127.0.0.1", "1")


def _heal(place: Lab) -> None:
    """Make the server answer again, so that its data can be read."""
    if place.server.process.poll() is not None:
        place.server.restart()
    until(place.client.ping)
    client = place.client
    client.config_set("maxmemory", "0")
    client.replicaof("no", "one")


ENDS: dict[str, Fault] = {
    "server killed": _kill,
    "server killed and started again": _restart,
    "server loading its data": _load,
}
STAYS: dict[str, Fault] = {
    "server paused for 3 s": _pause,
    "server full": _fill_up,
    "server made read-only": _read_only,
}


def attacks(
    folder: Path, rng: random.Random, tries: int, faults: dict[str, Fault]
) -> Iterator[Tally]:
    """Try each fault at random moments of each command."""
    with lab(folder, *_AOF) as place:
        for name, fault in faults.items():
            tally = Tally(name)
            for command in every(place):
                for _ in range(tries):
                    _strike(place, command, fault, rng.random() * 0.5, tally)
            yield tally


def _strike(place: Lab, command: Attacked, fault: Fault, after: float, tally: Tally) -> None:
    how = f"after {after:.3f} s"
    _heal(place)
    prepare(place, command)
    words = ("--url", place.url, *LIMITS, *command.arguments)
    process = place.start(*words)
    time.sleep(after)
    striking = threading.Thread(target=fault, args=(place,))
    striking.start()
    run = place.end(process, words)
    striking.join()
    tally.tried()
    judge(run, tally, how)
    _heal(place)
    if wrong := command.verdict(place, run) or place.foreign_loss():
        tally.found("lost", f"{how}: {wrong}: {run}")
    if left := place.leftovers():
        tally.found("leftovers", f"{how}: {left}: {run}")
