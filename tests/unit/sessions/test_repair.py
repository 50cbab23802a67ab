"""Repaired conversations: right by the model's rules and by lint, everything else as it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawsctl.sessions.contract import rules
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.repair import history, plan
from tests.conftest import GOOD, STUCK, TRIMMED
from tests.model_api import RESULTS, refusal

_LATER_MS = 4_102_444_800_000.0


def _record(value: bytes) -> Record:
    return Record(b"wh:session:+1", 1_000_000, value)


def _problems(value: bytes) -> list[str]:
    record = _record(value)
    return [str(each) for each in rules.problems(record, rules.read(record), _LATER_MS)]


def _repaired(value: bytes, *, cut: bool = False) -> tuple[bytes, list[str]]:
    """Return the repaired value, and the rules for which it was changed."""
    found, session = history.of(value), rules.read(_record(value)).session
    assert found is not None
    assert session is not None
    mend = plan.cut if cut else plan.planned
    planned = mend(found.messages, session.messages)
    return found.with_messages(planned.messages), [each.rule for each in planned.changes]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _user(text: object) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _bot(*blocks: object) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _call(name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": name, "name": "list_pets", "input": {"n": 1.0}}


def _results(*names: str, **more: object) -> dict[str, Any]:
    blocks = [{"type": "tool_result", "tool_use_id": each, "content": "{}"} for each in names]
    return {**_user(RESULTS + _json(blocks)), **more}


def _stored(messages: list[Any]) -> bytes:
    document = {"status": "active", "messages": messages, "updatedAt": 1704067200000}
    return _json(document).encode()


@pytest.mark.parametrize("path", STUCK, ids=lambda path: path.stem)
@pytest.mark.parametrize("cut", [False, True])
def test_each_stuck_sample_can_be_answered_again(path: Path, cut: bool) -> None:
    """The model takes it and lint finds nothing."""
    value = path.read_bytes()
    assert refusal(json.loads(value)["messages"])
    repaired, _ = _repaired(value, cut=cut)
    assert refusal(json.loads(repaired)["messages"]) == ""
    assert _problems(repaired) == []


@pytest.mark.parametrize("path", [*GOOD, *TRIMMED], ids=lambda path: path.stem)
def test_a_session_that_is_well_is_not_changed(path: Path) -> None:
    """Nor are results whose call was trimmed away, which the bot leaves out by itself."""
    value = path.read_bytes()
    assert _repaired(value) == (value, [])
    assert _repaired(value, cut=True) == (value, [])


A, B = _bot(_text("Voy"), _call("a")), _bot(_call("a"), _call("b"))
C = _bot(_call("b"))
HI, LATE = _user("Hola"), _user("¿Hola?")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # The late result moves as it stands, its other fields too.
        ([HI, A, LATE, _results("a", at=1)], [HI, A, _results("a", at=1), LATE]),
        # The first of two results is kept.
        (
            [HI, A, _results("a", at=1), LATE, _results("a", at=2)],
            [HI, A, _results("a", at=1), LATE],
        ),
        (
            [HI, A, LATE, _results("a", at=1), _results("a", at=2)],
            [HI, A, _results("a", at=1), LATE],
        ),
        # Late results join those that stand beside the call.
        (
            [HI, B, _results("a", at=1), LATE, _results("b")],
            [HI, B, _results("a", "b", at=1), LATE],
        ),
        # A message with results of two calls is divided.
        (
            [HI, A, LATE, _bot(_call("c")), _results("a", "c", at=1)],
            [HI, A, _results("a"), LATE, _bot(_call("c")), _results("c", at=1)],
        ),
        # Older versions' results, and one that answers nothing.
        (
            [HI, A, LATE, {"role": "tool", "tool_use_id": "a", "content": "{}", "at": 1}],
            [HI, A, {"role": "tool", "tool_use_id": "a", "content": "{}", "at": 1}, LATE],
        ),
        ([HI, _bot(_text("ok")), _results("x"), LATE], [HI, _bot(_text("ok")), LATE]),
        ([HI, A, _results(), _results("a")], [HI, A, _results("a")]),
        ([HI, A, _results("x", "a"), LATE], [HI, A, _results("a"), LATE]),
        # Blocks that the model or the bot's code refuses are removed, and then an empty message.
        ([HI, _bot(_text(""), _text("ok"))], [HI, _bot(_text("ok"))]),
        ([HI, _bot(_text(""), _call("")), LATE], [HI, LATE]),
        (
            [HI, _user(None), _user(7), {"role": "user"}, 5, None, {"content": "x"}, LATE],
            [HI, LATE],
        ),
        ([{"role": "system", "content": "x"}, HI, _bot(_text("")), _bot()], [HI]),
        # The model takes an id in one message only: the first call keeps its result.
        (
            [HI, A, A, _results("a", at=1), LATE],
            [HI, A, _results("a", at=1), _bot(_text("Voy")), LATE],
        ),
        ([HI, A, _results("a"), B, _results("b", "a")], [HI, A, _results("a"), C, _results("b")]),
        # Results at the beginning stay.
        ([_results("x"), _bot(_text("")), LATE], [_results("x"), LATE]),
    ],
)
def test_each_fault_has_its_repair(before: list[Any], after: list[Any]) -> None:
    """No other message is changed, nor anything around them."""
    repaired, _ = _repaired(_stored(before))
    assert json.loads(repaired)["messages"] == after
    assert refusal(after) == ""
    assert _problems(repaired) == []


def test_a_call_without_a_result_gets_the_bots_own_error() -> None:
    """At the end as well, and with an id that JSON has to escape."""
    for messages in ([HI, _bot(_call('"ñ\ud83d')), LATE], [HI, _bot(_call('"ñ\ud83d'))]):
        value = json.dumps({"status": "active", "messages": messages, "updatedAt": 0}).encode()
        repaired, _ = _repaired(value)
        found = json.loads(repaired)["messages"]
        assert [*found[:2], *found[3:]] == messages
        (result,) = json.loads(found[2]["content"][len(RESULTS) :])
        assert (result["type"], result["tool_use_id"]) == ("tool_result", '"ñ\ud83d')
        assert json.loads(result["content"])["ok"] is False
        assert json.loads(result["content"])["error"]
        assert "is_error" not in result
        assert repaired.isascii() is False


def test_cut_ends_the_history_before_the_fault() -> None:
    """The call goes with its results if one of them is at fault."""
    well = [HI, A, _results("a"), _bot(_text("ok")), LATE]
    for rest in ([_bot(_call("c")), LATE], [_bot(_call("c")), _results("c", "c")], [_user(None)]):
        repaired, changed = _repaired(_stored([*well, *rest, HI]), cut=True)
        assert json.loads(repaired)["messages"] == well
        assert len(changed) == 1


def test_all_bytes_outside_the_repaired_messages_stay() -> None:
    """Numbers, unknown fields, spaces, escapes, bytes that are not UTF-8, double names."""
    before = rb"""{ "messages":[5], "seq":12345678901234567890123, "x":1.0e400, "messages" : [
      {"role":"user" , "content":"\u00f1 \ud83d ma\xf1ana", "n":1.10} ,
      {"role":"assistant","content":[{"type":"text","text":""}, {"type":"thinking","n":1E2}]},"""
    after = (
        b""" {"role":"user","content":"Hola"}],"updatedAt":1704067200000.50, "status":"active"}\n"""
    )
    before = before.replace(rb"\xf1", b"\xf1")
    repaired, _ = _repaired(before + b'{"role":"user"},' + after)
    assert repaired == (before + after).replace(b'{"type":"text","text":""},', b"")


def test_what_a_repair_adds_is_trimmed_as_the_bot_does() -> None:
    """24 messages stay whatever their turns, and one more makes it twelve turns."""
    messages = [A, *(_user(str(number)) for number in range(23))]
    repaired, changed = _repaired(_stored(messages))
    assert "trim" in changed
    assert json.loads(repaired)["messages"] == messages[-12:]
    assert _problems(repaired) == []


def _changes(messages: list[Any], *, cut: bool = False) -> list[str]:
    """Return the changes of a repair in words."""
    value = _stored(messages)
    found, session = history.of(value), rules.read(_record(value)).session
    assert found is not None
    assert session is not None
    planned = (plan.cut if cut else plan.planned)(found.messages, session.messages)
    return [f"{each.message} {each.rule}: {each.what}" for each in planned.changes]


ERROR = "gets an error as the result of"


@pytest.mark.parametrize(
    ("messages", "changes"),
    [
        ([HI, A, LATE], [f"2 unanswered-call: {ERROR} the tool call without one"]),
        ([HI, A], [f"2 open-call: {ERROR} the tool call without one"]),
        ([HI, B], [f"2 open-call: {ERROR} 2 tool calls without one"]),
        ([HI, B, _results("a")], [f"2 missing-result: {ERROR} the tool call without one"]),
        (
            [HI, A, LATE, _results("a")],
            ["4 late-result: has the result of a call in message 2, and it moves there"],
        ),
        (
            [HI, A, _results("a", "a"), LATE],
            ["3 repeated-result: has a result for the second time, and loses it"],
        ),
        (
            [_results("y"), HI, _results("x"), LATE],
            ["3 tool-result: has a result that answers no call before it, and loses it"],
        ),
        ([5, HI], ["1 messages: is no object, and is removed"]),
        (
            [{"role": "x", "content": "y"}],
            ["1 role: has no role that the bot knows, and is removed"],
        ),
        ([_user([])], ["1 content: has no content of the right kind, and is removed"]),
        ([HI, _bot()], ["2 content: has no content, and is removed"]),
        (
            [_user(RESULTS + "{")],
            ["1 tool-result: has tool results that can't be read, and is removed"],
        ),
        ([_results()], ["1 empty-results: has no tool result, and is removed"]),
        ([_bot(_text("a"), _text(""))], ["1 empty-text: loses a text block that is empty"]),
        ([_bot(_text("a"), _call(""))], ["1 unanswered-call: loses a tool call that has no id"]),
        (
            [_bot(_call("a"), _call("a")), _results("a")],
            ["1 missing-result: loses a tool call that it makes twice"],
        ),
        (
            [A, _results("a"), A, HI],
            ["3 unanswered-call: loses a tool call with the id of an earlier one"],
        ),
    ],
)
def test_each_change_says_what_it_is(messages: list[Any], changes: list[str]) -> None:
    """With the number of its message and the rule that is broken."""
    assert _changes(messages) == changes


def test_a_cut_says_how_much_goes() -> None:
    """It begins where the fault does, also if that shows only later."""
    ends = "is where the history ends now:"
    late = [HI, A, LATE, _results("a")]
    assert _changes(late, cut=True) == [f"2 late-result: {ends} 3 messages go"]
    assert _changes([HI, A, LATE], cut=True) == [f"2 unanswered-call: {ends} 2 messages go"]
    assert _changes([HI, A], cut=True) == [f"2 open-call: {ends} 1 message goes"]
    assert _changes([HI, LATE], cut=True) == []


def test_what_is_trimmed_begins_with_no_results() -> None:
    """The bot leaves out results whose call it has trimmed."""
    turn = [HI, A, _results("a"), _bot(_text("ok"))]
    calls = [[HI, _bot(_call(f"c{n}")), _results(f"c{n}"), _bot(_text("ok"))] for n in range(12)]
    messages = [*turn, *(each for call in calls for each in call)]
    repaired, _ = _repaired(_stored([*messages, _user(7)]))
    assert json.loads(repaired)["messages"] == messages[-24:]
    repaired, _ = _repaired(_stored([*messages, LATE, _user(7)]))
    assert json.loads(repaired)["messages"] == [*messages[-21:], LATE]
    assert _changes([*messages, LATE, _user(7)])[0] == (
        "1 trim: is the first of 31 that are trimmed, as the bot does"
    )


def test_results_that_stay_are_not_written_anew() -> None:
    """Not even their escapes, where another message is repaired."""
    value = _stored([HI, A, _results("a", note="ñ"), _user(RESULTS + "[1]"), _user(7)])
    value = value.replace(b'\\"content\\":\\"{}', b'\\"content\\":\\"\\u00f1')
    repaired, _ = _repaired(value)
    assert repaired == value.replace(b"," + _json(_user(RESULTS + "[1]")).encode(), b"").replace(
        b"," + _json(_user(7)).encode(), b""
    )


_IDS = st.sampled_from(["a", "b", "c"])
_MESSAGES = st.one_of(
    st.builds(_user, st.sampled_from(["Hola", "", None, 7, [_text("x")], RESULTS + "{oops"])),
    st.builds(
        lambda blocks: _bot(*blocks),
        st.lists(
            st.one_of(
                st.builds(_text, st.sampled_from(["ok", ""])),
                st.builds(_call, _IDS),
                st.just({"type": "thinking", "thinking": "…"}),
            ),
            min_size=1,
            max_size=3,
        ),
    ),
    st.builds(lambda names: _results(*names), st.lists(_IDS, max_size=3)),
    st.builds(lambda name: {"role": "tool", "tool_use_id": name, "content": "{}"}, _IDS),
    st.sampled_from(
        [{"role": "user"}, {"role": "assistant", "content": "ok"}, None, {"role": "?"}]
    ),
)


@settings(max_examples=300)
@given(st.lists(_MESSAGES, max_size=30), st.booleans())
def test_any_damaged_conversation_can_be_answered_after_its_repair(
    messages: list[Any], cut: bool
) -> None:
    """Right by the model's rules and sound by lint; a second repair finds nothing."""
    value = _stored(messages)
    repaired, changed = _repaired(value, cut=cut)
    found = json.loads(repaired)["messages"]
    if not changed:
        assert repaired == value
    assert refusal(found) == ""
    assert changed or refusal(messages) == ""
    # A conversation that was only too long is not changed: the bot trims it with the next message.
    assert [each for each in _problems(repaired) if changed or "trim" not in each] == []
    assert _repaired(repaired) == (repaired, [])
    if cut:
        assert found == messages[: len(found)] or "trim" in changed
    assert repaired.startswith(b'{"status":"active","messages":[')
    assert repaired.endswith(b'],"updatedAt":1704067200000}')


def test_a_value_without_a_list_of_messages_has_no_history() -> None:
    """Of several members the last one counts, as for the bot."""
    for value in (b"{}", b'{"messages":{}}', b'{"messages":[],"messages":"x"}', b'{"a":[]}'):
        assert history.of(value) is None
    found = history.of(b' {"messages":1,"messages": [ {} , 5 ] } ')
    assert found is not None
    assert found.messages == [" {} ", " 5 "]
    assert [history.is_object(each) for each in found.messages] == [True, False]
