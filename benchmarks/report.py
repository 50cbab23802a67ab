"""The results of the cases as a Markdown page."""

import os
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

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


@dataclass
class Report:
    """Collects rows and notes."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self, work: str, figure: str, against: str, ratio: str, bar: str, *, holds: bool
    ) -> None:
        """Add one bar."""
        self.rows.append(Row(work, figure, against, ratio, bar, holds))

    def note(self, text: str) -> None:
        """Add a note on what was left out, and why."""
        self.notes.append(text)

    @property
    def holds(self) -> bool:
        """Return whether every bar holds."""
        return all(row.holds for row in self.rows)

    def markdown(self, store: "Store") -> str:
        """Return the page."""
        lines = [
            "# Benchmarks",
            "",
            f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}, in one run; commands that "
            "are compared ran in turn, and each figure is a median of whole processes.",
            "",
            f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, "
            f"Python {platform.python_version()}, {_server(store)}, "
            + ", ".join(f"{name} {version(name)}" for name in ("redis", "hiredis", "msgspec"))
            + ".",
            "",
            "| work | pawsctl | against | ratio | bar | |",
            "| --- | ---: | ---: | ---: | --- | --- |",
            *(
                f"| {row.work} | {row.figure} | {row.against} | {row.ratio} | {row.bar} "
                f"| {'holds' if row.holds else '**does not hold**'} |"
                for row in self.rows
            ),
            *(f"\n{note}" for note in self.notes),
        ]
        return "\n".join(lines) + "\n"


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
