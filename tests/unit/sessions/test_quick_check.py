"""Sessions that the quick check knows as clean, at each of its limits."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.sessions.contract import decode, quick_check, rules

NOW_MS = 1_767_225_600_000.0
LIMITS = rules.checks().limits
USER = {"role": "user", "content": "hola"}
KEYS = (
    *(b"wh:session:+1", b"wh:session:+23", b"wh:session:+", b"wh:session:1", b"wh:session:+1x"),
    *(
        b"wh:sess5ion:+1",
        b"wh:session:5+5",
        b"wh:session:+1+",
        b"wh:session:+\xd9\xa1",
        b"",
        b"a1:+1",
    ),
)
SAID = {"role": "assistant", "content": "hola_"}
TEXT = {"type": "text", "text": "¡Hola!"}


def call(name: str) -> dict[str, Any]:
    """Return the block of a tool call."""
    return {"type": "tool_use", "id": name, "name": "list_pets", "input": {}}


def bot(*blocks: dict[str, Any]) -> dict[str, Any]:
    """Return a message of the bot."""
    return {"role": "assistant", "content": list(blocks)}


def results(*names: str, role: str = "user") -> dict[str, Any]:
    """Return the results of tool calls."""
    told = [{"type": "tool_result", "tool_use_id": name, "content": "[]"} for name in names]
    return {"role": role, "content": f"__TOOL_RESULTS__{json.dumps(told)}"}


def is_clean(
    *messages: dict[str, Any],
    key: bytes = b"wh:session:+123",
    ttl_ms: int = 1_000,
    updated_at: float = NOW_MS,
) -> bool:
    """Return whether a session with those messages is clean."""
    shape = {"status": "active", "messages": messages, "updatedAt": updated_at}
    value = json.dumps(shape).encode()
    session = decode.read_quickly(value)
    return session is not None and quick_check.is_clean(
        (key, ttl_ms, value), session, NOW_MS, LIMITS
    )


@pytest.mark.parametrize(
    ("facts", "clean"),
    [
        ({"ttl_ms": 0}, True), ({"ttl_ms": -1}, False),
        ({"ttl_ms": 21_600_000}, True), ({"ttl_ms": 21_600_001}, False),
        ({"updated_at": 0}, True), ({"updated_at": -1}, False),
        ({"updated_at": NOW_MS}, True), ({"updated_at": NOW_MS + 1}, False),
        ({"key": b"wh:session:+1"}, True), ({"key": b"wh:session:+"}, False),
        ({"key": b"wh:session:1"}, False), ({"key": b"wh:session:+1x"}, False),
    ],
)  # fmt: skip
def test_a_fact_beyond_its_limit_is_left_to_the_rules(facts: dict[str, Any], clean: bool) -> None:
    """At the limit itself there is no finding."""
    assert is_clean(USER, **facts) is clean


@pytest.mark.parametrize(
    ("messages", "clean"),
    [
        ([USER] * 24, True),
        ([USER] * 25, False),
        ([USER, bot(TEXT)], True),
        ([USER, bot(TEXT, call("a")), results("a"), bot(TEXT)], True),
        ([USER, bot(call("a")), results("a"), bot(call("b")), results("b")], True),
        ([USER, SAID, USER, SAID], True),
        # The rules decide on all of these.
        ([USER, SAID, bot(call("a"))], False),
        ([USER, results("a", role="assistant")], False),
        ([USER, bot(call("a"))], False),
        ([USER, bot(call("a")), results("b")], False),
        ([USER, bot(call("a")), results("a"), results("a")], False),
        ([USER, bot(call("a")), results("a", "a")], False),
        ([USER, bot(call("a")), results()], False),
        ([USER, bot(call("a")), USER, results("a")], False),
        ([USER, bot(call("a")), bot(TEXT), results("a")], False),
        ([USER, bot(call("a"), call("b")), results("a", "b")], False),
        ([results("a"), bot(TEXT)], False),
        ([USER, bot(call("a")), results("a", role="assistant")], False),
        ([{"role": "user", "content": [TEXT]}], False),
    ],
)
def test_a_tool_call_is_clean_if_the_next_message_answers_it(
    messages: list[dict[str, Any]], clean: bool
) -> None:
    """Anything else may be a finding."""
    assert is_clean(*messages) is clean


@given(st.lists(st.sampled_from(KEYS), max_size=4), st.sampled_from([b"wh:session:+", b"a1:+"]))
def test_keys_are_clean_together_only_if_each_is(keys: list[bytes], plus: bytes) -> None:
    """With digits elsewhere, without any, and with more behind."""
    limits = quick_check.Limits(plus, 1, 24)
    each = [key.rstrip(b"0123456789") == plus != key for key in keys]
    assert quick_check.are_clean_keys(keys, limits) <= all(each)
    if plus == b"wh:session:+" and keys:
        assert quick_check.are_clean_keys(keys, limits) is all(each)
