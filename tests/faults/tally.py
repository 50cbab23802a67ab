"""Counts of how pawsctl fared under an attack, and the table that shows them."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

COLUMNS = ("attack", "tries", "lost", "hung", "tracebacks", "control bytes", "leftovers")
FAULTS = ("lost", "hung", "tracebacks", "control", "leftovers")


@dataclass
class Tally:
    """The tries of one attack and what went wrong in them.

    `lost` counts work reported as done that is missing, partial results reported as whole, and
    unintended deletions.
    """

    attack: str
    tries: int = 0
    lost: int = 0
    hung: int = 0
    tracebacks: int = 0
    control: int = 0
    leftovers: int = 0
    failures: list[str] = field(default_factory=list)
    skipped: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def tried(self) -> None:
        """Count a try."""
        with self._lock:
            self.tries += 1

    def found(self, fault: str, how: str) -> None:
        """Count a fault, one of FAULTS, with a line that says how to reproduce it."""
        with self._lock:
            setattr(self, fault, getattr(self, fault) + 1)
            self.failures.append(f"{self.attack}: {fault}: {how}")

    @property
    def is_clean(self) -> bool:
        """Return whether there are no failures."""
        return not self.failures


def table(tallies: Sequence[Tally]) -> str:
    """Return the tallies as a Markdown table."""
    rows = [COLUMNS, tuple("---" if not index else "---:" for index in range(len(COLUMNS)))]
    for each in tallies:
        counts = [getattr(each, name) for name in ("tries", *FAULTS)]
        if each.skipped:
            counts = [f"skipped: {each.skipped}", *("" for _ in FAULTS)]
        rows.append((each.attack, *(str(count) for count in counts)))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
