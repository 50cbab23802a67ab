"""Attacks on the connection: cuts, delays, drips, duplicates, wrong types and lengths."""

import random
from collections.abc import Callable, Iterator

from tests.faults import proxy
from tests.faults.commands import Attacked, every, prepare
from tests.faults.lab import LIMITS, Lab, judge
from tests.faults.proxy import Bend, Seen, bending
from tests.faults.tally import Tally


def _attack(lab: Lab, command: Attacked, bend: Bend, tally: Tally, how: str) -> Seen:
    """Run a command through the proxy, and judge its output and the stored data."""
    prepare(lab, command)
    with bending(lab.server.port, bend) as (port, seen):
        run = lab.run("--url", f"redis://127.0.0.1:{port}", *LIMITS, *command.arguments)
    tally.tried()
    judge(run, tally, how)
    if wrong := command.verdict(lab, run) or lab.foreign_loss():
        tally.found("lost", f"{how}: {wrong}: {run}")
    left = [each.name for each in lab.folder.iterdir() if ".part" in each.name]
    if left:
        tally.found("leftovers", f"{how}: {left}: {run}")
    return seen


def _measured(lab: Lab, command: Attacked, tally: Tally) -> Seen:
    return _attack(lab, command, Bend(change=lambda _number, reply: reply), tally, "nothing bent")


Choice = Callable[[random.Random, Seen], tuple[Bend, str]]


def _cut_down(rng: random.Random, seen: Seen) -> tuple[Bend, str]:
    at, always = rng.randrange(seen.down + 1), rng.random() < 0.5
    return Bend(cut_down=at, always=always), f"cut after {at} bytes of replies, {always=}"


def _cut_up(rng: random.Random, seen: Seen) -> tuple[Bend, str]:
    at, always = rng.randrange(seen.up + 1), rng.random() < 0.5
    return Bend(cut_up=at, always=always), f"cut after {at} bytes of commands, {always=}"


def _delayed(_rng: random.Random, _seen: Seen) -> tuple[Bend, str]:
    return Bend(delay=0.3), "each piece 0.3 s late"


def _dripped(_rng: random.Random, _seen: Seen) -> tuple[Bend, str]:
    return Bend(drip=0.5), "a byte each 0.5 s"


def _doubled(rng: random.Random, seen: Seen) -> tuple[Bend, str]:
    at = rng.randrange(max(seen.replies, 1))
    return Bend(change=proxy.doubled(at)), f"reply {at} twice"


def _another_length(rng: random.Random, seen: Seen) -> tuple[Bend, str]:
    at, seed = rng.randrange(max(seen.replies, 1)), rng.random()
    return Bend(
        change=proxy.wrong_length(at, random.Random(seed))
    ), f"length of reply {at}, {seed=}"


CUTS: dict[str, Choice] = {
    "connection cut in a reply": _cut_down,
    "connection cut in a command": _cut_up,
}
SLOW: dict[str, Choice] = {"replies delayed": _delayed, "replies dripped": _dripped}
LIES: dict[str, Choice] = {"reply doubled": _doubled, "reply of another length": _another_length}


def cuts(lab: Lab, rng: random.Random, tries: int, *, full: bool) -> Iterator[Tally]:
    """Cut the connection of each command `tries` times; with `full` at every byte."""
    seen = _unbent(lab, Tally("nothing bent"))
    for name, choice in CUTS.items():
        tally = Tally(name)
        for command, measured in seen.items():
            if full:
                _every_byte(lab, command, measured, tally, is_up=choice is _cut_up)
                continue
            for _ in range(tries):
                bend, how = choice(rng, measured)
                _attack(lab, command, bend, tally, how)
        yield tally


def slow(lab: Lab, rng: random.Random) -> Iterator[Tally]:
    """Send each command its replies late, and a byte at a time."""
    yield from _bent(lab, rng, SLOW, 1)


def lies(lab: Lab, rng: random.Random, tries: int, *, full: bool) -> Iterator[Tally]:
    """Send each command wrong replies, `tries` times; with `full` in place of every reply."""
    yield from _bent(lab, rng, LIES, tries)
    yield _types(lab, rng, _unbent(lab, Tally("nothing bent")), tries, full=full)


def _unbent(lab: Lab, tally: Tally) -> dict[Attacked, Seen]:
    """Return what passes for each command if nothing is bent."""
    seen = {command: _measured(lab, command, tally) for command in every(lab)}
    assert tally.is_clean, tally.failures
    return seen


def _bent(lab: Lab, rng: random.Random, choices: dict[str, Choice], tries: int) -> Iterator[Tally]:
    seen = _unbent(lab, Tally("nothing bent"))
    for name, choice in choices.items():
        tally = Tally(name)
        for command, measured in seen.items():
            for _ in range(tries):
                bend, how = choice(rng, measured)
                _attack(lab, command, bend, tally, how)
        yield tally


def _every_byte(lab: Lab, command: Attacked, seen: Seen, tally: Tally, *, is_up: bool) -> None:
    # In the middle of a long value every byte is alike.
    count = seen.up if is_up else seen.down
    step = max(1, count // 2_000)
    for at in range(0, count + 1, step):
        bend = Bend(cut_up=at) if is_up else Bend(cut_down=at)
        _attack(lab, command, bend, tally, f"cut after {at} bytes, {is_up=}")


def _types(
    lab: Lab, rng: random.Random, seen: dict[Attacked, Seen], tries: int, *, full: bool
) -> Tally:
    """Send replies of every other type: no traceback, and nothing reported as done."""
    tally = Tally("reply of another type")
    for command, measured in seen.items():
        places = range(min(measured.replies, 40))
        chosen = [(at, wrong) for at in places for wrong in proxy.WRONG_TYPES]
        for at, wrong in chosen if full else rng.sample(chosen, min(tries * 2, len(chosen))):
            if command.writes and wrong[:1] == b"-":
                continue  # Nobody can see that the command ran nevertheless.
            how = f"reply {at} is {wrong!r}"
            _attack(lab, command, Bend(change=proxy.wrong_type(at, wrong)), tally, how)
    return tally
