"""Whole processes timed in turn, and their memory: A B A B …, so that a drift of the machine's
speed meets both alike."""

import os
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Prepare = Callable[[], None]
Figure = Callable[["Run"], float]


@dataclass(frozen=True)
class Work:
    """A command to time. `prepare` runs before each run and is not counted."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    prepare: Prepare | None = None
    stdin: Path | None = None


@dataclass(frozen=True)
class Run:
    """One run: wall seconds, processor seconds, and the most memory it held, in bytes."""

    wall: float
    cpu: float
    memory: int


# Seconds; the longest command takes fifty.
_MOST = 600


def run(work: Work) -> Run:
    """Run a command to its end. Raises RuntimeError if it fails, or takes ten minutes."""
    if work.prepare:
        work.prepare()
    stdin = work.stdin.open("rb") if work.stdin else subprocess.DEVNULL
    begun = time.perf_counter()
    process = subprocess.Popen(
        list(work.command),
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment() | work.environment,
    )
    assert process.stderr is not None
    too_long = threading.Timer(_MOST, process.kill)
    too_long.start()
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    too_long.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if work.stdin and not isinstance(stdin, int):
        stdin.close()
    if process.returncode not in (0, 4):
        raise RuntimeError(f"{work.name} ended with {process.returncode}: {said.decode()}")
    # Linux reports kilobytes.
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


def environment() -> dict[str, str]:
    """Return the commands' environment: none of the user's settings, a state of their own."""
    kept = ("PATH", "HOME", "LANG", "XDG_STATE_HOME")
    return {name: os.environ[name] for name in kept if name in os.environ}


@dataclass(frozen=True)
class Pair:
    """Two commands timed in turn."""

    first: list[Run]
    second: list[Run]
    of: Figure

    @property
    def ratios(self) -> list[float]:
        """Return first/second, pair by pair."""
        both = zip(self.first, self.second, strict=True)
        return [self.of(one) / self.of(other) for one, other in both]

    @property
    def ratio(self) -> float:
        """Return the median of first/second, pair by pair."""
        return statistics.median(self.ratios)


def wall(run: Run) -> float:
    """Return the seconds that a run took."""
    return run.wall


def processor(run: Run) -> float:
    """Return the processor seconds of a run and of the processes that it started and awaited."""
    return run.cpu


def pair(
    first: Work, second: Work, *, times: int, warm_up: int = 1, of: Figure = processor
) -> Pair:
    """Time two commands in turn, after runs that are not counted."""
    for _ in range(warm_up):
        run(first)
        run(second)
    firsts, seconds = [], []
    for _ in range(times):
        firsts.append(run(first))
        seconds.append(run(second))
    return Pair(firsts, seconds, of)
