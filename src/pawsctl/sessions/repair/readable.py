"""The messages of a history that the bot can read at all, and the others. Pure."""

from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

import msgspec

from pawsctl.sessions.contract import decode
from pawsctl.sessions.contract.model import Block, Message
from pawsctl.sessions.repair import history


class Change(msgspec.Struct, frozen=True):
    """A change of a message, by its number before; `what` continues a sentence about it."""

    message: int
    rule: str
    what: str


class Changes:
    """The changes of a conversation so far; `begin` is the message with which a fault begins."""

    def __init__(self) -> None:
        self.found: list[Change] = []
        self.begin = 0

    def note(self, message: int, rule: str, what: str, *, begin: int = 0) -> None:
        """Add a change; its fault begins with the message `begin`, or with `message` itself."""
        self.found.append(Change(message, rule, what))
        begin = begin or message
        self.begin = min(self.begin or begin, begin)


class Result(NamedTuple):
    """A tool result: the id of its call and its own text, empty for a message of role `tool`."""

    call: str
    text: str


class Item(msgspec.Struct, gc=False, eq=False):
    """A message: its text, the ids of its tool calls, and its results if it has tool results.

    `stored` is the number of results that the text has.
    """

    number: int
    role: str
    text: str
    calls: list[str] = []
    results: list[Result] | None = None
    stored: int = 0

    @property
    def is_results(self) -> bool:
        """Whether it is a `__TOOL_RESULTS__` message."""
        return self.role == "user" and self.results is not None


def items(texts: Sequence[str], messages: Sequence[Message], changes: Changes) -> Iterator[Item]:
    """Yield the messages that can be read, without blocks that the model refuses."""
    # The ids of tool calls so far: the model takes each only once in a history.
    calls: set[str] = set()
    for number, (text, message) in enumerate(zip(texts, messages, strict=True), 1):
        fault = _fault(text, message)
        if fault is not None:
            changes.note(number, *fault)
        elif message.role == "user":
            item = Item(number, "user", text)
            if message.is_tool_results:
                ids = decode.answered(message.text) or []
                item.results = list(map(Result, ids, history.results_in(message)))
                item.stored = len(ids)
            yield item
        elif message.role == "tool":
            yield Item(number, "tool", text, results=[Result(message.tool_use_id, "")])
        elif isinstance(message.content, list):
            dropped = _refused(message.content, calls)
            left = [each for at, each in enumerate(message.content) if at not in dropped]
            made = [each.id for each in left if each.type == "tool_use"]
            item = Item(number, "assistant", text, made)
            calls.update(made)
            if dropped:
                for index in sorted(dropped):
                    changes.note(number, *dropped[index])
                if len(dropped) == len(message.content):
                    continue
                item.text = history.without_blocks(text, set(dropped))
            yield item
        else:
            yield Item(number, "assistant", text)


def _fault(text: str, message: Message) -> tuple[str, str] | None:
    """Return the rule that a message breaks as a whole and a clause; None if it can stay."""
    role, content = message.role, message.content
    fault = None
    if not history.is_object(text):
        fault = ("messages", "is no object")
    elif role not in ("user", "assistant", "tool"):
        fault = ("role", "has no role that the bot knows")
    elif content is None or (role != "assistant" and not isinstance(content, str)):
        fault = ("content", "has no content of the right kind")
    elif content == []:
        fault = ("content", "has no content")
    elif message.is_tool_results and not (ids := decode.answered(message.text)):
        what = "has tool results that can't be read"
        fault = ("tool-result", what) if ids is None else ("empty-results", "has no tool result")
    return fault and (fault[0], f"{fault[1]}, and is removed")


def _refused(blocks: Sequence[Block], earlier: Set[str]) -> dict[int, tuple[str, str]]:
    """Return the indexes of the blocks that the model refuses, each with a rule and a clause.

    `earlier` are the ids of tool calls in earlier messages.
    """
    found: dict[int, tuple[str, str]] = {}
    calls: set[str] = set()
    for index, block in enumerate(blocks):
        if block.type == "text" and not block.text:
            found[index] = ("empty-text", "loses a text block that is empty")
        elif block.type == "tool_use":
            if not block.id:
                found[index] = ("unanswered-call", "loses a tool call that has no id")
            elif block.id in calls:
                found[index] = ("missing-result", "loses a tool call that it makes twice")
            elif block.id in earlier:
                what = "loses a tool call with the id of an earlier one"
                found[index] = ("unanswered-call", what)
            calls.add(block.id)
    return found
