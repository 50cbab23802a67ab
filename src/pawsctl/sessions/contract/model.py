"""The data types of sessions: messages, blocks, problems, records. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import repeat
from typing import TYPE_CHECKING, Any

import msgspec

from pawsctl import durations

TOOL_RESULTS = "__TOOL_RESULTS__"


# Decoded values are trees: garbage collection (`gc`) would look for cycles that can't be there.
# Unknown fields are forbidden since msgspec does not check that the fields it skips are UTF-8.
class Block(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One content block of an assistant's message, or one tool result.

    A field that the block's type does not have is empty. `input` and `content` are as the bot
    stored them.
    """

    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    input: Any = None
    tool_use_id: str = ""
    content: Any = None
    is_error: bool = False


class StrangeBlock(Block, frozen=True, gc=False):
    """A block with fields that the bot does not write itself; `fields` are all but its type."""

    fields: dict[str, Any] = {}


class Message(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One message; each class has these fields in its own way."""

    if TYPE_CHECKING:

        @property
        def role(self) -> str:
            """The one who says it: user, assistant, or another."""

        @property
        def content(self) -> str | Sequence[Block] | None:
            """A text, or a list of blocks; None if the field is missing."""

        @property
        def tool_name(self) -> str:
            """The tool whose result it is; empty unless the role is `tool`."""

        @property
        def tool_use_id(self) -> str:
            """The call whose result it is; empty unless the role is `tool`."""

    @property
    def is_tool_results(self) -> bool:
        """Whether this is the bot's record of tool results and no message of a person."""
        content = self.content
        return self.role == "user" and isinstance(content, str) and content.startswith(TOOL_RESULTS)

    @property
    def text(self) -> str:
        """The text of the message: its string, or its text blocks, one per line."""
        content = self.content
        if isinstance(content, str):
            return content
        return "\n".join([block.text for block in content or () if block.type == "text"])

    @property
    def summary(self) -> str:
        """The message's text, or a note in brackets for tool calls and results."""
        content = self.content
        if isinstance(content, str):
            is_results = content.startswith(TOOL_RESULTS) and self.role == "user"
            return "(tool results)" if is_results else content
        if content and len(content) == 1:
            # As most are.
            block = content[0]
            is_text = block.type == "text" and block.text
            return block.text if is_text else f"({block.name or block.type})"
        words = self.text
        if not words and content:
            return ", ".join([f"({block.name or block.type})" for block in content])
        return words

    @property
    def wants_answer(self) -> bool:
        """Whether an answer is due if it is the last: it is a user's, a tool call or its result."""
        role = self.role
        if role != "assistant":
            return role in ("user", "tool")
        content = self.content
        if isinstance(content, list):
            for block in content:
                if block.type == "tool_use":
                    return True
        return False

    @property
    def is_said(self) -> bool:
        """Whether a person sees it: it is more than tool calls, or the result of one."""
        if self.is_tool_results or self.role == "tool":
            return False
        return not isinstance(self.content, list) or any(
            block.type == "text" for block in self.content
        )


class OtherMessage(Message, frozen=True, gc=False):
    """A message that the bot does not write like this today, as far as it can be read."""

    role: str
    content: str | list[Block] | None = None
    tool_name: str = ""
    tool_use_id: str = ""


class Session(
    msgspec.Struct,
    frozen=True,
    gc=False,
    forbid_unknown_fields=True,
    rename={"updated_at": "updatedAt"},
):
    """A conversation. `updated_at` is milliseconds since the epoch, None if it is no number."""

    status: str
    messages: Sequence[Message]
    updated_at: float | None

    @property
    def is_waiting(self) -> bool:
        """Whether it ends in a message that wants an answer."""
        return bool(self.messages) and self.messages[-1].wants_answer


class Problem(msgspec.Struct, frozen=True):
    """A fault of a session: the id of the rule that is broken, and a clause that says how."""

    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


class Reading(msgspec.Struct, frozen=True):
    """A decoded value; `session` is None if the value can't be read.

    `problems` are the faults that decoding found, in the order of the rules.
    """

    session: Session | None
    problems: Sequence[Problem]


def last_said(messages: Sequence[Message], count: int) -> int:
    """Return the index of the first of the last `count` messages that people see.

    Tool calls and results between these are not counted.
    """
    if not count:
        return len(messages)
    said = [index for index, message in enumerate(messages) if message.is_said]
    return said[-count] if count < len(said) else 0


def as_time(milliseconds: float | None) -> datetime | None:
    """Return milliseconds since the epoch as a UTC time; None if out of the range of dates."""
    try:
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def encodable(text: str) -> str:
    r"""Return `text` with lone surrogates as `\ud83d`, since msgspec can't encode them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def turns(roles: Sequence[str]) -> list[int]:
    """Return the indexes at which a turn starts, given the roles of the messages.

    A turn starts at each `user` message, tool results included. Messages before the first one are a
    turn of their own.
    """
    return [index for index, role in enumerate(roles) if role == "user" or not index]


class Record(msgspec.Struct, frozen=True, gc=False):
    """The content of one session key at one moment.

    `ttl_ms` is milliseconds left, -1 for never. `value` is None if the key is no string; `type` is
    its Redis type.
    """

    key: bytes
    ttl_ms: int
    value: bytes | None
    type: str = "string"

    @property
    def ttl(self) -> int:
        """Whole seconds left, rounded as Redis's TTL does; -1 for never."""
        return durations.whole_seconds(self.ttl_ms)

    @property
    def size(self) -> int:
        """The size of the value in bytes."""
        return len(self.value or b"")


class Columns(msgspec.Struct, frozen=True, gc=False):
    """The records of several keys, column by column; `ttls` are in milliseconds.

    `types` are empty if all hold strings; else none does, and there are no `values`.
    """

    keys: Sequence[bytes]
    ttls: Sequence[int]
    values: Sequence[bytes]
    types: Sequence[str] = ()

    @property
    def records(self) -> list[Record]:
        """A record for each key."""
        if self.types:
            return list(map(Record, self.keys, self.ttls, repeat(None), self.types))
        return list(map(Record, self.keys, self.ttls, self.values))

    def string(self, index: int) -> Record:
        """Return the record of one of the strings."""
        return Record(self.keys[index], self.ttls[index], self.values[index])

    def part(self, begin: int, end: int) -> "Columns":
        """Return the strings from the index `begin` up to `end`, exclusive."""
        return Columns(self.keys[begin:end], self.ttls[begin:end], self.values[begin:end])

    def chosen(self, indexes: Sequence[int]) -> "Columns":
        """Return the strings at these indexes."""
        return Columns(
            [self.keys[index] for index in indexes],
            [self.ttls[index] for index in indexes],
            [self.values[index] for index in indexes],
        )


# A stored conversation while it is being changed: JSON as the bot writes it.
Document = dict[str, Any]
