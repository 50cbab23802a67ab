"""The results of the cases as a Markdown page."""

import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Figure, Pair, Run, wall

if TYPE_CHECKING:
    from benchmarks.redis_server import Store


@dataclass(frozen=True)
class Row:
    """One bar: the measurement, what it is compared with, and whether it holds."""

    work: str
    figure: str
    against: str
    ratio: str
    bar: str
    holds: bool
    kind: str

    @property
    def verdict(self) -> str:
        """Whether it holds, in a word or two."""
        if self.bar == "shown":
            return ""
        return "holds" if self.holds else "**does not hold**"


@dataclass
class Report:
    """Collects rows and notes."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        work: str,
        figure: str,
        against: str,
        ratio: str,
        bar: str,
        *,
        holds: bool,
        kind: str = "",
    ) -> None:
        """Add one bar; `kind` says which time was measured."""
        self.rows.append(Row(work, figure, against, ratio, bar, holds, kind))

    def compare(
        self, work: str, found: Pair, against: str, bar: float | None, *, wanted: str = "at most"
    ) -> None:
        """Add a pair with its spread; without a bar it is only shown.

        The ratio is to be `at most` the bar; or the first is to be so many times `as fast`.
        """
        ratios = sorted(found.ratios)
        times, unit = found.ratio, ""
        if wanted == "as fast":
            ratios, times, unit = [1 / each for each in ratios[::-1]], 1 / found.ratio, "x as fast"
        digits = 1 if unit else 2
        spread = f" ({ratios[0]:.{digits}f} to {ratios[-1]:.{digits}f})" if len(ratios) > 1 else ""
        sign = "≥" if unit else "≤"
        self.add(
            work,
            _median(found.first, found.of),
            f"{against}: {_median(found.second, found.of)}",
            f"{times:.{digits}f}{unit}{spread}",
            "shown" if bar is None else f"{sign} {bar:g}{'x' if unit else ''}",
            holds=bar is None or (times >= bar if unit else times <= bar),
            kind="wall" if found.of is wall else "processor",
        )

    def note(self, text: str) -> None:
        """Add a note on what was left out, and why."""
        self.notes.append(text)

    @property
    def holds(self) -> bool:
        """Return whether every bar holds."""
        return all(row.holds for row in self.rows)

    @property
    def verdict(self) -> str:
        """Return a line that names the bars that do not hold."""
        broken = [row for row in self.rows if not row.holds]
        bars = [row for row in self.rows if row.bar != "shown"]
        if not bars:
            return "No bar was measured."
        if not broken:
            return f"All {len(bars)} bars hold."
        named = "; ".join(f"{row.work}: {row.ratio} ({row.bar})" for row in broken)
        return f"**{len(broken)} of {len(bars)} bars do not hold:** {named}."

    def markdown(self, store: "Store") -> str:
        """Return the page."""
        lines = [
            "# Benchmarks",
            "",
            self.verdict,
            "",
            f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, in one run. Commands that "
            "are compared ran in turn. Each figure is a median of whole processes, and the ratio "
            "is that of the pairs, with the least and the largest: of processor time, children "
            "included, unless the row says wall.",
            "",
            f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, "
            f"Python {platform.python_version()}, {_server(store)}, "
            + ", ".join(f"{name} {version(name)}" for name in ("redis", "hiredis", "msgspec"))
            + ".",
            "",
            "| work | time | pawsctl | against | ratio | bar | |",
            "| --- | --- | ---: | ---: | ---: | --- | --- |",
            *(
                f"| {row.work} | {row.kind} | {row.figure} | {row.against} | {row.ratio} "
                f"| {row.bar} | {row.verdict} |"
                for row in self.rows
            ),
            *(f"\n{note}" for note in self.notes),
        ]
        return "\n".join(lines) + "\n"


def seconds(value: float) -> str:
    """Format seconds for people."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"


def _median(runs: Sequence[Run], of: Figure) -> str:
    return seconds(statistics.median(map(of, runs)))


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _server(store: "Store") -> str:
    done = subprocess.run([store.binary, "--version"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split()[:3])
