"""Attacks on the containers of a Docker Engine while pawsctl uses them."""

import os
import random
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
import redis
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container

from pawsctl.errors import ExitStatus
from tests.docker_fixtures import PROJECT_LABEL, remove_project
from tests.faults.lab import Run, judge, until
from tests.faults.stacks import SESSIONS, Stack
from tests.faults.tally import Tally
from tests.standins.images import REDIS, ensure

_FAILED, _CONFLICT = int(ExitStatus.FAILED), int(ExitStatus.CONFLICT)
_PROXY = re.compile(rb"docker-proxy \(process (\d+)\)")
_MOST_HINTS = 3
_LEFT = re.compile(rb"'sudo (kill -KILL \d+)'")


@contextmanager
def project(folder: Path, api: docker.DockerClient, environment: dict[str, str]) -> Iterator[Stack]:
    """Yield a project of its own on that engine; remove all of it at the end."""
    prefix = os.environ.get("PAWSCTL_TEST_PREFIX", "pawsctl-test-")
    name = f"{prefix}f{secrets.token_hex(4)}"
    folder.mkdir(parents=True)
    place = Stack(folder, "docker", name)
    place.environment |= environment
    try:
        yield place
    finally:
        place.client.close()
        remove_project(api, name)


def start(place: Stack) -> None:
    """Start the project's Redis, and fill it."""
    run = place.run("redis", "up")
    assert run.status == 0, run
    place.write()


def _container(api: docker.DockerClient, place: Stack) -> Container:
    return api.containers.get(f"{place.environment['PAWSCTL_PROJECT']}-redis")


def _volume(place: Stack) -> str:
    return f"{place.environment['PAWSCTL_PROJECT']}_redis-data"


# --- What it runs -------------------------------------------------------------------------------

Fault = Callable[[docker.DockerClient, Stack], None]


def _killed(api: docker.DockerClient, place: Stack) -> None:
    with suppress(APIError):
        _container(api, place).kill()


def _paused(api: docker.DockerClient, place: Stack) -> None:
    with suppress(APIError):
        found = _container(api, place)
        found.pause()
        time.sleep(3)
        found.unpause()


def _restarted(api: docker.DockerClient, place: Stack) -> None:
    with suppress(APIError):
        _container(api, place).restart(timeout=1)


def _removed(api: docker.DockerClient, place: Stack) -> None:
    with suppress(APIError):
        _container(api, place).remove(force=True)


_FAULTS: dict[str, Fault] = {
    "container killed": _killed,
    "container paused for 3 s": _paused,
    "container restarted": _restarted,
    "container removed": _removed,
}
COMMANDS = (
    ("redis", "up"),
    ("redis", "status", "--json"),
    ("redis", "restart"),
    ("session", "list", "-o", "jsonl"),
    ("redis", "reset", "--yes"),
    ("redis", "logs", "-f"),
)


def containers(
    folder: Path, api: docker.DockerClient, rng: random.Random, tries: int
) -> Iterator[Tally]:
    """Attack the container with each fault at random moments of each command; then run `up`."""
    for name, fault in _FAULTS.items():
        tally = Tally(name)
        for number in range(tries):
            for words in COMMANDS:
                at = folder / f"{name}{number}{secrets.token_hex(3)}"
                with project(at, api, {}) as place:
                    start(place)
                    struck(
                        place,
                        words,
                        lambda: fault(api, place),  # noqa: B023 - it is over in this round
                        after=rng.random() * 1.5,
                        tally=tally,
                    )
        yield tally


def struck(
    place: Stack,
    words: tuple[str, ...],
    fault: Callable[[], None],
    *,
    heal: Callable[[], None] = lambda: None,
    restart: Callable[[], None] = lambda: None,
    after: float,
    tally: Tally,
) -> None:
    """Run a command with the fault during it; after `heal`, `up` must put everything in order.

    If it says what to do first, it must be right: `restart` starts the engine again.
    """
    how = f"after {after:.3f} s"
    process = place.start(*words)
    if "-f" in words:
        # `logs -f` does not end by itself.
        threading.Timer(after + 4, process.send_signal, [signal.SIGINT]).start()
    time.sleep(after)
    striking = threading.Thread(target=fault)
    striking.start()
    run = place.end(process, words)
    striking.join()
    heal()
    tally.tried()
    judge(run, tally, how)
    if "list" in words and run.status == 0 and len(run.out.splitlines()) != len(SESSIONS):
        tally.found("lost", f"{how}: {len(run.out.splitlines())} of {len(SESSIONS)} listed: {run}")
    again = _put_right(place, restart, how, tally)
    if again.status != 0:
        tally.found("lost", f"up again, {how} of {run}: {again}")
    elif lost := place.missing():
        tally.found("lost", f"{how}: {lost} sessions are gone: {run}")
    if left := [str(each) for each in place.folder.rglob("*.part*")]:
        tally.found("leftovers", f"{how}: {left}")


def _put_right(place: Stack, restart: Callable[[], None], how: str, tally: Tally) -> Run:
    """Run `up`; if it says what to do first, do that and run it again, and return its last run."""
    again = place.run("redis", "up")
    judge(again, tally, f"up again, {how}")
    for _ in range(_MOST_HINTS):
        if again.status not in (_FAILED, _CONFLICT):
            break
        if orphan := _PROXY.search(again.err):
            # A killed engine leaves its proxies behind, and the message says to stop what it names.
            os.kill(int(orphan[1]), signal.SIGKILL)
        elif left := _LEFT.search(again.err):
            # It has lost sight of what it began, and the hint says to end that.
            subprocess.run(left[1].split(), check=True)
        elif b"Restart Docker" in again.err:
            restart()
        else:
            break
        again = place.run("redis", "up")
        judge(again, tally, f"up once more, {how}")
    return again


def found(folder: Path, api: docker.DockerClient) -> Iterator[Tally]:
    """Run `up` with damaged data, a full volume, foreign containers, or a missing network."""
    for number, (name, attempt) in enumerate(_FOUND.items()):
        tally = Tally(name)
        with project(folder / f"found{number}", api, {}) as place:
            attempt(api, place, tally)
        yield tally


def _ran(place: Stack, tally: Tally, *words: str, statuses: tuple[int, ...] = (0,)) -> Run:
    run = place.run(*words)
    tally.tried()
    judge(run, tally, "then")
    if run.status not in statuses:
        tally.found("lost", f"expected {statuses}: {run}")
    return run


def _aof_cut(api: docker.DockerClient, place: Stack, tally: Tally) -> None:
    """The last bytes are missing, as after a power cut: Redis drops the last write."""
    start(place)
    _aof(api, place, lambda data: data[:-7])
    _ran(place, tally, "redis", "up")
    if (lost := place.missing()) > 1:
        tally.found("lost", f"{lost} sessions are gone with one write's end")


def _aof_hurt(api: docker.DockerClient, place: Stack, tally: Tally) -> None:
    """Bytes in the middle are wrong: Redis does not start, and pawsctl removes nothing."""
    start(place)
    _aof(api, place, lambda data: data[:200] + b"\x00garbage\x1b[31m\r\n" + data[200:])
    up = _ran(place, tally, "redis", "up", "--timeout", "5", statuses=(1, 8))
    if b"AOF" not in up.err and b"format" not in up.err:
        tally.found("lost", f"the log does not tell why: {up}")
    _ran(place, tally, "redis", "status", "--json", statuses=(0, 1, 5))
    _ran(place, tally, "redis", "down")
    if not api.volumes.list(filters={"name": _volume(place)}):
        tally.found("lost", "the volume is gone")


def _aof(api: docker.DockerClient, place: Stack, change: Callable[[bytes], bytes]) -> None:
    until(lambda: place.client.info("persistence")["aof_rewrite_in_progress"] == 0)
    time.sleep(1.1)  # what Redis writes to disk once a second
    _container(api, place).kill()
    mounted = Path(api.volumes.get(_volume(place)).attrs["Mountpoint"])
    path = max(mounted.rglob("*.incr.aof"), key=lambda each: each.stat().st_size)
    path.write_bytes(change(path.read_bytes()))


def _volume_full(api: docker.DockerClient, place: Stack, tally: Tally) -> None:
    """A write that Redis took before the disk was full survives."""
    api.volumes.create(
        _volume(place),
        driver_opts={"type": "tmpfs", "device": "tmpfs", "o": "size=4m"},
        labels={PROJECT_LABEL: place.environment["PAWSCTL_PROJECT"],
                "com.docker.compose.volume": "redis-data"},
    )  # fmt: skip
    start(place)
    with suppress(redis.RedisError):
        for number in range(10_000):
            place.client.set(f"filling:{number}", os.urandom(2_000))
    for words in (("redis", "status", "--json"), ("health",), ("session", "list"), ("redis", "up")):
        _ran(place, tally, *words, statuses=(0, 1))
    _ran(place, tally, "redis", "reset", "--yes", statuses=(0, 1, 7))
    if lost := place.missing():
        tally.found("lost", f"{lost} sessions are neither in Redis nor in a backup")


def _out_of_memory(api: docker.DockerClient, place: Stack, tally: Tally) -> None:
    """The kernel kills Redis, Docker restarts it, and the data on disk is there."""
    start(place)
    time.sleep(1.5)
    container = _container(api, place)
    before = container.attrs["State"]["StartedAt"]
    try:
        container.update(mem_limit="12m", memswap_limit="12m")
    except APIError as error:
        tally.skipped = f"no limit of memory: {str(error)[:60]}"
        return
    with suppress(redis.RedisError):
        place.client.config_set("maxmemory", 0)
        for number in range(200):
            place.client.set(f"filling:{number}", os.urandom(100_000))
    container.reload()
    _ran(place, tally, "redis", "status", "--json", statuses=(0, 1, 5))
    _ran(place, tally, "session", "list", statuses=(0, 1, 5))
    _ran(place, tally, "doctor", statuses=(0, 1, 5))
    _ran(place, tally, "redis", "logs", "--tail", "5")
    with suppress(NotFound, APIError):
        container.update(mem_limit="600m", memswap_limit="600m")
    _ran(place, tally, "redis", "up")
    if lost := place.missing():
        tally.found("lost", f"{lost} sessions are gone (started at first {before})")


def _stranger(api: docker.DockerClient, place: Stack, tally: Tally) -> None:
    """A container with our name and without our labels belongs to somebody else."""
    name = f"{place.environment['PAWSCTL_PROJECT']}-redis"
    made = api.containers.run(REDIS.image, name=name, detach=True)
    try:
        for words in (("up",), ("reset", "--yes"), ("down", "--volumes", "--yes")):
            _ran(place, tally, "redis", *words, statuses=(0, 7) if words[0] == "down" else (7,))
        made.reload()
        if made.status != "running":
            tally.found("lost", f"a stranger's container is {made.status}")
    finally:
        made.remove(force=True, v=True)


def _network_pruned(api: docker.DockerClient, place: Stack, tally: Tally) -> None:
    """The network is removed between a stop and the next up."""
    start(place)
    _ran(place, tally, "redis", "stop")
    network = api.networks.get(f"{place.environment['PAWSCTL_PROJECT']}_default")
    with suppress(APIError):
        network.disconnect(_container(api, place), force=True)
    network.remove()
    _ran(place, tally, "redis", "status", "--json", statuses=(0, 1, 5))
    _ran(place, tally, "redis", "up")
    if lost := place.missing():
        tally.found("lost", f"{lost} sessions are gone")


def _image_gone(api: docker.DockerClient, place: Stack, tally: Tally) -> None:
    """The name of the container's image is gone; the image has another name."""
    image = f"{place.environment['PAWSCTL_PROJECT']}:1"
    api.images.get(REDIS.image).tag(image)
    place.environment["REDIS_IMAGE"] = image
    start(place)
    api.images.remove(image, noprune=True)
    _ran(place, tally, "redis", "status", "--json")
    _ran(place, tally, "redis", "up", "--pull", "never", statuses=(0, 1, 6, 7))
    if lost := place.missing():
        tally.found("lost", f"{lost} sessions are gone")


_FOUND: dict[str, Callable[[docker.DockerClient, Stack, Tally], None]] = {
    "append-only file cut": _aof_cut,
    "append-only file hurt": _aof_hurt,
    "volume full": _volume_full,
    "container out of memory": _out_of_memory,
    "a stranger's container under our name": _stranger,
    "network pruned": _network_pruned,
    "image removed": _image_gone,
}


def connect() -> docker.DockerClient | str:
    """Return the shared engine, which has the image, or why there is none."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("dockerd"):
        return "needs root, and Docker on Linux"
    try:
        ensure(REDIS)
        return docker.from_env(timeout=60)
    except (DockerException, RuntimeError, OSError) as error:
        return f"no engine: {str(error)[:60]}"
