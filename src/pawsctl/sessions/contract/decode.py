"""Decoding of stored values, as far as they can be understood. Pure.

Decoding never fails: `read` returns the session and its faults. Values that the bot's own code
writes take a quick, typed path; everything else (lone surrogates, deep nesting, foreign shapes)
goes through Python's `json`, restricted to what JSON.parse accepts.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, ClassVar, NoReturn

import msgspec

from pawsctl.sessions.contract import deep_json
from pawsctl.sessions.contract.model import (
    TOOL_RESULTS,
    Block,
    Message,
    OtherMessage,
    Problem,
    Reading,
    Session,
    StrangeBlock,
)

# An integer of fewer digits than this fits into a double.
_LONGEST_INTEGER = 300


# The blocks that the bot writes, one class for each type: they take less memory and time than
# Block, and have all its fields.
class TextBlock(
    msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, tag_field="type", tag="text"
):
    """A text."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    type: ClassVar = "text"
    id: ClassVar = ""
    name: ClassVar = ""
    input: ClassVar = None
    tool_use_id: ClassVar = ""
    content: ClassVar = None
    is_error: ClassVar = False


class ToolUse(
    msgspec.Struct,
    frozen=True,
    gc=False,
    forbid_unknown_fields=True,
    tag_field="type",
    tag="tool_use",
):
    """A tool call."""

    id: str
    name: str
    input: Any
    type: ClassVar = "tool_use"
    text: ClassVar = ""
    tool_use_id: ClassVar = ""
    content: ClassVar = None
    is_error: ClassVar = False


# One class for each role: decoding them is quicker, and the classes say who may send blocks.
class UserMessage(Message, frozen=True, gc=False, tag_field="role", tag="user"):
    """A message of the user, or tool results."""

    content: str
    role: ClassVar = "user"
    tool_name: ClassVar = ""
    tool_use_id: ClassVar = ""


class BotMessage(Message, frozen=True, gc=False, tag_field="role", tag="assistant"):
    """A message of the bot."""

    content: str | list[TextBlock | ToolUse]  # type: ignore[assignment]
    role: ClassVar = "assistant"
    tool_name: ClassVar = ""
    tool_use_id: ClassVar = ""


class BotSession(Session, frozen=True, gc=False):
    """A session exactly as the bot writes it today."""

    messages: list[UserMessage | BotMessage]
    updated_at: float


class _Answer(msgspec.Struct, gc=False):
    tool_use_id: str = ""


_BEFORE_RESULTS = len(TOOL_RESULTS)

read_as_bot = msgspec.json.Decoder(BotSession).decode
"""As `read_quickly`, but it raises one of UNLIKE_BOT."""
UNLIKE_BOT = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_decode_results = msgspec.json.Decoder(list[Block]).decode
_decode_answers = msgspec.json.Decoder(list[_Answer]).decode


def read(value: bytes) -> Reading:
    """Decode a stored value."""
    session = read_quickly(value)
    return _read_leniently(value) if session is None else Reading(session, [])


def read_quickly(value: bytes) -> BotSession | None:
    """Return the session in a value exactly as the bot writes it today; None for other values.

    Its roles are `user` and `assistant`, each message has content, and no text block is empty. The
    checks of `rules` are not made here.
    """
    try:
        return read_as_bot(value)
    except UNLIKE_BOT:
        return None


def answered(content: str) -> list[str] | None:
    """Return the call ids that a `__TOOL_RESULTS__` text answers; None if it can't be read."""
    try:
        return [each.tool_use_id for each in _decode_answers(content[_BEFORE_RESULTS:])]
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        # Try again below: msgspec refuses some text that is valid.
        pass
    blocks = _parsed_results(content)
    return None if blocks is None else [block.tool_use_id for block in blocks]


def answers(content: str, call: str) -> bool:
    """Return whether a `__TOOL_RESULTS__` text answers one call alone, the one of that id."""
    try:
        found = _decode_answers(content[_BEFORE_RESULTS:])
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return answered(content) == [call]
    return len(found) == 1 and found[0].tool_use_id == call


def tool_results(message: Message) -> list[Block] | None:
    """Return the tool results in a `__TOOL_RESULTS__` message; None if they can't be read."""
    try:
        return _decode_results(message.text.removeprefix(TOOL_RESULTS))
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        # As above.
        return _parsed_results(message.text)


def _parsed_results(content: str) -> list[Block] | None:
    try:
        found = parse(content.removeprefix(TOOL_RESULTS))
    except ValueError:
        return None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return None
    return [_block(each) for each in found]


def text(value: bytes) -> str:
    """Return a stored value as the bot reads it: bytes that are not UTF-8 become U+FFFD."""
    return value.decode("utf-8", "replace")


def _read_leniently(value: bytes) -> Reading:
    problems: list[Problem] = []

    def unreadable(rule: str, message: str) -> Reading:
        return Reading(None, [*problems, Problem(rule, message)])

    if not value:
        return unreadable("json", "the value is empty")
    try:
        value.decode()
    except UnicodeDecodeError as error:
        problems.append(Problem("utf-8", f"byte {error.start} is not UTF-8"))
    try:
        found = parse(text(value))
    except ValueError as error:
        return unreadable("json", f"not JSON ({error})")
    if not isinstance(found, dict):
        return unreadable("shape", f"the value is {_kind(found)}, not an object")
    if not isinstance(found.get("status"), str):
        problems.append(Problem("shape", "status is not a string"))
    session = Session(
        status=found["status"] if isinstance(found.get("status"), str) else "",
        messages=_messages(found, problems),
        updated_at=_number(found.get("updatedAt")),
    )
    if session.updated_at is None:
        problems.append(Problem("updated-at", "updatedAt is not a number"))
    return Reading(session, problems)


def _messages(found: dict[str, Any], problems: list[Problem]) -> list[Message]:
    entries = found.get("messages")
    if not isinstance(entries, list):
        what = f"{_kind(entries)}, not a list" if "messages" in found else "missing"
        problems.append(Problem("messages", f"messages is {what}"))
        return []
    messages: list[Message] = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            problems.append(Problem("messages", f"message {number} is {_kind(entry)}"))
            # Keep it, so that later messages keep their numbers.
            messages.append(OtherMessage("?"))
            continue
        role, content = entry.get("role"), entry.get("content")
        if not isinstance(role, str):
            problems.append(Problem("role", f"message {number} has no role"))
            role = "?"
        if isinstance(content, list) and all(isinstance(each, dict) for each in content):
            content = [_block(each) for each in content]
        elif not isinstance(content, str):
            if content is not None or role in ("user", "assistant"):
                what = f"is {_kind(content)}" if "content" in entry else "is missing"
                problems.append(Problem("content", f"content of message {number} {what}"))
            content = None
        messages.append(
            OtherMessage(role, content, _text(entry, "tool_name"), _text(entry, "tool_use_id"))
        )
    return messages


def _block(entry: dict[str, Any]) -> Block:
    fields = {name: value for name, value in entry.items() if name != "type"}
    is_strange = not entry.keys() <= set(Block.__struct_fields__)
    kind: Callable[..., Block] = partial(StrangeBlock, fields=fields) if is_strange else Block
    return kind(
        type=_text(entry, "type"),
        text=_text(entry, "text"),
        id=_text(entry, "id"),
        name=_text(entry, "name"),
        input=entry.get("input"),
        tool_use_id=_text(entry, "tool_use_id"),
        content=entry.get("content"),
        is_error=entry.get("is_error") is True,
    )


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "a list"
    return "an object"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def parse(
    text: str,
    *,
    parse_int: Callable[[str], Any] | None = None,
    parse_float: Callable[[str], Any] = float,
) -> Any:
    """Parse JSON as JSON.parse does: no NaN, Infinity or byte order mark, numbers of any length.

    Integers and other numbers are parsed by these functions; in nesting beyond Python's recursion
    limit, other numbers are floats. Raises ValueError.
    """
    parse_int = parse_int or _integer
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark")
    try:
        return json.loads(
            text, parse_constant=_refuse, parse_int=parse_int, parse_float=parse_float
        )
    except RecursionError:
        return deep_json.loads(text, parse_int=parse_int)


def _integer(digits: str) -> int | float:
    # Python refuses integers of more than 4,300 digits; JavaScript makes every number a double.
    return int(digits) if len(digits) < _LONGEST_INTEGER else float(digits)
