"""The groups of attacks, run in parallel: there are two processors, and most attacks wait."""

import queue
import random
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tests.faults import (
    daemon,
    engine,
    failovers,
    fuzz,
    kills,
    machine,
    server_faults,
    stacks,
    steps,
    wire,
)
from tests.faults.lab import lab
from tests.faults.tally import Tally

Group = Callable[[Path, random.Random, bool], Iterator[Tally]]


def _cuts(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
    with lab(folder) as place:
        yield from wire.cuts(place, rng, 2, full=full)


def _slow(folder: Path, rng: random.Random, _full: bool) -> Iterator[Tally]:
    with lab(folder) as place:
        yield from wire.slow(place, rng)


def _lies(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
    with lab(folder) as place:
        yield from wire.lies(place, rng, 2, full=full)


def _kills(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
    with lab(folder) as place:
        yield from kills.attacks(place, rng, 25 if full else 2)


def _fuzz(kinds: Sequence[fuzz.Kind]) -> Group:
    def group(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
        with lab(folder) as place:
            yield from fuzz.attacks(place, rng, 3_000 if full else 150, kinds)

    return group


def _machine(folder: Path, rng: random.Random, _full: bool) -> Iterator[Tally]:
    with lab(folder) as place:
        yield from machine.attacks(place, rng)


def _servers(faults: dict[str, server_faults.Fault]) -> Group:
    def group(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
        yield from server_faults.attacks(folder, rng, 10 if full else 1, faults)

    return group


def _failovers(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
    yield from failovers.trio(folder / "trio", rng, 10 if full else 1)
    yield from failovers.cluster(folder / "cluster", rng, full=full)


def _containers(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
    api = engine.connect()
    if isinstance(api, str):
        yield Tally("containers", skipped=api)
        return
    with closing(api):
        yield from engine.found(folder, api)
        yield from engine.containers(folder, api, rng, 5 if full else 1)
        yield from stacks.attacks(folder, rng, 10 if full else 1, engine="docker")


def _engines(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
    api = engine.connect()
    if isinstance(api, str):
        yield Tally("engines", skipped=api)
        return
    api.close()
    yield from daemon.attacks(folder, rng, 4 if full else 1)


def _stacks(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
    yield from stacks.attacks(folder, rng, 15 if full else 2, engine="embedded")


def _steps(folder: Path, rng: random.Random, full: bool) -> Iterator[Tally]:
    yield from steps.attacks(folder, rng, 1_000 if full else 6)


GROUPS: dict[str, Group] = {
    "cuts": _cuts,
    "slow": _slow,
    "lies": _lies,
    "kills": _kills,
    "fuzz of input": _fuzz(fuzz.KINDS[:4]),
    "fuzz of files": _fuzz(fuzz.KINDS[4:]),
    "machine": _machine,
    "servers that end": _servers(server_faults.ENDS),
    "servers that stay": _servers(server_faults.STAYS),
    "failovers": _failovers,
    "stacks": _stacks,
    "steps": _steps,
    "containers": _containers,
    "engines": _engines,
}


def run(seed: int, *, full: bool, only: str = "") -> Iterator[tuple[str, Tally]]:
    """Run the groups whose name contains `only`; yield a group's name and each of its tallies."""
    done: queue.Queue[tuple[str, Tally] | None] = queue.Queue()
    chosen = {name: group for name, group in GROUPS.items() if only in name}
    with tempfile.TemporaryDirectory(prefix="pawsctl-faults-") as folder:

        def work(name: str, group: Group) -> None:
            tally = None
            try:
                for tally in group(Path(folder) / name, random.Random(f"{seed} {name}"), full):
                    done.put((name, tally))
            except Exception as error:  # noqa: BLE001 - an attack that breaks itself is a fault
                broken = Tally(f"{name}, after {tally.attack if tally else 'nothing'}")
                where = "".join(traceback.format_exception(error)[-8:])
                broken.found("tracebacks", f"the attack itself failed: {where}")
                done.put((name, broken))
            finally:
                done.put(None)

        threads = [threading.Thread(target=work, args=item) for item in chosen.items()]
        for thread in threads:
            thread.start()
        waiting = len(threads)
        while waiting:
            found = done.get()
            if found is None:
                waiting -= 1
            else:
                yield found
        for thread in threads:
            thread.join()
