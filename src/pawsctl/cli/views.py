"""What a person sees of a result: lines of styled text. Nothing here writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pawsctl.cli.text import Column, Line, Span
from pawsctl.sessions import model

if TYPE_CHECKING:
    from pawsctl.sessions.flow import FlowReport, StepResult
    from pawsctl.sessions.listing import Conversation, Item, Listed, TimeLeft
    from pawsctl.sessions.model import Block, Message
    from pawsctl.sessions.operations import Flushed, FlushPlan
    from pawsctl.sessions.rules import Record
    from pawsctl.sessions.stats import Expiry
    from pawsctl.settings import Setting


_FOLDED = 100


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


def _ttl_span(item: Item | TimeLeft) -> Span:
    if item.ttl is None:
        return "no session", "red"
    return duration(item.ttl), "red" if item.ttl < 0 else "yellow" if item.ttl < 900 else ""


def _last_words(listed: Listed) -> Span:
    if listed.item.problem:
        return f"! {listed.item.problem}", "red"
    session = listed.session
    if session is None or not session.messages:
        return "", ""
    last = session.messages[-1]
    words = " ".join(_summary(last).split())
    return f"{_SPEAKERS.get(last.role, last.role)}: {words}", ""


LIST_COLUMNS: tuple[Column[Listed], ...] = (
    Column("PHONE", lambda row: (row.item.phone, "cyan")),
    Column("STATUS", lambda row: (row.item.status or "-", "")),
    Column("MESSAGES", lambda row: (_or_dash(row.item.messages), ""), right=True),
    Column("TTL", lambda row: _ttl_span(row.item), right=True),
    Column("UPDATED (UTC)", lambda row: (moment(row.item.updated_at), "")),
    Column(
        "SIZE",
        lambda row: (size(row.item.bytes) if row.item.bytes is not None else "-", ""),
        right=True,
    ),
    Column("LAST MESSAGE", _last_words),
)

TTL_COLUMNS: tuple[Column[TimeLeft], ...] = (
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("TTL", _ttl_span, right=True),
    Column("SECONDS", lambda row: (_or_dash(row.ttl), ""), right=True),
)

SETTING_COLUMNS: tuple[Column[Setting], ...] = (
    Column("SETTING", lambda row: (row.name, "cyan")),
    Column("VALUE", lambda row: (row.value or "-", "")),
    Column("FROM", lambda row: (row.origin, "dim" if row.is_default else "")),
)

_SPEAKERS = {"user": "user", "assistant": "bot", "tool": "tool"}


def _or_dash(number: int | None) -> str:
    return "-" if number is None else str(number)


def _summary(message: Message) -> str:
    """A message in a few words, tool traffic included."""
    if message.is_tool_results:
        return "(tool results)"
    words = message.text
    if words:
        return words
    if isinstance(message.content, list):
        return ", ".join(f"({block.name or block.type})" for block in message.content)
    return ""


def transcript(found: Conversation, *, full: bool, last: int | None) -> Iterator[Line]:
    """A conversation: who said what, tool calls and their answers folded to a line each.

    `full` unfolds them; `last` limits the messages shown to that many at the end.
    """
    if found.record is None:
        return
    yield from _header(found, found.record)
    if found.session is None:
        return
    messages = found.session.messages
    first = max(0, len(messages) - last) if last is not None else 0
    if first:
        yield [(f"… {plural(first, 'earlier message')} (--last {last})", "dim")]
    for message in messages[first:]:
        yield []
        yield from _message(message, full=full)


def _header(found: Conversation, record: Record) -> Iterator[Line]:
    session = found.session
    yield [(found.phone, "bold cyan")]
    left = "never expires" if record.ttl < 0 else f"expires in {duration(record.ttl)}"
    facts = [left, size(len(record.value))] if record.value is not None else [left]
    if session is not None:
        facts = [session.status or "no status", plural(len(session.messages), "message"), *facts]
    yield [(" · ".join(facts), "")]
    updated = model.as_time(session.updated_at) if session else None
    if updated:
        ago = (datetime.now(UTC) - updated).total_seconds()
        when = f"{duration(ago)} ago" if ago >= 0 else "in the future"
        yield [(f"updated {moment(updated)} UTC, {when}", "dim")]
    for problem in found.problems:
        yield [(f"! {problem}", "red")]


def _message(message: Message, *, full: bool) -> Iterator[Line]:
    if message.is_tool_results:
        results = model.tool_results(message)
        if results is None:
            yield from _said("tool", message.text, "red")
        for result in results or ():
            yield from _tool_result(result.content, is_error=result.is_error, full=full)
        return
    if message.role == "tool":
        name = f"{message.tool_name} " if message.tool_name else ""
        yield from _tool_result(message.text, is_error=False, full=full, name=name)
        return
    style = {"user": "bold green", "assistant": "bold blue"}.get(message.role, "bold red")
    speaker = _SPEAKERS.get(message.role, message.role)
    if not isinstance(message.content, list):
        yield from _said(speaker, message.text, style)
        return
    for block in message.content:
        if block.type == "text":
            yield from _said(speaker, block.text, style)
        else:
            yield from _block(block, full=full)


def _said(speaker: str, text: str, style: str) -> Iterator[Line]:
    # \r would let the next words overwrite these; it is shown, and only \n breaks a line.
    first, *rest = text.split("\n")
    yield [(f"{speaker:<5}", style), ("  " + first, "")]
    for line in rest:
        yield [("       " + line, "")]


def _block(block: Block, *, full: bool) -> Iterator[Line]:
    label = f"→ {block.name}" if block.name else f"[{block.type or 'block'}]"
    yield from _folded(label, block.input, style="magenta", full=full)


def _tool_result(content: Any, *, is_error: bool, full: bool, name: str = "") -> Iterator[Line]:
    if isinstance(content, str):
        with suppress(ValueError, RecursionError):
            content = json.loads(content)
    failed = is_error or (isinstance(content, dict) and content.get("ok") is False)
    label = f"← {name}{'error' if failed else 'result'}"
    yield from _folded(label, content, style="red" if failed else "green", full=full)


def _folded(label: str, content: Any, *, style: str, full: bool) -> Iterator[Line]:
    """A label and a JSON value: on one line, cut, or unfolded below it."""
    if content is None or content == {}:
        yield [("       " + label, style)]
    elif full:
        yield [("       " + label, style)]
        for line in json.dumps(content, ensure_ascii=False, indent=2).split("\n"):
            yield [("         " + line, "dim")]
    else:
        text = json.dumps(content, ensure_ascii=False)
        if len(text) > _FOLDED:
            text = text[:_FOLDED] + f"… ({plural(len(text), 'character')}, --full shows them)"
        yield [("       " + label + " ", style), (text, "dim")]


def expiry(found: Expiry) -> Iterator[Line]:
    """How the time left is spread over all sessions."""
    yield [(plural(found.sessions, "session"), "bold")]
    if found.shortest is not None and found.longest is not None:
        yield [(f"shortest {duration(found.shortest)}, longest {duration(found.longest)}", "")]
    yield [(f"within 15 min {found.within_15m}, within 60 min {found.within_60m}", "")]
    if found.never:
        yield [(f"! {plural(found.never, 'session')} that never expire", "red")]
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
