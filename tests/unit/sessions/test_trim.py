"""The bot's trim, compared with a second implementation written from the format."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pawsctl.sessions.contract import rules
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.smoke import bot

NOW_MS = 1_800_000_000_000.0

Message = dict[str, Any]


def kept(messages: list[Message]) -> list[Message]:
    """Group messages in turns, and keep the last 12 if there are more than 24 messages."""
    if len(messages) <= 24:
        return messages
    turns: list[list[Message]] = []
    for message in messages:
        if message["role"] == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return [message for turn in turns[-12:] for message in turn]


POOL: list[Message] = [
    {"role": "user", "content": "Hola"},
    {"role": "user", "content": "__TOOL_RESULTS__[]"},
    {"role": "assistant", "content": [{"type": "text", "text": "Hola"}]},
    {"role": "tool", "tool_use_id": "a", "content": "{}"},
]
MESSAGES = st.lists(st.sampled_from(POOL), min_size=20, max_size=60).map(
    lambda found: [each | {"number": number} for number, each in enumerate(found)]
)


@given(MESSAGES)
def test_the_store_trims_as_the_bot_does(messages: list[Message]) -> None:
    """Messages before the user's first are a turn of their own."""
    assert bot.trimmed(messages) == kept(messages)


@given(MESSAGES)
def test_lint_finds_what_the_bot_would_have_trimmed(messages: list[Message]) -> None:
    """It finds nothing else."""
    whole = {"status": "active", "messages": messages, "updatedAt": NOW_MS}
    record = Record(b"wh:session:+1", 3_600_000, json.dumps(whole).encode())
    found = {each.rule for each in rules.judged(record, NOW_MS)}
    assert ("trim" in found) == (kept(messages) != messages)


def test_an_assistant_before_twelve_turns_is_trimmed() -> None:
    """These are 13 turns, of which the last 12 stay."""
    greeting = {"role": "assistant", "content": "Hola"}
    exchange = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}] * 12
    assert bot.trimmed([greeting, *exchange]) == exchange
