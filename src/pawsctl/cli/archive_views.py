"""What a person sees of archives, and of sessions that were changed by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pawsctl.cli.text import Column
from pawsctl.cli.views import moment, plural, size

if TYPE_CHECKING:
    from pawsctl.backup.verifying import Verified
    from pawsctl.cli.text import Line
    from pawsctl.sessions.archive.export import Exported
    from pawsctl.sessions.archive.restore import Imported
    from pawsctl.sessions.changing import Deleted
    from pawsctl.sessions.seeding import Seeded

DELETED_COLUMNS: tuple[Column[Deleted], ...] = (
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("RESULT", lambda row: ("deleted", "") if row.deleted else ("no session", "red")),
)


def exported_text(result: Exported) -> str:
    """What was exported, in a sentence."""
    into = f" to {result.file}" if result.file else ""
    return (
        f"Exported {plural(result.sessions, 'session')} ({size(result.bytes)}) "
        f"of {result.url}{into}."
    )


def exported(result: Exported) -> Iterator[Line]:
    """What was exported, and where to."""
    yield [(exported_text(result), "")]


def export_warnings(result: Exported) -> Iterator[str]:
    """Yields what an archive does not hold."""
    yield from emptiness(result.sessions)
    for kind, count in result.left_out.items():
        yield f"{plural(count, 'key')} of type {kind} under wh:session: left out: no session."


def emptiness(sessions: int) -> Iterator[str]:
    """Yields a warning of an archive that would bring nothing back."""
    if not sessions:
        yield "The archive holds 0 sessions: it can bring none back."


def imported(result: Imported) -> Iterator[Line]:
    """What became of each session."""
    verb = "Would import" if result.dry_run else "Imported"
    yield [
        (f"{verb} {plural(result.imported, 'session')} ", "bold"),
        (f"into {result.url}; {result.kept} kept, {result.expired} expired", ""),
        (f", {result.rejected} rejected.", "red") if result.rejected else (".", ""),
    ]
    for each in result.reasons:
        yield [(f"! line {each.line}: {each.reason}", "red")]
    if result.rejected > len(result.reasons):
        yield [(f"! and {result.rejected - len(result.reasons)} more", "red")]
    if result.evicted:
        yield [
            (
                f"! Redis evicted {plural(result.evicted, 'key')} meanwhile: its memory is full, "
                "and sessions are missing",
                "red",
            )
        ]


def verified(result: Verified) -> Iterator[Line]:
    """What was proved."""
    yield [
        ("✓ ", "green"),
        (f"{plural(result.sessions, 'session')} restored and compared", "bold"),
        (": every byte, every TTL", ""),
    ]
    yield [(f"from {result.source}, {moment(result.exported_at)} UTC", "")]
    yield [(f"{size(result.bytes)} of values, {result.checksum}", "dim")]
    if result.expired:
        some = "all" if result.expired == result.sessions else str(result.expired)
        yield [(f"An import now would leave out {some} of them: their time is over.", "yellow")]


def seeded(result: Seeded) -> Iterator[Line]:
    """How many sessions were made up."""
    yield [(f"Wrote {plural(result.sessions, 'session')} into {result.url}.", "")]
