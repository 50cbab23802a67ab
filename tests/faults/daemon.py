"""Attacks on a Docker Engine itself: stopped, killed and paused while pawsctl uses it or pulls."""

import os
import random
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from tests.docker_fixtures import serve_registry
from tests.faults.engine import COMMANDS, project, start, struck
from tests.faults.lab import until
from tests.faults.proxy import Bend, Seen, bending
from tests.faults.tally import Tally
from tests.killable_engine import Daemon
from tests.second_engine import second_engine
from tests.standins.engine import never_pulled
from tests.standins.images import REDIS


def _frozen(daemon: Daemon) -> None:
    daemon.signal(signal.SIGSTOP)
    time.sleep(4)
    daemon.signal(signal.SIGCONT)


_FAULTS: dict[str, Callable[[Daemon], None]] = {
    "engine stopped": Daemon.stop,
    "engine killed": Daemon.kill,
    "engine paused for 4 s": _frozen,
}


def attacks(folder: Path, rng: random.Random, tries: int) -> Iterator[Tally]:
    """Attack the engine at random moments of each command, and of a pull."""
    # Without live-restore, a dockerd that is started again deletes the other engine's bridge.
    with second_engine("--live-restore", images=(REDIS.image,)) as address:
        daemon = Daemon(address)
        api = docker.DockerClient(address)
        try:
            for name, fault in _FAULTS.items():
                tally = Tally(name)
                for number in range(tries):
                    for words in COMMANDS:
                        at = folder / f"{name}{number}{secrets.token_hex(3)}"
                        with project(at, api, {"DOCKER_HOST": address}) as place:
                            start(place)
                            struck(
                                place,
                                words,
                                lambda: fault(daemon),  # noqa: B023 - it is over in this round
                                heal=daemon.heal,
                                restart=daemon.restart,
                                after=rng.random(),
                                tally=tally,
                            )
                            api.close()  # Its connections have ended with the engine's process.
                yield tally
            yield from _pulls(folder / "pulls", daemon, api, rng, tries)
        finally:
            daemon.heal()
            api.close()
            daemon.end()


# --- In the middle of a pull --------------------------------------------------------------------

_DELAY = 0.03
"""Seconds before each 64 KB from the registry: a layer of 4 MB takes two seconds."""

_NOISE = 8_000_000
"""The bytes that at least pass in a pull, see `never_pulled`."""


def _pulls(
    folder: Path, daemon: Daemon, api: docker.DockerClient, rng: random.Random, tries: int
) -> Iterator[Tally]:
    """Attack the engine while `up` pulls another image for a Redis that runs and has data."""
    if not (os.environ.get("PAWSCTL_TEST_REGISTRY") or shutil.which("docker-registry")):
        yield Tally("engine in the middle of a pull", skipped="needs docker-registry")
        return
    with _slow_image(folder) as (image, seen):
        for name, fault in _FAULTS.items():
            tally = Tally(f"{name} in the middle of a pull")
            for _ in range(tries):
                begin, at = seen.down, rng.randrange(_NOISE)

                def strike() -> None:
                    until(lambda: seen.down > begin + at)  # noqa: B023 - over in this round
                    fault(daemon)  # noqa: B023 - as above

                place_at = folder / secrets.token_hex(4)
                with project(place_at, api, {"DOCKER_HOST": daemon.address}) as place:
                    start(place)
                    place.environment["REDIS_IMAGE"] = image
                    # With live-restore, dockerd 20.10 never frees the ports of what it restored.
                    place.move()
                    struck(
                        place,
                        ("redis", "up"),
                        strike,
                        heal=daemon.heal,
                        restart=daemon.restart,
                        after=0,
                        tally=tally,
                    )
                    api.close()
                with suppress(ImageNotFound):
                    api.images.remove(image, force=True)
            yield tally


@contextmanager
def _slow_image(folder: Path) -> Iterator[tuple[str, Seen]]:
    """Yield an image in a registry behind a slow line, and the count of bytes that have passed."""
    folder.mkdir()
    with ExitStack() as stack:
        registry = os.environ.get("PAWSCTL_TEST_REGISTRY") or stack.enter_context(
            serve_registry(folder)
        )
        image = stack.enter_context(never_pulled(REDIS.image, registry))
        port = int(registry.rpartition(":")[2])
        slow, seen = stack.enter_context(bending(port, Bend(delay=_DELAY)))
        yield image.replace(registry, f"127.0.0.1:{slow}"), seen
