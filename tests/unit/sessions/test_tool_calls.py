"""Conversations that the bot can't answer any more, according to the format."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.sessions.contract import rules
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.query import rows
from tests.conftest import STUCK, TRIMMED

NOW_MS = 1_800_000_000_000.0
TWO_MINUTES_MS = 120_000

Message = dict[str, Any]


def user(text: str = "Hola") -> Message:
    """Return a message from a person."""
    return {"role": "user", "content": text}


def said(text: str = "Listo.") -> Message:
    """Return a message from the bot."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


def calls(*ids: str) -> Message:
    """Return a message with the bot's tool calls."""
    blocks = [{"type": "tool_use", "id": each, "name": "list_pets", "input": {}} for each in ids]
    return {"role": "assistant", "content": blocks}


def results(*ids: str) -> Message:
    """Return the message that answers them."""
    found = [{"type": "tool_result", "tool_use_id": each, "content": "{}"} for each in ids]
    return user("__TOOL_RESULTS__" + json.dumps(found))


def old_result(call: str) -> Message:
    """Return the answer to one call, as an older bot stored it."""
    return {"role": "tool", "tool_name": "list_pets", "tool_use_id": call, "content": "{}"}


def record(messages: list[Message], *, age_ms: float = 10 * TWO_MINUTES_MS) -> Record:
    """Return a session with those messages."""
    whole = {"status": "active", "messages": messages, "updatedAt": NOW_MS - age_ms}
    return Record(b"wh:session:+123", 3_600_000, json.dumps(whole).encode())


def found(messages: list[Message], *, age_ms: float = 10 * TWO_MINUTES_MS) -> list[str]:
    """Return the ids of the rules that a conversation breaks, notes included."""
    return [each.rule for each in rules.judged(record(messages, age_ms=age_ms), NOW_MS)]


@pytest.mark.parametrize(
    ("messages", "broken"),
    [
        ([user(), calls("a"), user()], ["unanswered-call"]),
        ([user(), calls("a"), said()], ["unanswered-call"]),
        ([user(), calls("a"), said(), user(), calls("b"), results("b")], ["unanswered-call"]),
        ([user(), calls("a", "b"), user()], ["unanswered-call"]),
        ([user(), calls("a"), user(), results("a"), user()], ["late-result"]),
        ([user(), calls("a"), said(), results("a"), user()], ["late-result"]),
        ([user(), calls("a"), user(), old_result("a"), user()], ["late-result"]),
        ([user(), calls("a", "b"), results("a"), user(), results("b")], ["late-result"]),
        ([user(), calls("a", "b"), results("a"), user()], ["missing-result"]),
        ([user(), calls("a", "b"), results("b")], ["missing-result"]),
        ([user(), calls("a", "b"), old_result("a"), said()], ["missing-result"]),
        ([user(), calls("a"), results("a", "a"), said()], ["repeated-result"]),
        ([user(), calls("a"), results("a"), results("a"), said()], ["repeated-result"]),
        ([user(), calls("a"), results("a"), user(), results("a")], ["repeated-result"]),
        ([user(), calls("a"), old_result("a"), old_result("a")], ["repeated-result"]),
        ([user(), calls("a"), results(), user()], ["empty-results"]),
        ([results(), said()], ["empty-results"]),
        ([user(), said(""), user()], ["empty-text"]),
        ([user(), {"role": "user"}], ["content"]),
        ([user(), {"role": "user", "content": [{"type": "text", "text": "x"}]}], ["content"]),
        ([user(), said(), results("a")], ["tool-result"]),
        ([user(), old_result("a")], ["tool-result"]),
        ([user(), calls("a"), user("__TOOL_RESULTS__{"), said()], ["tool-result"]),
        ([results("a"), said(), user()], ["headless-result"]),
        ([results("a", "b"), results("c"), said()], ["headless-result", "headless-result"]),
        ([results("a"), results("a"), said()], ["headless-result", "repeated-result"]),
        ([user(), calls("a"), results("a")], []),
        ([user(), calls("a", "b"), results("b", "a"), said()], []),
        ([user(), calls("a", "b"), results("a"), results("b"), said()], []),
        ([user(), calls("a", "b"), old_result("a"), old_result("b"), said()], []),
        ([user(), calls("a"), results("a"), calls("a"), results("a"), said()], []),
        ([user("say __TOOL_RESULTS__[]"), said()], []),
        (
            [user(), calls("a", "a"), results("a", "a"), said()],
            ["repeated-result", "missing-result"],
        ),
    ],
)
def test_each_way_to_be_stuck_is_found(messages: list[Message], broken: list[str]) -> None:
    """No other rule is broken."""
    assert found(messages) == broken


def test_an_open_call_is_normal_for_two_minutes() -> None:
    """The bot is working on it; later it is stuck. This is for the end only."""
    open_call = [user(), calls("a")]
    assert found(open_call, age_ms=0) == []
    assert found(open_call, age_ms=TWO_MINUTES_MS - 1) == []
    assert found(open_call, age_ms=TWO_MINUTES_MS) == ["open-call"]
    assert found([*open_call, user()], age_ms=0) == ["unanswered-call"]


@pytest.mark.parametrize("sample", STUCK, ids=lambda path: path.stem)
def test_what_is_stuck_has_a_problem(sample: Path) -> None:
    """Each sample has exactly the problem that it was made for."""
    stuck = Record(b"wh:session:+123", 3_600_000, sample.read_bytes())
    rule = {
        "empty-text-block": "empty-text",
        "killed-in-a-tool": "unanswered-call",
        "message-during-a-tool": "late-result",
        "one-of-two-results": "missing-result",
        "user-without-content": "content",
    }[sample.stem]
    assert [each.rule for each in rules.judged(stuck, NOW_MS)] == [rule]
    problem = rows.listed(stuck, NOW_MS).item.problem
    assert problem is not None
    assert problem.startswith(rule + ":")


@pytest.mark.parametrize("sample", TRIMMED, ids=lambda path: path.stem)
def test_what_the_trim_leaves_has_a_note_and_no_problem(sample: Path) -> None:
    """The session works, but an old version of the bot fails on it."""
    trimmed = Record(b"wh:session:+123", 3_600_000, sample.read_bytes())
    assert rows.listed(trimmed, NOW_MS).item.problem is None
    whole = rows.conversation(trimmed.key, trimmed, NOW_MS)
    assert list(whole.problems) == []
    assert [each.rule for each in whole.notes] == ["headless-result"]


def answers_at_once(messages: list[Message]) -> bool:
    """Implement the model's rule again: exactly the results of a call follow directly after it."""
    ids = ["?".join(sorted(ids_of(each))) for each in messages]
    for number, message in enumerate(messages):
        if message["role"] == "assistant" and ids_of(message):
            behind = []
            for each in messages[number + 1 :]:
                if each["role"] == "assistant" or not ids_of(each):
                    break
                behind += ids_of(each)
            if sorted(behind) != sorted(ids_of(message)):
                return False
        elif ids_of(message):
            before = number
            while before >= 0 and messages[before]["role"] != "assistant" and ids[before]:
                before -= 1
            if before < 0 or not ids_of(messages[before]):
                return False
    return True


def ids_of(message: Message) -> list[str]:
    """Return the ids of the calls that a message makes or answers."""
    content = message["content"]
    if isinstance(content, list):
        return [block["id"] for block in content if block["type"] == "tool_use"]
    if message["role"] == "tool":
        return [message["tool_use_id"]]
    if not content.startswith("__TOOL_RESULTS__"):
        return []
    return [each["tool_use_id"] for each in json.loads(content.removeprefix("__TOOL_RESULTS__"))]


@given(
    st.lists(
        st.sampled_from(
            [
                *(user(), said(), calls("a"), calls("a", "b"), calls("c")),
                *(results("a"), results("b"), results("c"), results("a", "b"), old_result("a")),
            ]
        ),
        max_size=8,
    )
)
def test_what_the_model_refuses_is_found(messages: list[Message]) -> None:
    """Compared with the model's rule, from a beginning that was not trimmed."""
    messages = [user(), *messages]
    assert (found(messages) == []) == answers_at_once(messages)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([calls("a"), user()], "no result follows the tool call in message 1"),
        ([calls("a", "b"), user()], "no result follows 2 of 2 tool calls in message 1"),
        ([calls("a", "b"), results("a")], "1 of 2 tool calls in message 1 got no result"),
        (
            [user(), calls("a")],
            "the tool call in message 2 is still open, and the bot works on it no longer",
        ),
        (
            [calls("a"), user(), results("a")],
            "the result of a tool call in message 1 comes only in message 3",
        ),
        ([user(), results("a")], "message 2 answers no tool call before it"),
        ([calls("a"), results("a", "a")], "message 2 has a result for the second time"),
        ([calls("a"), results()], "message 2 is an empty list of tool results"),
        (
            [user("__TOOL_RESULTS__{"), user()],
            "message 1 has tool results that are no JSON list of objects",
        ),
    ],
)
def test_a_fault_is_told_with_its_messages(messages: list[Message], said: str) -> None:
    """And with how many calls it is about."""
    told = [each.message for each in rules.judged(record(messages), NOW_MS)]
    assert said in told
