"""The repair of a conversation: what is wrong with its messages, and how they look after. Pure."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Literal

import msgspec

from pawsctl.sessions.contract import model
from pawsctl.sessions.contract.model import Message
from pawsctl.sessions.contract.rules import MAX_MESSAGES, MAX_TURNS
from pawsctl.sessions.repair import readable
from pawsctl.sessions.repair.pairing import paired
from pawsctl.sessions.repair.readable import Change, Changes, Item


class Difference(msgspec.Struct, frozen=True):
    """A message that is removed, by its number before, or added, by its number after."""

    mark: Literal["-", "+"]
    message: int
    text: str


class Plan(msgspec.Struct, frozen=True):
    """The changes of a conversation, and the texts of its messages after them."""

    changes: list[Change]
    messages: list[str]


def planned(texts: Sequence[str], messages: Sequence[Message]) -> Plan:
    """Plan the repair of messages, given as texts and decoded."""
    changes, found = _repaired(texts, messages)
    return _trimmed(changes.found, found) if changes.found else Plan([], list(texts))


def cut(texts: Sequence[str], messages: Sequence[Message]) -> Plan:
    """Plan to end the history before its first fault."""
    count, rule = len(texts), ""
    while True:
        changes, found = _repaired(texts[:count], messages[:count])
        if not changes.found:
            break
        rule = rule or changes.found[0].rule
        count = changes.begin - 1
    if not rule:
        return Plan([], list(texts))
    left_out = len(texts) - count
    what = f"is where the history ends now: {left_out} message{'s go' if left_out > 1 else ' goes'}"
    return _trimmed([Change(count + 1, rule, what)], found)


def _repaired(texts: Sequence[str], messages: Sequence[Message]) -> tuple[Changes, list[Item]]:
    changes = Changes()
    leading = list(takewhile(lambda each: each.is_tool_results, messages))
    found = paired(list(readable.items(texts, messages, changes)), len(leading), changes)
    return changes, found


def _trimmed(changes: list[Change], items: Sequence[Item]) -> Plan:
    """Return the plan, trimmed as the bot does with the next message, results without calls too."""
    begins = model.turns([each.role for each in items])
    if len(items) > MAX_MESSAGES and len(begins) > MAX_TURNS:
        kept = items[begins[-MAX_TURNS] :]
        while kept[0].is_results:
            kept = kept[1:]
        what = f"is the first of {len(items) - len(kept)} that are trimmed, as the bot does"
        changes = [*changes, Change(items[0].number, "trim", what)]
        items = kept
    return Plan(sorted(changes, key=lambda each: each.message), [each.text for each in items])


def difference(before: Sequence[str], after: Sequence[str]) -> list[Difference]:
    """Return what is removed and added, in the order of the messages."""
    old, new = [each.strip() for each in before], [each.strip() for each in after]
    found = []
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for _, begin, end, new_begin, new_end in matcher.get_opcodes():
        if old[begin:end] != new[new_begin:new_end]:
            found += [_line("-", number, old) for number in range(begin, end)]
            found += [_line("+", number, new) for number in range(new_begin, new_end)]
    return found


def _line(mark: Literal["-", "+"], index: int, texts: Sequence[str]) -> Difference:
    return Difference(mark, index + 1, model.encodable(texts[index]))
