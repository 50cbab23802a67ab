"""The commands under attack, and the conditions that must hold after each.

A `Verdict` gets the lab and the run, and returns what was lost or misreported; '' if nothing.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.lab import FIRST, PREFIX, SESSIONS, TTL, VALUES, Lab, Run

Verdict = Callable[[Lab, Run], str]


@dataclass(frozen=True)
class Attacked:
    """A command line, its verdict, and whether it changes stored data."""

    arguments: tuple[str, ...]
    verdict: Verdict
    writes: bool = False
    name: str = ""

    def __str__(self) -> str:
        return self.name or " ".join(self.arguments[:2])


def _rows(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.out.splitlines()]


def _unchanged(lab: Lab) -> str:
    return "" if lab.stored() == VALUES else "sessions are gone or changed"


def _listed(lab: Lab, run: Run) -> str:
    if run.status == 0 and {row["phone"] for row in _rows(run)} != set(VALUES):
        return f"{len(_rows(run))} of {SESSIONS} listed as all"
    return _unchanged(lab)


def _got(lab: Lab, run: Run) -> str:
    if run.status == 0 and (run.json or {}).get("session") != json.loads(VALUES[FIRST]):
        return "another session than is stored"
    if run.status == 4:
        return "said that no such session is stored"
    return _unchanged(lab)


def _raw(lab: Lab, run: Run) -> str:
    if run.status == 0 and run.out != VALUES[FIRST]:
        return "other bytes than are stored"
    return _unchanged(lab)


def _counted(key: str) -> Verdict:
    def verdict(lab: Lab, run: Run) -> str:
        if run.status == 0 and (run.json or {}).get(key) != SESSIONS:
            return f"{(run.json or {}).get(key)} of {SESSIONS} counted as all"
        return _unchanged(lab)

    return verdict


def _ttl(lab: Lab, run: Run) -> str:
    found = run.json or {}
    if run.status == 0 and not TTL - 600 < (found.get("ttl") or 0) <= TTL:
        return f"a TTL of {found.get('ttl')}"
    return _unchanged(lab)


def _touched(lab: Lab, run: Run) -> str:
    left = lab.client.ttl(PREFIX + FIRST)
    if run.status == 0 and left < 21_600 - 600:
        return f"touched, and {left} s are left"
    return _unchanged(lab)


def _deleted(lab: Lab, run: Run) -> str:
    stored = lab.stored()
    if run.status == 0 and FIRST in stored:
        return "deleted, and still there"
    stored.pop(FIRST, None)
    return "" if stored.items() == VALUES.items() - {(FIRST, VALUES[FIRST])} else "too much is gone"


def _flushed(lab: Lab, run: Run) -> str:
    gone = SESSIONS - len(lab.stored())
    if run.status == 0:
        told = (run.json or {}).get("deleted")
        return "" if told == gone == SESSIONS else f"{told} told, {gone} gone of {SESSIONS}"
    said = run.err.decode(errors="replace")
    if gone and " 0 keys" in said and "unknown" not in said and "know" not in said:
        return f"{gone} are gone and none was told"
    return ""


def _exported(lab: Lab, run: Run) -> str:
    path = Path(run.arguments[-1])
    if run.status == 0:
        found = archived(path)
        if found != {phone: value.decode() for phone, value in VALUES.items()}:
            return f"{len(found)} of {SESSIONS} exported as all"
    elif path.exists():
        return "failed, and left a file under the name asked for"
    return _unchanged(lab)


def archived(path: Path) -> dict[str, str]:
    """Return the sessions of an archive: phone → value."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["phone"]: line["value"] for line in lines[1:-1]}


def _imported(lab: Lab, run: Run) -> str:
    stored = lab.stored()
    if any(VALUES.get(phone) != value for phone, value in stored.items()):
        return "half a value is stored"
    if run.status == 0 and len(stored) != SESSIONS:
        return f"{len(stored)} of {SESSIONS} imported as all"
    return ""


def _flow(lab: Lab, run: Run) -> str:
    found = run.json or {}
    if run.status == 0 and found.get("ok") is not True:
        return "status 0, and not ok"
    kept = lab.stored()
    return "" if all(kept.get(phone) == value for phone, value in VALUES.items()) else "lost some"


def _looked(lab: Lab, _run: Run) -> str:
    return _unchanged(lab)


READS = (
    Attacked(("session", "list", "-o", "jsonl"), _listed),
    Attacked(("session", "get", FIRST, "--json"), _got),
    Attacked(("session", "get", FIRST, "--raw"), _raw, name="session get --raw"),
    Attacked(("session", "ttl", FIRST, "--json"), _ttl),
    Attacked(("session", "ttl", "--json"), _counted("sessions"), name="session ttl, all"),
    Attacked(("session", "stats", "--json"), _counted("sessions")),
    Attacked(("session", "lint", "--json"), _counted("checked")),
    Attacked(("health", "--json"), _looked),
    Attacked(("redis", "memory", "--json"), _looked),
    Attacked(("doctor", "--json"), _looked),
)
"""Commands that only look."""


def exports(folder: Path) -> Attacked:
    """Return an export to a new file."""
    return Attacked(("session", "export", str(folder / "made.jsonl")), _exported)


def writes(lab: Lab) -> tuple[Attacked, ...]:
    """Return the commands that change sessions; the imported archive holds all sessions."""
    archive = str(lab.archive())
    return (
        Attacked(("session", "touch", FIRST, "--json"), _touched, writes=True),
        Attacked(("session", "delete", FIRST, "--json"), _deleted, writes=True),
        Attacked(("session", "flush", "--yes", "--json"), _flushed, writes=True),
        Attacked(("session", "import", archive, "--json"), _imported, writes=True),
        Attacked(
            ("session", "import", "--replace", archive, "--json"),
            _imported,
            writes=True,
            name="session import --replace",
        ),
        Attacked(("test-session", "--json"), _flow, writes=True),
    )


def prepare(lab: Lab, command: Attacked) -> None:
    """Fill the server; remove the sessions again for a command that is to bring them."""
    lab.fill()
    if "import" in command.arguments and "--replace" not in command.arguments:
        lab.client.delete(*(PREFIX + phone for phone in VALUES))


def every(lab: Lab) -> tuple[Attacked, ...]:
    """Return all commands."""
    return (*READS, exports(lab.folder), *writes(lab))
