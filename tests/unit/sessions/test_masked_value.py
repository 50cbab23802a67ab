"""Masked conversations: nothing that was said is left, and the bot reads them as the originals."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.sessions.contract import masked_value, rules
from pawsctl.sessions.contract.mask import Mask
from pawsctl.sessions.contract.model import Record
from tests.conftest import BROKEN, GOOD, STUCK, TRIMMED
from tests.model_api import refusal

MASK = Mask(b"key")

# Words of the format itself, which a masked conversation may have.
_OWN = {
    *("status", "active", "messages", "role", "user", "assistant", "tool", "content", "type"),
    *("text", "tool_use", "tool_result", "tool_name", "tool_use_id", "id", "name", "input"),
    *("updatedAt", "is_error", "thinking", "signature", "server_tool_use", "image", "source"),
    *("media_type", "data", "ok", "error", "true", "false", "null", "__TOOL_RESULTS__", "base64"),
    *("query", "n", "site", "recencyDays", "dateOfBirth", "species", "message", "results"),
    *("title", "url", "register_pet", "register_user", "list_pets", "web_search", "ask_user"),
    *("sex", "weight", "breed"),
}


def _rules_broken(value: bytes) -> list[str]:
    record = Record(b"wh:session:+1", 1_000, value)
    return [each.rule for each in rules.findings(record, rules.read(record), 4_102_444_800_000.0)]


@pytest.mark.parametrize("path", [*GOOD, *BROKEN, *STUCK, *TRIMMED], ids=lambda path: path.name)
def test_no_word_of_a_sample_is_left(path: Path) -> None:
    """But those of the format, ids of calls and the time of the update; the faults stay."""
    value = path.read_bytes()
    masked = masked_value.conversation(value, MASK)
    assert masked_value.conversation(value, MASK) == masked
    words = set(re.findall(r"\w+", masked.decode()))
    words -= {each for each in words if re.fullmatch(r"masked_\w+|1703\d+|1704\d+|0|5", each)}
    assert words <= _OWN
    # A value that is no JSON, or is too deep, may be broken otherwise afterwards.
    if "json" not in _rules_broken(value) and path.name not in ("latin1.bin", "deep.txt"):
        assert _rules_broken(masked) == _rules_broken(value)
    if path in GOOD + STUCK:
        messages = json.loads(value)["messages"]
        same = bool(refusal(messages)) == bool(refusal(json.loads(masked)["messages"]))
        assert same


_SECRET = st.sampled_from(["Lucía", "+59899123456", "59899123456", "Calle 1"])
_ANY = st.recursive(
    st.one_of(_SECRET, st.just(59899123456), st.just(59899.123456), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                _SECRET,
                st.sampled_from(["role", "type", "content", "id", "name", "input", "status"]),
                st.sampled_from(["messages", "tool_use_id", "tool_name", "text"]),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(_ANY, st.sampled_from(["text", "tool_use", "tool_result", "other"]))
def test_what_is_said_anywhere_is_masked(said: Any, kind: str) -> None:
    """In fields, names of fields, results in results, and values of any shape."""
    inner = json.dumps(said, ensure_ascii=False)
    block = {"type": kind, "content": inner, "name": "Lucía", "x": said}
    results = f"__TOOL_RESULTS__{json.dumps([block, said], ensure_ascii=False)}"
    messages = [
        said,
        {"role": "user", "content": said, "more": said},
        {"role": "user", "content": results},
        {"role": "tool", "content": inner, "tool_use_id": "+59899123456"},
        {"role": "assistant", "content": [block, said]},
    ]
    for document in (said, {"messages": messages, "status": "Lucía", "updatedAt": said}):
        if isinstance(document, dict) and isinstance(document.get("updatedAt"), int | float):
            # The one number that is kept.
            document["updatedAt"] = 0
        masked = masked_value.conversation(json.dumps(document).encode(), MASK).decode()
        for word in ("Luc", "598", "991", "123", "Calle", "\\u"):
            assert word not in masked
        json.loads(masked)


def masked(value: Any) -> Any:
    """Return a conversation masked, as a value."""
    document = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return json.loads(masked_value.conversation(document, MASK))


def test_the_shape_of_a_conversation_stays() -> None:
    """Its own fields, types and tools do, and the time; the rest are blocks, and numbers 0."""
    call, other = MASK.call("a"), "█████"
    messages = [
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "a", "name": "list_pets", "input": {"n": 2, "x": "y"}},
                {"type": "other", "id": "", "name": "Lucía", "content": "Hola"},
                {"type": "tool_result", "tool_use_id": "a", "content": '{"ok":true,"n":5}'},
                "Hola",
            ],
            "extra": [True, None, 2.5, {"role": "user"}],
        },
        {"role": "other", "content": 5, "tool_name": "web_search", "tool_use_id": "a"},
        {"role": "user", "content": "[1"},
        "Hola",
    ]
    expected = [
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": call, "name": "list_pets", "input": {"n": 0, "█": "█"}},
                {"type": other, "id": "", "name": other, "content": "████"},
                {"type": "tool_result", "tool_use_id": call, "content": '{"ok":true,"n":0}'},
                "████",
            ],
            other: [True, None, 0, {"role": "████"}],
        },
        {"role": other, "content": 0, "tool_name": "web_search", "tool_use_id": call},
        {"role": "user", "content": "██"},
        "████",
    ]
    value = {"status": "active", "messages": messages, "updatedAt": 1.5}
    assert masked(value) == {**value, "messages": expected}
    assert masked({"status": "Lucía", "messages": 5, "updatedAt": True}) == {
        "status": other, "messages": 0, "updatedAt": True,
    }  # fmt: skip
    assert masked({"status": 5, "updatedAt": "x"}) == {"status": 0, "updatedAt": "█"}
    assert masked([{"role": "user"}, 5]) == [{"role": "████"}, 0]


def test_no_two_fields_become_one() -> None:
    """Unknown fields of one length have different names."""
    found = masked({"ab": 1, "cd": 2, "ef": {"gh": 3, "ij": 4}})
    assert found == {"██": 0, "███": 0, "████": {"██": 0, "███": 0}}


def test_an_infinite_time_is_a_number() -> None:
    """JSON has no infinity."""
    found = masked_value.conversation(b'{"updatedAt":1e400}', MASK)
    assert json.loads(found) == {"updatedAt": 1.7976931348623157e308}


def test_what_is_deep_is_left_out() -> None:
    """Beyond a hundred levels; above them all stays."""
    for opened, closed in (("[", "]"), ('{"n":', "}")):
        for depth, kept in ((100, 100), (101, 101), (102, 101), (300, 101)):
            text = f'{{"x":{opened * depth}{closed * depth}}}'
            text = text.replace('"n":}', "}")
            found = masked_value.conversation(text.encode(), MASK).decode()
            assert found.count("[") + found.count("{") - 1 == kept, (opened, depth)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"role":"user","content":"Hola"}', '{"role":"user","content":"████"}'),
        ("Hola", "████"),
        ("5", "0"),
    ],
)
def test_a_message_alone_is_masked(text: str, shown: str) -> None:
    """One that is no JSON as a whole."""
    assert masked_value.message(text, MASK) == shown


def test_a_broken_value_keeps_its_brackets() -> None:
    """So that it is seen how it is broken; a value of another application keeps nothing."""
    assert masked_value.conversation(b'{"a":["b\xff', MASK).decode() == '{"█":["██'
    assert masked_value.raw(b'{"a"}', MASK).decode() == "█████"
    assert masked_value.raw(b"a\xff", MASK).decode() == "██"
