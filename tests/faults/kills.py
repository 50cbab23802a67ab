"""Attacks on pawsctl itself: killed or interrupted at any moment, and run three at once."""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults.commands import Attacked, archived, exports, prepare, writes
from tests.faults.lab import FIRST, VALUES, Lab, Run, judge, limited
from tests.faults.tally import Tally

_SIGNALS = {
    "killed": signal.SIGKILL,
    "ended by TERM": signal.SIGTERM,
    "interrupted": signal.SIGINT,
}
_ENDS = {signal.SIGTERM: 143, signal.SIGINT: 130}


def attacks(lab: Lab, rng: random.Random, tries: int) -> Iterator[Tally]:
    """End each command at random moments by each signal, then run it again."""
    chosen = [exports(lab.folder), *writes(lab)]
    chosen.append(Attacked(("session", "verify", str(lab.archive())), lambda _lab, _run: ""))
    times = {}
    for command in chosen:
        prepare(lab, command)
        begun = time.monotonic()
        words = limited(lab.url, command.arguments)
        lab.end(lab.start(*words), words)
        times[command] = time.monotonic() - begun
    for name, number in _SIGNALS.items():
        tally = Tally(f"pawsctl {name} in the middle, then run again")
        for command, seconds in times.items():
            for _ in range(tries):
                _ended(lab, command, number, rng.random() * seconds, tally)
        yield tally
    yield _at_once(lab, chosen, tries)


def _ended(lab: Lab, command: Attacked, number: signal.Signals, after: float, tally: Tally) -> None:
    how = f"{number.name} after {after:.3f} s"
    prepare(lab, command)
    words = limited(lab.url, command.arguments)
    process = lab.start(*words)
    time.sleep(after)
    process.send_signal(number)
    first = lab.end(process, words)
    tally.tried()
    judge(first, tally, how, sent=number)
    expected = (0, 1, 2, 4, _ENDS.get(number), -number)
    if first.status not in expected:
        tally.found("lost", f"{how}: status {first.status}: {first}")
    if wrong := _told(lab, command, first) or lab.foreign_loss():
        tally.found("lost", f"{how}: {wrong}: {first}")
    again = lab.run(*words)
    judge(again, tally, f"again after {how}")
    done = first.status == 0 or _is_done(lab, command)
    if again.status != 0 and not done:
        tally.found("lost", f"again after {how}: {again}")
    elif wrong := _told(lab, command, again):
        tally.found("lost", f"again after {how}: {wrong}: {again}")
    if left := lab.leftovers():
        tally.found("leftovers", f"{how}, and run again: {left}")


def _told(lab: Lab, command: Attacked, run: Run) -> str:
    """Return what is wrong after a run, or ''.

    Exports and flushes are judged by the archive and the sessions left, others by their verdict.
    """
    if command.arguments[1] == "export":
        path = Path(command.arguments[-1])
        is_whole = not path.exists() or len(archived(path)) == len(VALUES)
        return "" if is_whole else "a part of an archive stands under the name asked for"
    if command.arguments[1] == "flush":
        left = len(lab.stored())
        return f"flushed, and {left} are left" if run.status == 0 and left else ""
    return command.verdict(lab, run)


def _is_done(lab: Lab, command: Attacked) -> bool:
    """Return whether the first run had done its work before it was killed."""
    if command.arguments[1] == "export":
        return Path(command.arguments[-1]).exists()
    return command.arguments[1] == "delete" and FIRST not in lab.stored()


def _at_once(lab: Lab, commands: list[Attacked], tries: int) -> Tally:
    """Run three of the same command at once: each must report the truth."""
    tally = Tally("three of them at once")
    for command in commands:
        for _ in range(tries):
            prepare(lab, command)
            words = limited(lab.url, command.arguments)
            running = [lab.start(*words) for _ in range(3)]
            runs = [lab.end(process, words) for process in running]
            tally.tried()
            for run in runs:
                judge(run, tally, "one of three")
                verdict = "" if command.arguments[1] == "flush" else _told(lab, command, run)
                if verdict:
                    tally.found("lost", f"one of three: {verdict}: {run}")
            if lost := lab.foreign_loss():
                tally.found("lost", lost)
            if not any(run.status == 0 for run in runs):
                tally.found("lost", f"none of three succeeded: {runs[0]}")
            if left := lab.leftovers():
                tally.found("leftovers", f"{command}: {left}")
    return tally
