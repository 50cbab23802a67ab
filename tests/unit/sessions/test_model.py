"""Facts about a decoded session: who waits, what people see, and when it was saved."""

import json

import pytest

from pawsctl.sessions.contract import decode, model, rules, update_time
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.contract.model import (
    TOOL_RESULTS,
    Block,
    Message,
    OtherMessage,
    Record,
    Session,
    StrangeBlock,
)

NOW_MS = 1_800_000_000_000.0
TEXT, CALL = Block("text", text="Hola"), Block("tool_use", id="a", name="list_pets")
RESULTS = OtherMessage("user", TOOL_RESULTS + "[]")


@pytest.mark.parametrize(
    ("message", "summary", "is_said"),
    [
        (OtherMessage("user", "Hola"), "Hola", True),
        (OtherMessage("user", None), "", True),
        (RESULTS, "(tool results)", False),
        (OtherMessage("tool", "x"), "x", False),
        (OtherMessage("assistant", [TEXT]), "Hola", True),
        (OtherMessage("assistant", [CALL]), "(list_pets)", False),
        (OtherMessage("assistant", [Block("text")]), "(text)", True),
        (OtherMessage("assistant", [Block("image")]), "(image)", False),
        (OtherMessage("assistant", [TEXT, CALL]), "Hola", True),
        (OtherMessage("assistant", [TEXT, TEXT]), "Hola\nHola", True),
        (OtherMessage("assistant", [CALL, Block("image")]), "(list_pets), (image)", False),
        (OtherMessage("assistant", []), "", False),
    ],
)
def test_a_message_is_summed_up(message: Message, summary: str, is_said: bool) -> None:
    """Its text, or in brackets what it is instead."""
    assert (message.summary, message.is_said) == (summary, is_said)


@pytest.mark.parametrize(
    ("messages", "is_waiting"),
    [
        ([], False),
        ([OtherMessage("user", "Hola")], True),
        ([RESULTS], True),
        ([OtherMessage("tool", "x")], True),
        ([OtherMessage("?", "x")], False),
        ([OtherMessage("assistant", "Hola")], False),
        ([OtherMessage("assistant", [TEXT])], False),
        ([OtherMessage("assistant", [TEXT, CALL])], True),
        ([OtherMessage("user", "Hola"), OtherMessage("assistant", "Hola")], False),
    ],
)
def test_a_customer_waits_for_an_answer(messages: list[Message], is_waiting: bool) -> None:
    """After a message, and while a tool runs."""
    assert Session("active", messages, 0.0).is_waiting is is_waiting


@pytest.mark.parametrize(("count", "first"), [(0, 5), (1, 4), (2, 2), (3, 0), (4, 0), (9, 0)])
def test_the_last_messages_are_those_that_people_see(count: int, first: int) -> None:
    """With the tool calls and results between them."""
    said = OtherMessage("user", "Hola")
    messages = [OtherMessage("tool", "x"), said, said, RESULTS, said]
    assert model.last_said(messages, count) == first


@pytest.mark.parametrize(
    ("roles", "begins"),
    [([], []), (["user"], [0]), (["assistant", "user", "tool", "user"], [0, 1, 3])],
)
def test_a_turn_begins_with_a_users_message(roles: list[str], begins: list[int]) -> None:
    """Messages before the first are a turn as well."""
    assert model.turns(roles) == begins


MINUTE, TOLD = 60_000.0, "and updatedAt does not tell since when"
NO_LONGER = "and the bot works on it no longer"


@pytest.mark.parametrize(
    ("updated_at", "known", "left_open", "fault"),
    [
        (None, False, TOLD, None),
        (NOW_MS, True, "", None),
        (NOW_MS + 1, True, "", None),
        (NOW_MS + MINUTE, True, "", None),
        (NOW_MS + MINUTE + 1, False, TOLD, "updatedAt is 60 s in the future"),
        (NOW_MS + 90_000, False, TOLD, "updatedAt is 90 s in the future"),
        (NOW_MS + 3_600_000, False, TOLD, "updatedAt is 3600 s in the future"),
        (NOW_MS - 2 * MINUTE + 1, True, "", None),
        (NOW_MS - 2 * MINUTE, True, NO_LONGER, None),
        (0.0, True, NO_LONGER, None),
        (-1.0, True, NO_LONGER, None),
        (1e300, False, TOLD, "updatedAt is outside the range of dates"),
        (-1e300, False, TOLD, "updatedAt is outside the range of dates"),
    ],
)
def test_when_it_was_saved_last(
    updated_at: float | None, known: bool, left_open: str, fault: str | None
) -> None:
    """The two clocks may differ by a minute, and a tool takes two at most."""
    session = Session("active", [], updated_at)
    assert update_time.known(session, NOW_MS) == (updated_at if known else None)
    assert update_time.left_open(session, NOW_MS) == left_open
    assert list(update_time.faults(session, NOW_MS)) == ([fault] if fault else [])


def _sound(ttl_ms: int, keyspace: Keyspace = BOT, key: bytes = b"wh:session:+1") -> list[str]:
    """Return the rules that a session of no messages breaks, the same in both ways to check it."""
    value = b'{"status":"active","messages":[],"updatedAt":0}'
    record, using = Record(key, ttl_ms, value), rules.checks(keyspace)
    found = [each.rule for each in rules.judged(record, NOW_MS, using)]
    session = decode.read_quickly(value)
    assert session is not None
    assert rules.is_sound(record, session, NOW_MS, using) is (not found)
    return found


def test_a_session_expires_within_its_keyspaces_time() -> None:
    """The shortest time is none at all, and the longest is the TTL to the millisecond."""
    assert [_sound(each) for each in (-1, 0, 21_600_000, 21_600_001)] == [
        ["no-ttl"], [], [], ["long-ttl"],
    ]  # fmt: skip
    other = Keyspace("app:", 60)
    assert [_sound(each, other, b"app:+1") for each in (-1, 0, 60_000, 60_001)] == [
        ["no-ttl"], [], [], ["long-ttl"],
    ]  # fmt: skip


def test_without_a_limit_every_time_is_sound() -> None:
    """None at all, too."""
    forever = Keyspace("app:", 0)
    assert [_sound(each, forever, b"app:+1") for each in (-1, 0, 10**15)] == [[], [], []]


def test_another_applications_sessions_are_not_looked_into() -> None:
    """Only their time counts; a key that is no string is another program's."""
    using = rules.checks(Keyspace("app:", 60, "raw"))
    record = Record(b"app:x", -1, b"anything")
    assert [str(each) for each in rules.judged(record, NOW_MS, using)] == [
        "no-ttl: the session never expires"
    ]
    assert rules.judged(Record(b"app:x", 60_000, b"{"), NOW_MS, using) == []
    (found,) = rules.judged(Record(b"app:x", -1, None, "hash"), NOW_MS, using)
    assert str(found) == "type: the key holds a hash, not a string"
    found, *more = rules.judged(Record(b"wh:session:x", -1, None, "hash"), NOW_MS)
    assert (found.rule, [each.rule for each in more]) == ("type", ["no-ttl", "key"])


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        (b"", ["json: the value is empty"]),
        (b"null", ["shape: the value is null, not an object"]),
        (b"true", ["shape: the value is a boolean, not an object"]),
        (b"5", ["shape: the value is a number, not an object"]),
        (b"5.5", ["shape: the value is a number, not an object"]),
        (b'"x"', ["shape: the value is a string, not an object"]),
        (b"[]", ["shape: the value is a list, not an object"]),
        (
            b"{}",
            [
                "shape: status is not a string",
                "messages: messages is missing",
                "updated-at: updatedAt is not a number",
            ],
        ),
        (
            b'{"status":"a","messages":{},"updatedAt":1}',
            ["messages: messages is an object, not a list"],
        ),
        (
            b'{"status":"a","messages":[{"role":"user"},{"role":"user","content":5},7],"updatedAt":1}',
            [
                "content: content of message 1 is missing",
                "content: content of message 2 is a number",
                "messages: message 3 is a number",
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_value_is_said_in_words(value: bytes, problems: list[str]) -> None:
    """With the kind of what is there instead."""
    assert [str(each) for each in decode.read(value).problems] == problems


def test_tool_results_are_read_the_patient_way_too() -> None:
    """A lone surrogate is enough to need it; what is no list of objects can't be read."""
    for text in ("\ud83d", "x"):
        content = f'{TOOL_RESULTS}[{{"type":"tool_result","tool_use_id":"a","content":"{text}"}}]'
        assert decode.answered(content) == ["a"]
        results = decode.tool_results(OtherMessage("user", content))
        assert results == [Block("tool_result", tool_use_id="a", content=text)]
    for wrong in ("{", "{}", "[1]", '["\ud83d"]', '"\ud83d"'):
        assert decode.answered(TOOL_RESULTS + wrong) is None
        assert decode.tool_results(OtherMessage("user", TOOL_RESULTS + wrong)) is None


@pytest.mark.parametrize(
    ("value", "is_bots"),
    [
        (b'{"role":"user","content":"x"}', True),
        (b'{"role":"assistant","content":[{"type":"text","text":"x"}]}', True),
        (b'{"role":"assistant","content":[{"type":"text","text":"x","more":1}]}', False),
        (b'{"role":"assistant","content":[{"type":"text","text":""}]}', False),
        (b'{"role":"user","content":"x","more":1}', False),
        (b'{"role":"tool","content":"x"}', False),
    ],
)
def test_only_what_the_bot_writes_takes_the_quick_way(value: bytes, is_bots: bool) -> None:
    """A field that is not known could be lost on it."""
    whole = b'{"status":"a","messages":[%s],"updatedAt":1}' % value
    assert (decode.read_quickly(whole) is not None) is is_bots


def test_a_block_with_every_known_field_is_not_strange() -> None:
    """One with another field is: it keeps that field."""
    known = {"type": "x", "text": "a", "id": "b", "name": "c", "input": 1, "tool_use_id": "d"}
    known |= {"content": 2, "is_error": True}
    for more, kind in (({}, Block), ({"e": 3}, StrangeBlock)):
        said = [{"role": "assistant", "content": [{**known, **more}]}]
        value = {"status": "\ud83d", "messages": said, "updatedAt": 1}
        session = decode.read(json.dumps(value).encode()).session
        assert session is not None
        content = session.messages[0].content
        assert isinstance(content, list)
        assert type(content[0]) is kind
        assert content[0].input == 1
