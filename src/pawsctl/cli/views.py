"""What a person sees of a result: lines of styled text. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from pawsctl.cli.text import Column, Line, Span

if TYPE_CHECKING:
    from pawsctl.pictures import Pictures
    from pawsctl.sessions.flow import FlowReport, StepResult
    from pawsctl.sessions.flushing import Flushed, FlushPlan
    from pawsctl.sessions.listing import Item, TimeLeft
    from pawsctl.sessions.stats import Expiry
    from pawsctl.settings import Setting
    from pawsctl.target import Target


def duration(seconds: float) -> str:
    """Seconds in the two largest units that matter: `5h 12m`, `12m 03s`, `8s`; -1 is never."""
    if seconds < 0:
        return "never"
    whole = int(seconds)
    days, hours, minutes = whole // 86_400, whole // 3_600 % 24, whole // 60 % 60
    if days:
        return f"{days}d {hours:02}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {whole % 60:02}s" if minutes else f"{whole}s"


def size(count: float) -> str:
    """Bytes as a person reads them: `812 B`, `1.2 KB` (1024 bytes), `3.4 MB`."""
    if count < 1024:
        return f"{count:.0f} B"
    for unit in ("KB", "MB", "GB"):
        count /= 1024
        if count < 1024 or unit == "GB":
            break
    return f"{count:.1f} {unit}"


def moment(time: datetime | None) -> str:
    """A time in UTC to the second, or a dash."""
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else "-"


def plural(count: int, noun: str) -> str:
    """`1 session`, `2 sessions`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def ttl_span(item: Item | TimeLeft) -> Span:
    """The time left of a session, in colour where it is short or never ends."""
    if item.ttl is None:
        return "no session", "red"
    return duration(item.ttl), "red" if item.ttl < 0 else "yellow" if item.ttl < 900 else ""


TTL_COLUMNS: tuple[Column[TimeLeft], ...] = (
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("TTL", ttl_span, right=True),
    Column("SECONDS", lambda row: (or_dash(row.ttl), ""), right=True),
)

SETTING_COLUMNS: tuple[Column[Setting], ...] = (
    Column("SETTING", lambda row: (row.name, "cyan")),
    Column("VALUE", lambda row: (row.value or "-", "")),
    Column("FROM", lambda row: (row.origin, "dim" if row.is_default else "")),
)


def url(found: dict[str, str]) -> Iterator[Line]:
    """A URL alone, for a program that is handed it."""
    yield [(found["url"], "")]


def or_dash(number: int | None) -> str:
    """A number, or a dash where there is none."""
    return "-" if number is None else str(number)


def expiry(found: Expiry) -> Iterator[Line]:
    """How the time left is spread over all sessions."""
    yield [(plural(found.sessions, "session"), "bold")]
    if found.shortest is not None and found.longest is not None:
        yield [(f"shortest {duration(found.shortest)}, longest {duration(found.longest)}", "")]
    yield [(f"within 15 min {found.within_15m}, within 60 min {found.within_60m}", "")]
    if found.never:
        verb = "expires" if found.never == 1 else "expire"
        yield [(f"! {plural(found.never, 'session')} that never {verb}", "red")]
    if found.over_6h:
        yield [(f"! {plural(found.over_6h, 'session')} with more than 6 h left", "red")]
    most = max(bar.sessions for bar in found.histogram)
    for bar in found.histogram:
        if most and (bar.to is not None or bar.sessions):
            label = f"≤ {duration(bar.to)}" if bar.to is not None else f"> {duration(bar.above)}"
            yield [
                (f"{label:>9} ", ""),
                (bars(bar.sessions, most, 40), "cyan"),
                (f" {bar.sessions}", ""),
            ]


def bars(count: int, most: int, width: int) -> str:
    """A bar of `width` blocks for `most`, never empty where there is something to show."""
    return "█" * max(1 if count else 0, round(width * count / most))


def flush_target(target: Target) -> Iterator[Line]:
    """Where a flush deletes."""
    yield [("in ", ""), (target.url, "bold"), (f" (from {target.origin})", "")]


def flush_plan(plan: FlushPlan) -> Iterator[Line]:
    """What a flush would delete, and where."""
    yield [("in ", ""), (plan.url, "bold"), (f" (from {plan.origin}):", "")]
    yield [(f"  {plural(plan.sessions, 'session')}", "")]
    for kind, count in plan.others.items():
        yield [(f"  {plural(count, 'key')} of type {kind} under wh:session:", "yellow")]
    if plan.seen:
        yield [(f"  {plural(plan.seen, 'seen mark')}", "")]


def flushed(result: Flushed) -> Iterator[Line]:
    """What a flush deleted."""
    yield [(f"Deleted {plural(result.deleted, 'key')} in {result.url}.", "")]
    if result.unknown:
        yield [(f"Up to {result.unknown} more: a server went away before it had answered.", "")]
    for kind, count in result.others.items():
        yield [(f"  {plural(count, 'key')} of type {kind} among them", "yellow")]


def flow_step(step: StepResult) -> Iterator[Line]:
    """One step of the session flow, as it ends."""
    mark: Span = ("✓ ", "green") if step.ok else ("✗ ", "bold red")
    yield [
        mark,
        (f"{step.name:<22}", ""),
        (f"{step.seconds * 1000:>8.1f} ms  ", "dim"),
        (step.detail, "" if step.ok else "red"),
    ]


def flow_summary(report: FlowReport) -> Iterator[Line]:
    """The flow in a sentence."""
    passed = sum(step.ok for step in report.steps)
    seconds = sum(step.seconds for step in report.steps)
    style = "bold green" if report.ok else "bold red"
    yield [
        (f"{passed} of {plural(len(report.steps), 'step')} passed", style),
        (f" in {seconds:.1f} s against {report.target}", ""),
    ]


def pictures(found: Pictures) -> Line:
    """What the bot's pictures on their way take."""
    count = plural(found.keys, "picture")
    words = f"{count} on their way (temp_image:*) take {size(found.bytes)}"
    if found.complete:
        return [(words, "")]
    return [(f"at least {words}", ""), (f", not all was looked at: {found.reason}", "yellow")]
