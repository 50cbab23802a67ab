"""The view of a conversation. Nothing here writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pawsctl.cli.output.table import Line
from pawsctl.cli.output.units import duration, moment, plural, size
from pawsctl.sessions.contract import decode, deep_json, model

if TYPE_CHECKING:
    from pawsctl.sessions.contract.model import Block, Message, Record
    from pawsctl.sessions.query.rows import Conversation

_FOLDED = 100

SPEAKERS = {"user": "user", "assistant": "bot", "tool": "tool"}
"""A role → its name in a transcript."""


def transcript(found: Conversation, *, full: bool, last: int | None) -> Iterator[Line]:
    """Render a conversation: who said what, with each tool call and result folded to a line.

    `full` unfolds them; `last` limits the messages to that many at the end.
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
        yield from message_lines(message, full=full)


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
    for note in found.notes:
        yield [(f"- {note}", "dim")]


def message_lines(message: Message, *, full: bool) -> Iterator[Line]:
    """Render a message: the speaker and the text, or tool calls and results."""
    if message.is_tool_results:
        results = decode.tool_results(message)
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
    speaker = SPEAKERS.get(message.role, message.role)
    if not isinstance(message.content, list):
        yield from _said(speaker, message.text, style)
        return
    for block in message.content:
        if block.type == "text":
            yield from _said(speaker, block.text, style)
        else:
            yield from _block(block, full=full)


def _said(speaker: str, text: str, style: str) -> Iterator[Line]:
    # Only \n breaks a line; \r would let the next words overwrite these, so it is escaped.
    first, *rest = text.split("\n")
    yield [(f"{speaker:<5}", style), ("  " + first, "")]
    for line in rest:
        yield [("       " + line, "")]


def _block(block: Block, *, full: bool) -> Iterator[Line]:
    label = f"→ {block.name}" if block.name else f"[{block.type or 'block'}]"
    content = block.input if block.content is None else block.content
    if isinstance(block, model.StrangeBlock):
        content = block.fields
    yield from _folded(label, content, style="magenta", full=full)


def _tool_result(content: Any, *, is_error: bool, full: bool, name: str = "") -> Iterator[Line]:
    if isinstance(content, str):
        with suppress(ValueError, RecursionError):
            content = json.loads(content)
    failed = is_error or (isinstance(content, dict) and content.get("ok") is False)
    label = f"← {name}{'error' if failed else 'result'}"
    yield from _folded(label, content, style="red" if failed else "green", full=full)


def _folded(label: str, content: Any, *, style: str, full: bool) -> Iterator[Line]:
    """Render a label and a JSON value: cut to one line, or unfolded below the label if `full`."""
    if content is None or content == {}:
        yield [("       " + label, style)]
    elif full:
        yield [("       " + label, style)]
        for line in _json(content, indent=2).split("\n"):
            yield [("         " + line, "dim")]
    else:
        text = _json(content)
        if len(text) > _FOLDED:
            text = text[:_FOLDED] + f"… ({plural(len(text), 'character')}, --full shows them)"
        yield [("       " + label + " ", style), (text, "dim")]


def _json(content: Any, *, indent: int | None = None) -> str:
    try:
        return json.dumps(content, ensure_ascii=False, indent=indent)
    except RecursionError:
        return deep_json.dumps(content)
