"""Decoding of stored values."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.sessions.contract import decode, quick_check, rules
from pawsctl.sessions.contract.model import Block, Problem, Reading, Record, StrangeBlock
from pawsctl.sessions.contract.rules import Rule
from pawsctl.sessions.query import rows
from tests.conftest import BROKEN, GOOD, TRIMMED

NOW_MS = 1_800_000_000_000.0
TTL_MS = 3_600_000


def problems(value: bytes) -> list[str]:
    """Return the ids of the rules that a stored value breaks."""
    record = Record(b"wh:session:+123", TTL_MS, value)
    return [each.rule for each in rules.problems(record, rules.read(record), NOW_MS)]


def session(**fields: object) -> bytes:
    """Return a healthy value with some fields replaced."""
    whole = {"status": "active", "messages": [], "updatedAt": 1_704_067_200_000} | fields
    return json.dumps(whole).encode()


@pytest.mark.parametrize("sample", [*GOOD, *TRIMMED], ids=lambda path: path.stem)
def test_what_the_bot_wrote_is_read_without_a_problem(sample: Path) -> None:
    """Every sample decodes, with the right number of messages."""
    value = sample.read_bytes()
    reading = decode.read(value)
    assert reading.session is not None
    assert len(reading.session.messages) == len(json.loads(value)["messages"])
    assert problems(value) == []


@pytest.mark.parametrize(
    ("name", "rule"),
    {
        "array": "shape",
        "deep": "content",
        "empty": "json",
        "latin1": "utf-8",
        "message-without-role": "role",
        "messages-not-list": "messages",
        "no-messages": "messages",
        "not-json": "json",
        "null": "shape",
        "tool-results-not-json": "tool-result",
        "truncated": "json",
        "updated-at-text": "updated-at",
    }.items(),
)
def test_what_is_wrong_with_a_broken_value_is_told(name: str, rule: str) -> None:
    """The first problem of each broken sample is the one that it was made for."""
    sample = next(path for path in BROKEN if path.stem == name)
    assert problems(sample.read_bytes())[0] == rule


def test_every_broken_sample_is_tested() -> None:
    """A sample that is added later can't be forgotten."""
    assert len(BROKEN) == 12


@given(st.binary())
def test_no_value_makes_reading_fail(value: bytes) -> None:
    """Any bytes are either decoded or reported as a problem."""
    reading = decode.read(value)
    assert reading.session is not None or reading.problems


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "status": json_values,
            "updatedAt": json_values,
            "messages": json_values
            | st.lists(
                st.fixed_dictionaries({}, optional={"role": json_values, "content": json_values})
            ),
        },
    )
)
def test_no_shape_makes_the_rules_fail(fields: dict[str, object]) -> None:
    """Every rule accepts JSON of any shape."""
    problems(json.dumps(fields).encode())


messages = st.lists(
    st.one_of(
        st.just({"role": "user", "content": "Hola"}),
        st.just({"role": "assistant", "content": [{"type": "text", "text": "¡Hola!"}]}),
        st.builds(
            lambda name: {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": name, "name": "list_pets", "input": {}}],
            },
            st.sampled_from("ab"),
        ),
        st.builds(
            lambda name: {
                "role": "user",
                "content": "__TOOL_RESULTS__" + json.dumps([{"tool_use_id": name}]),
            },
            st.sampled_from("ab"),
        ),
        st.builds(
            lambda name: {"role": "tool", "tool_use_id": name, "content": ""},
            st.sampled_from("ab"),
        ),
        st.just({"role": "user", "content": "__TOOL_RESULTS__{"}),
        st.just({"role": "system", "content": "x"}),
    ),
    max_size=30,
)


@given(
    messages,
    st.sampled_from([NOW_MS - 1, NOW_MS + 3_600_000, -1.0, 1e300]),
    st.sampled_from([-1, 0, TTL_MS, 21_600_000, 21_600_001]),
    st.sampled_from([b"wh:session:+123", b"wh:session:5", b"wh:session:x", b"wh:session:+"]),
)
def test_a_session_is_sound_where_no_rule_is_broken(
    messages: list[dict[str, object]], updated_at: float, ttl_ms: int, key: bytes
) -> None:
    """The fast check agrees with the rules run one by one.

    It may leave some cases to the rules: old data (messages of the role tool, and times before
    1970), and whether a call at the end has been open too long.
    """
    value = session(messages=messages, updatedAt=updated_at)
    record = Record(key, ttl_ms, value)
    found = list(rules.problems(record, rules.read(record), NOW_MS))
    quick = decode.read_quickly(value)
    sound = quick is not None and rules.is_sound(record, quick, NOW_MS)
    is_left = updated_at < 0 or any(message["role"] == "tool" for message in messages)
    is_left |= bool(messages) and "tool_use" in str(messages[-1]["content"])
    assert sound == (not found) or (is_left and not sound)
    limits = rules.checks().limits
    if quick is not None and quick_check.is_clean((key, ttl_ms, value), quick, NOW_MS, limits):
        assert list(rules.findings(record, rules.read(record), NOW_MS)) == []


def parts_of(reading: Reading) -> list[Any]:
    """Return the parts of a session that was read."""
    session = reading.session
    assert session is not None
    messages = [
        (each.role, each.content, each.tool_name, each.tool_use_id) for each in session.messages
    ]
    return [session.status, session.updated_at, *messages]


@given(st.lists(st.sampled_from(["user", "assistant", "tool"]), max_size=40))
def test_both_ways_of_decoding_see_the_same(roles: list[str]) -> None:
    """The fast and the slow decoder give the same session."""
    messages = [{"role": role, "content": f"m{n}"} for n, role in enumerate(roles)]
    quick = decode.read(session(messages=messages))
    # A lone surrogate in an unknown field is enough to need the slow decoder.
    patient = decode.read(session(messages=messages, extra="\ud83d"))
    assert quick.problems == patient.problems
    assert parts_of(quick) == parts_of(patient)


def test_blocks_are_read_the_patient_way_too() -> None:
    """With each of their fields; what the bot does not write itself is kept."""
    blocks = [
        {"type": "text", "text": "uno"},
        {"type": "tool_use", "id": "a", "name": "list_pets", "input": {"b": [1]}},
        {"type": "tool_result", "tool_use_id": "a", "content": "c", "is_error": True},
        {"type": "image", "source": "d", "is_error": 1},
    ]
    said = [{"role": "assistant", "content": blocks}, {"role": "assistant", "content": [1]}]
    reading = decode.read(session(messages=said, extra="\ud83d"))
    assert reading.session is not None
    first, second = reading.session.messages
    assert first.content == [
        Block("text", text="uno"),
        Block("tool_use", id="a", name="list_pets", input={"b": [1]}),
        Block("tool_result", tool_use_id="a", content="c", is_error=True),
        StrangeBlock("image", fields={"source": "d", "is_error": 1}),
    ]
    assert second.content is None
    assert [str(each) for each in reading.problems] == ["content: content of message 2 is a list"]


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (b"\xef\xbb\xbf{}", "json"),
        (b'{"status":NaN,"messages":[],"updatedAt":1}', "json"),
        (b'{"status":"active","messages":[],"updatedAt":Infinity}', "json"),
        (session(updatedAt=True), "updated-at"),
        (session(updatedAt=None), "updated-at"),
        (session(updatedAt=1e300), "updated-at"),
        (session(updatedAt=NOW_MS + 3_600_000), "updated-at"),
        (session(status=1), "shape"),
        (session(messages=[1]), "messages"),
        (session(messages=[{"role": "system"}]), "role"),
        (session(messages=[{"role": "user", "content": 1}]), "content"),
        (session(messages=[{"role": "user", "content": None}]), "content"),
        (session(messages=[{"role": "user"}]), "content"),
        (session(messages=[{"role": "user", "content": []}]), "content"),
        (
            session(messages=[{"role": "user", "content": [{"type": "text", "text": "x"}]}]),
            "content",
        ),
        (session(messages=[{"role": "assistant"}]), "content"),
        (session(messages=[{"role": "assistant", "content": [{"type": "text"}]}]), "empty-text"),
        (session(messages=[{"role": "tool", "tool_use_id": "x", "content": ""}]), "tool-result"),
        (session(messages=[{"role": "user", "content": "x"}] * 25), "trim"),
    ],
)
def test_each_rule_finds_what_breaks_it(value: bytes, rule: str) -> None:
    """Input that JSON.parse refuses is refused, and each rule has a case."""
    assert rule in problems(value)


@pytest.mark.slow
def test_a_number_of_any_length_is_a_number() -> None:
    """Python alone refuses more than 4,300 digits."""
    assert problems(session(updatedAt=5).replace(b"5", b"9" * 5_000)) == ["updated-at"]
    assert problems(session(seq=5).replace(b'"seq": 5', b'"seq": ' + b"9" * 5_000)) == []


def test_24_messages_and_long_turns_are_no_finding() -> None:
    """The bot keeps 12 turns, however many messages they have."""
    turn = [{"role": "user", "content": "x"}, *[{"role": "assistant", "content": "y"}] * 3]
    assert problems(session(messages=turn * 12)) == []


@pytest.mark.parametrize(
    ("ttl_ms", "rule"), [(-1, "no-ttl"), (21_600_001, "long-ttl"), (21_600_000, None)]
)
def test_the_ttl_is_held_to_six_hours(ttl_ms: int, rule: str | None) -> None:
    """No TTL and a longer TTL are findings, six hours is none."""
    record = Record(b"wh:session:+1", ttl_ms, session())
    found = [each.rule for each in rules.problems(record, rules.read(record), NOW_MS)]
    assert found == ([rule] if rule else [])


def test_a_rule_that_is_added_to_the_table_alone_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way to check a well-formed session uses it."""
    new = Rule("few", "there are two messages", lambda *_: iter(["there are too few"]))
    record = Record(b"wh:session:+1", TTL_MS, session())
    quick = decode.read_quickly(session())
    assert quick is not None
    assert rules.is_sound(record, quick, NOW_MS)
    monkeypatch.setattr(rules, "RULES", (*rules.RULES, new))
    assert not rules.is_sound(record, quick, NOW_MS)
    assert rows.listed(record, NOW_MS).item.problem == "few: there are too few"
    assert rules.judged(record, NOW_MS) == [Problem("few", "there are too few")]
    assert [str(each) for each in rows.conversation(record.key, record, NOW_MS).problems] == [
        "few: there are too few"
    ]


def test_a_phone_without_digits_is_a_warning() -> None:
    """The bot makes this key of every such phone; it never makes one with just a +."""
    record = Record(b"wh:session:", TTL_MS, session())
    assert list(rules.problems(record, rules.read(record), NOW_MS)) == []
    (found,) = rules.judged(record, NOW_MS)
    assert (found.rule, rules.level(found)) == ("no-digit", "warning")
    plus = Record(b"wh:session:+", TTL_MS, session())
    assert [each.rule for each in rules.judged(plus, NOW_MS)] == ["key"]


def test_what_is_no_utf_8_is_shown_as_the_bot_reads_it() -> None:
    """It is shown with U+FFFD, and the problem is reported."""
    value = session(messages=[{"role": "user", "content": "ma?ana"}]).replace(b"?", b"\xf1")
    record = Record(b"wh:session:+1", TTL_MS, value)
    found = rows.conversation(record.key, record, NOW_MS)
    assert found.session is not None
    assert found.session.messages[0].content == "ma\ufffdana"
    assert [each.rule for each in found.problems] == ["utf-8"]
    stored = json.loads(msgspec.json.encode(found.stored))
    assert stored["session"]["messages"][0]["content"] == "ma\ufffdana"
    assert rows.listed(record, NOW_MS).item.messages == 1


@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_a_value_may_be_nested_as_deep_as_the_bot_reads_it(opened: str, closed: str) -> None:
    """JSON.parse has no limit."""
    deep = opened * 3_000 + "1" + closed * 3_000
    block = f'{{"type":"tool_use","id":"a","name":"b","input":{deep}}}'
    value = session(messages=[{"role": "assistant", "content": "?"}]).replace(
        b'"?"', f"[{block}]".encode()
    )
    record = Record(b"wh:session:+1", TTL_MS, value)
    assert [each.rule for each in rules.judged(record, NOW_MS)] == ["open-call"]
    assert rows.listed(record, NOW_MS).item.messages == 1


def test_a_key_that_the_bot_would_never_make_is_found() -> None:
    """This holds even if the value can't be read."""
    record = Record(b"wh:session:a", TTL_MS, b"")
    found = [each.rule for each in rules.problems(record, rules.read(record), NOW_MS)]
    assert found == ["json", "key"]


def test_results_are_frozen() -> None:
    """A decoded session can't be modified."""
    reading = decode.read(session())
    with pytest.raises(AttributeError):
        reading.problems = ()  # type: ignore[misc]
    assert isinstance(reading, msgspec.Struct)


def test_what_is_no_utf_8_is_found_where_no_field_keeps_it() -> None:
    """For example, in a field that pawsctl does not know."""
    assert problems(session(extra="?").replace(b"?", b"\xf1")) == ["utf-8"]


def test_a_lone_surrogate_in_a_status_can_be_listed() -> None:
    """It is shown as an escape, since JSON's encoder refuses it."""
    record = Record(b"wh:session:+1", TTL_MS, session(status="\ud83d"))
    assert rows.listed(record, NOW_MS).item.status == "\\ud83d"


def test_several_faults_of_one_value_are_all_told() -> None:
    """Decoding does not stop at the first."""
    value = session(status=1, updatedAt="x", messages=[{"content": 1}, 2])
    assert problems(value) == ["shape", "role", "content", "messages", "updated-at"]
