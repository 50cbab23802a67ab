"""A stored value decoded: what the bot wrote, as far as it can be understood. Pure.

Decoding never fails: `read` tells the session and the first thing that is wrong with it. Values
that the bot's own code writes take a quick, typed path; everything else (lone surrogates, deep
nesting, foreign shapes) is decided by Python's `json`, held to what JSON.parse accepts.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

import msgspec

TOOL_RESULTS = "__TOOL_RESULTS__"


# What is decoded is a tree: garbage collection (`gc`) would look for cycles that can't be there.
# Unknown fields are forbidden since msgspec does not look whether what it skips is UTF-8.
class Block(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One content block of an assistant's message, or one tool result.

    A field is empty where the block's type has none. `input` and `content` keep whatever the bot
    stored there.
    """

    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    input: Any = None
    tool_use_id: str = ""
    content: Any = None
    is_error: bool = False


class Message(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One message. `content` is a text, or a list of blocks; None where the field is missing."""

    role: str
    content: str | list[Block] | None = None
    tool_name: str = ""
    tool_use_id: str = ""

    @property
    def is_tool_results(self) -> bool:
        """Whether this is the bot's record of tool answers and nothing a person wrote."""
        content = self.content
        return self.role == "user" and isinstance(content, str) and content.startswith(TOOL_RESULTS)

    @property
    def text(self) -> str:
        """The words of the message: its string, or its text blocks a line each."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(block.text for block in self.content or () if block.type == "text")

    @property
    def summary(self) -> str:
        """The message in a few words, what no person said in brackets."""
        if self.is_tool_results:
            return "(tool results)"
        words = self.text
        if not words and isinstance(self.content, list):
            return ", ".join(f"({block.name or block.type})" for block in self.content)
        return words

    @property
    def tool_uses(self) -> list[Block]:
        """The tool calls that this message makes."""
        if not isinstance(self.content, list):
            return []
        return [block for block in self.content if block.type == "tool_use"]


class Session(
    msgspec.Struct,
    frozen=True,
    gc=False,
    forbid_unknown_fields=True,
    rename={"updated_at": "updatedAt"},
):
    """A conversation. `updated_at` is milliseconds since the epoch, None where it is no number."""

    status: str
    messages: Sequence[Message]
    updated_at: float | None


class _BotMessage(Message, frozen=True, gc=False):
    role: Literal["user", "assistant"]


class BotSession(Session, frozen=True, gc=False):
    """A session just as the bot writes it today."""

    messages: list[_BotMessage]
    updated_at: float


class _Answer(msgspec.Struct, gc=False):
    tool_use_id: str = ""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a session: the id of the rule it breaks, and one clause that says how."""

    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


class Reading(msgspec.Struct, frozen=True):
    """What a stored value was found to be; `session` is None where nothing can be made of it.

    `problems` are what decoding found wrong, in the order of the rules they break.
    """

    session: Session | None
    problems: Sequence[Problem]


_decode = msgspec.json.Decoder(BotSession).decode
_decode_results = msgspec.json.Decoder(list[Block]).decode
_decode_answers = msgspec.json.Decoder(list[_Answer]).decode


def read(value: bytes) -> Reading:
    """Decode a stored value."""
    session = read_quickly(value)
    return _read_leniently(value) if session is None else Reading(session, [])


def read_quickly(value: bytes) -> BotSession | None:
    """The session in a value just as the bot writes it today; None where it takes a closer look.

    Its roles are `user` and `assistant`, and nothing is wrong with it but, maybe, the answers of
    tools.
    """
    try:
        return _decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def as_time(milliseconds: float | None) -> datetime | None:
    """Milliseconds since the epoch as a UTC time; None where no date has that number."""
    try:
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def encodable(text: str) -> str:
    r"""`text` with lone surrogates as `\ud83d`: msgspec can't encode them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def turns(messages: Sequence[Message]) -> list[int]:
    """The indexes at which a turn starts: at each user message, tool results included."""
    return [index for index, message in enumerate(messages) if message.role == "user"]


def answered(content: str) -> Sequence[str | None]:
    """The ids of the calls that a `__TOOL_RESULTS__` text answers; None for what can't be told."""
    try:
        return [each.tool_use_id for each in _decode_answers(content[len(TOOL_RESULTS) :])]
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return (None,)


def tool_results(message: Message) -> list[Block] | None:
    """The tool answers in a `__TOOL_RESULTS__` message, or None where they can't be read."""
    text = message.text.removeprefix(TOOL_RESULTS)
    try:
        return _decode_results(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        # Decided below: what msgspec refuses need not be wrong.
        pass
    try:
        found = _parse(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return None
    return [_block(each) for each in found]


def _read_leniently(value: bytes) -> Reading:
    def unreadable(rule: str, message: str) -> Reading:
        return Reading(None, [Problem(rule, message)])

    if not value:
        return unreadable("json", "the value is empty")
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        return unreadable("utf-8", f"byte {error.start} is not UTF-8")
    try:
        found = _parse(text)
    except RecursionError:
        return unreadable("json", "nested too deep to be read")
    except ValueError as error:
        return unreadable("json", f"not JSON ({error})")
    if not isinstance(found, dict):
        return unreadable("shape", f"the value is {_kind(found)}, not an object")
    problems: list[Problem] = []
    session = Session(
        status=found["status"] if isinstance(found.get("status"), str) else "",
        messages=_messages(found, problems),
        updated_at=_number(found.get("updatedAt")),
    )
    if not isinstance(found.get("status"), str):
        problems.insert(0, Problem("shape", "status is not a string"))
    if session.updated_at is None:
        problems.append(Problem("updated-at", "updatedAt is not a number"))
    return Reading(session, problems)


def _messages(found: dict[str, Any], problems: list[Problem]) -> list[Message]:
    entries = found.get("messages")
    if not isinstance(entries, list):
        what = f"{_kind(entries)}, not a list" if "messages" in found else "missing"
        problems.append(Problem("messages", f"messages is {what}"))
        return []
    messages = []
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            problems.append(Problem("messages", f"message {number} is {_kind(entry)}"))
            continue
        role, content = entry.get("role"), entry.get("content")
        if not isinstance(role, str):
            problems.append(Problem("role", f"message {number} has no role"))
            role = "?"
        if isinstance(content, list) and all(isinstance(each, dict) for each in content):
            content = [_block(each) for each in content]
        elif not isinstance(content, str | None):
            problems.append(Problem("content", f"content of message {number} is {_kind(content)}"))
            content = None
        messages.append(
            Message(role, content, _text(entry, "tool_name"), _text(entry, "tool_use_id"))
        )
    return messages


def _block(entry: dict[str, Any]) -> Block:
    return Block(
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


def _parse(text: str) -> Any:
    """JSON as JSON.parse has it: no NaN or Infinity, no byte order mark, numbers of any length."""
    if text.startswith("\ufeff"):
        raise ValueError("it begins with a byte order mark")
    # Python refuses an integer of more than 4,300 digits; JavaScript makes a double of each.
    return json.loads(text, parse_constant=_refuse, parse_int=float)
