"""The view of a conversation. Nothing here writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pawsctl import escaping
from pawsctl.cli.output.table import Line, Span, columns_of, cut, plain
from pawsctl.cli.output.units import about, clock, duration, moment, size
from pawsctl.cli.output.wrapping import joined, wrapped
from pawsctl.plurals import plural
from pawsctl.sessions.contract import decode, deep_json, model

if TYPE_CHECKING:
    from pawsctl.sessions.contract.model import Block, Message, Record
    from pawsctl.sessions.query.rows import Conversation

# Characters of a tool call or result, on a terminal that has room for more, too.
_FOLDED = 100
_LABEL = 7
_LEAST_FOLDED = 20
_PHONE = re.compile(r"\+?[0-9]+", re.ASCII)

SPEAKERS = {"user": "user", "assistant": "bot", "tool": "tool"}
"""A role → its name in a transcript."""
_STYLES = {"user": "bold green", "assistant": "bold blue", "tool": "bold cyan"}


def transcript(
    found: Conversation,
    *,
    full: bool,
    last: int | None,
    room: int | None,
    on_terminal: bool,
    is_masked: bool = False,
) -> Iterator[Line]:
    """Render a conversation: who said what, with each tool call and result folded to a line.

    `full` unfolds them; `last` limits the messages that people see to that many at the end. Lines
    are wrapped to `room` columns. On a terminal times are told from now. If phones are masked, the
    one that is shown is in no command.
    """
    if found.record is None:
        return
    header = _header(found, found.record, room=room, on_terminal=on_terminal, is_masked=is_masked)
    for line in header:
        yield from wrapped(line, room, indent=2)
    if found.session is None:
        return
    messages = found.session.messages
    first = model.last_said(messages, last) if last is not None else 0
    if first:
        yield []
        yield from wrapped(
            [(f"… {_counted(messages[:first], 'earlier ')} (--last {last})", "dim")], room
        )
    for message in messages[first:]:
        yield []
        yield from message_lines(message, full=full, room=room)


def _counted(messages: Sequence[Message], which: str = "") -> str:
    """Return how many messages people see, and how many of the others there are."""
    said = sum(message.is_said for message in messages)
    tools = len(messages) - said
    return plural(said, f"{which}message") + (
        f" and {plural(tools, 'tool message')}" if tools else ""
    )


def _header(
    found: Conversation, record: Record, *, room: int | None, on_terminal: bool, is_masked: bool
) -> Iterator[Line]:
    session, now = found.session, datetime.now(UTC)
    yield [(found.phone, "bold cyan")]
    left = "never expires"
    if record.ttl >= 0:
        left = f"expires in {duration(record.ttl)}{_at(now, record.ttl)}"
    facts = [left, size(record.size)] if record.value is not None else [left]
    if session is not None:
        facts = [session.status or "no status", _counted(session.messages), *facts]
    for line in joined(facts, room):
        yield [(line, "")]
    updated = model.as_time(session.updated_at) if session else None
    if updated:
        yield [(f"updated {moment(updated, now=now if on_terminal else None)}", "dim")]
    if session is not None and session.is_waiting:
        since = f" {about((now - updated).total_seconds())}" if updated else ""
        yield [(f"the customer has waited{since} for an answer", "bold yellow")]
    for problem in found.problems:
        yield [(f"! {problem}", "red")]
    if found.problems:
        yield from _way_out(found, is_masked=is_masked)
    for note in found.notes:
        yield [(f"- {note}", "dim")]


def _way_out(found: Conversation, *, is_masked: bool) -> Iterator[Line]:
    # Few conversations have a problem: the others need not wait for it.
    from pawsctl.sessions.stats.counts import STUCK

    if any(each.rule in STUCK for each in found.problems):
        # A phone alone: what else a key may have in it, a shell could run.
        is_safe = not is_masked and _PHONE.fullmatch(found.phone)
        name = f" {found.phone}" if is_safe else ""
        yield [(f"→ the bot can't go on with it: 'pawsctl session repair{name}'", "bold")]


def _at(now: datetime, seconds: int) -> str:
    try:
        return f", at {clock(now + timedelta(seconds=seconds), now=now)}"
    except (OverflowError, ValueError, OSError):
        # Redis takes a TTL that no calendar has.
        return ""


def message_lines(message: Message, *, full: bool, room: int | None) -> Iterator[Line]:
    """Render a message: the speaker beside the text, or beside tool calls and results."""
    role = "tool" if message.is_tool_results else message.role
    label: Span = (f"{SPEAKERS.get(role, role):<5}  ", _STYLES.get(role, "bold red"))
    # A message without any content has its line, too.
    for line in list(_body(message, full=full, room=room and room - _LABEL)) or [[]]:
        blanks = len(plain(line)) - len(plain(line).lstrip(" "))
        # A line that is indented, such as JSON, hangs below its own beginning.
        indent = _LABEL + blanks + (2 if blanks else 0)
        whole = [label, *line] if plain(line) else [(label[0].rstrip(), label[1])]
        yield from wrapped(whole, room, indent=indent)
        label = (" " * _LABEL, "")


def _body(message: Message, *, full: bool, room: int | None) -> Iterator[Line]:
    """Render what a message says, without its speaker."""
    if message.is_tool_results:
        results = decode.tool_results(message)
        if results is None:
            yield from _said(message.text)
        for result in results or ():
            yield from _tool_result(result.content, is_error=result.is_error, full=full, room=room)
    elif message.role == "tool":
        name = f"{message.tool_name} " if message.tool_name else ""
        yield from _tool_result(message.text, is_error=False, full=full, room=room, name=name)
    elif not isinstance(message.content, list):
        yield from _said(message.text)
    else:
        for block in message.content:
            if block.type == "text":
                yield from _said(block.text)
            else:
                yield from _block(block, full=full, room=room)


def _said(text: str) -> Iterator[Line]:
    # Only \n breaks a line; \r would let the next words overwrite these, so it is escaped.
    for line in text.split("\n"):
        yield [(line, "")]


def _block(block: Block, *, full: bool, room: int | None) -> Iterator[Line]:
    label = f"→ {block.name}" if block.name else f"[{block.type or 'block'}]"
    content = block.input if block.content is None else block.content
    if isinstance(block, model.StrangeBlock):
        content = block.fields
    yield from _folded(label, content, style="magenta", full=full, room=room)


def _tool_result(
    content: Any, *, is_error: bool, full: bool, room: int | None, name: str = ""
) -> Iterator[Line]:
    if isinstance(content, str):
        with suppress(ValueError, RecursionError):
            content = json.loads(content)
    failed = is_error or (isinstance(content, dict) and content.get("ok") is False)
    label = f"← {name}{'error' if failed else 'result'}"
    yield from _folded(label, content, style="red" if failed else "cyan", full=full, room=room)


def _folded(
    label: str, content: Any, *, style: str, full: bool, room: int | None
) -> Iterator[Line]:
    """Render a label and a JSON value: cut to one line, or unfolded below the label if `full`."""
    if content is None or content == {}:
        yield [(label, style)]
    elif full:
        yield [(label, style)]
        for line in _json(content, indent=2).split("\n"):
            yield [("  " + line, "dim")]
    else:
        text = escaping.visible(_json(content))
        left = None if room is None else room - columns_of(label) - 1
        yield [(label + " ", style), (_shortened(text, left), "dim")]


def _shortened(text: str, room: int | None) -> str:
    """Return the beginning of a tool call or result that has room on a line."""
    more = f"… ({plural(len(text), 'character')}, --full shows them)"
    if room is None or room >= _FOLDED + len(more):
        return text if len(text) <= _FOLDED else text[:_FOLDED] + more
    if columns_of(text) <= room:
        return text
    if room - len(more) < _LEAST_FOLDED:
        return cut(text, room)
    return cut(text, room - len(more) + 1).removesuffix("…") + more


def _json(content: Any, *, indent: int | None = None) -> str:
    try:
        return json.dumps(content, ensure_ascii=False, indent=indent)
    except RecursionError:
        return deep_json.dumps(content)
