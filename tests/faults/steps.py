"""The stack's deleting commands, killed at every step at which they leave something else behind."""

import random
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests import stepwise
from tests.cli_runner import Pawsctl
from tests.faults.lab import judge, until
from tests.faults.stacks import SESSIONS, Stack
from tests.faults.tally import Tally

_LINES = {
    "reset": ("redis", "reset", "--yes"),
    "down": ("redis", "down", "--volumes", "--yes"),
}
_UNFINISHED = re.compile(r"\.part$|\.new$|/\.unfinished-")


class Found(Tally):
    """A tally that keeps each fault by its kind, to be sent to another process."""

    def __init__(self, attack: str) -> None:
        super().__init__(attack)
        self.faults: list[tuple[str, str]] = []

    def found(self, fault: str, how: str) -> None:
        """Keep a fault."""
        self.faults.append((fault, how))


class Stepped(Stack):
    """A project whose embedded Redis is started, filled, and reset or taken down step by step."""

    def __init__(self, folder: Path, rng: random.Random) -> None:
        super().__init__(folder, "embedded", f"pawsctl-test-f{rng.randrange(1 << 32):x}")
        self.pawsctl = Pawsctl(folder)
        self.pawsctl.environment = self.environment

    def begin(self) -> None:
        """Start Redis, with all sessions in it."""
        shutil.rmtree(self.folder / "state", ignore_errors=True)
        up = self.run("redis", "up")
        assert up.status == 0, up
        self.write()

    def look(self) -> tuple[object, ...]:
        """Return everything that a kill may leave as it is, but for the server's own files."""
        state = self.folder / "state"
        names = [str(each.relative_to(state)) for each in state.rglob("*")]
        own = [each for each in names if "/embedded/" not in each or each.endswith(".json")]
        answers = until(self.client.ping, 0.01)
        return (
            sorted(re.sub(r"[0-9a-fTZ]{5,}|[0-9]+", "N", each) for each in own),
            self.lines(),
            len(self.stored()) if answers else None,
            any(state.rglob("*.aof")),
        )

    def lines(self) -> list[bytes]:
        """Return the commands of the audit log's lines, and the last as far as it is written."""
        found = [each.read_bytes() for each in (self.folder / "state").rglob("audit.jsonl")]
        return re.findall(rb'"event":"[a-z]+|[^\n]$', found[0]) if found else []

    def recorded(self) -> dict[str, dict[str, Any]]:
        """Return the changes that the audit log knows, by id."""
        return {each["id"]: each for each in self.run("audit", "list", "--json").json}

    def unfinished(self) -> list[str]:
        """Return what killed commands have left."""
        return [each for each in map(str, self.folder.rglob("*")) if _UNFINISHED.search(each)]


def attacks(folder: Path, rng: random.Random, most: int) -> Iterator[Tally]:
    """Kill `reset` and `down --volumes` at each step; at `most` of those that differ."""
    # A process of its own, since it forks and other attacks run in threads of this one.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for command in _LINES:
            seed = rng.randrange(1 << 32)
            tally = Tally(f"redis {command} killed between two steps, then run again (embedded)")
            tries, found = pool.submit(_attacked, command, folder / command, seed, most).result()
            for _ in range(tries):
                tally.tried()
            for fault, how in found:
                tally.found(fault, how)
            yield tally


def _attacked(
    command: str, folder: Path, seed: int, most: int
) -> tuple[int, list[tuple[str, str]]]:
    """Return how often a command was killed, and the faults that were found, each with its how."""
    stepwise.load()
    rng, words = random.Random(seed), _LINES[command]
    place, found = Stepped(folder, rng), Found(command)
    try:
        place.begin()
        seen = list(stepwise.looks(place.pawsctl, words, place.look))
        firsts = {str(state): number for number, state in reversed(list(enumerate(seen)))}
        numbers = sorted(firsts.values())
        for number in sorted(rng.sample(numbers, min(most, len(numbers)))):
            place.run("redis", "down", "--volumes", "--yes")
            place.begin()
            _killed(place, number, words, found)
    finally:
        place.run("redis", "down", "--volumes", "--yes")
        place.client.close()
    if left := place.servers():
        found.found("leftovers", f"killed in {command}: {left}")
    return found.tries, found.faults


def _killed(place: Stepped, number: int, words: tuple[str, ...], tally: Found) -> None:
    how = f"killed at step {number} of {words[1]}"
    before = set(place.recorded())
    stepwise.kill_at(number, place.pawsctl, words)
    tally.tried()
    begun = place.recorded().keys() - before
    is_whole = until(place.client.ping, 0.2) and len(place.stored()) == len(SESSIONS)
    if not is_whole and not begun:
        tally.found("lost", f"{how}: something is gone, and no line says what was begun")
    if words[1] == "reset" and (lost := place.missing()):
        tally.found("lost", f"{how}: {lost} sessions are neither in Redis nor in a backup")
    again = place.run(*words)
    judge(again, tally, f"again after {how}")
    if again.status != 0:
        tally.found("lost", f"again after {how}: {again}")
    recorded = place.recorded()
    for each in begun:
        if (recorded[each]["command"], recorded[each]["status"] or 0) != (" ".join(words[:2]), 0):
            tally.found("lost", f"again after {how}: the log says {recorded[each]}")
    if left := place.unfinished():
        tally.found("leftovers", f"again after {how}: {left}")
    if words[1] == "reset":
        back = place.run("backup", "restore", "--latest", "--yes", "--json")
        if back.status != 0 or set(place.stored()) != set(SESSIONS):
            tally.found("lost", f"again after {how}: not all came back: {back}")
