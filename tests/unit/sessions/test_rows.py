"""Sessions summed up for lists, one by one or masked, and sorted."""

from datetime import UTC, datetime
from typing import Any

import pytest

from pawsctl.errors import UsageError
from pawsctl.escaping import Printable
from pawsctl.sessions.contract import rules
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.contract.mask import Mask
from pawsctl.sessions.contract.model import Block, Columns, OtherMessage, Record, Session
from pawsctl.sessions.query import many_rows, raw_rows, rows, sorting, summing
from pawsctl.sessions.query.raw_rows import RawListed, RawStored
from pawsctl.sessions.query.rows import Listed

NOW_MS = 1_800_000_000_000.0
MASK = Mask(b"key")
RAW = Keyspace("app:", 60, "raw")


def record(ttl_ms: int = 5_000, key: bytes = b"wh:session:+1", **fields: Any) -> Record:
    """Return a record of a session that is as usual, but for some fields in JSON."""
    whole = {"status": '"active"', "messages": "[]", "updatedAt": "1000"} | fields
    value = ",".join(f'"{name}":{text}' for name, text in whole.items())
    return Record(key, ttl_ms, f"{{{value}}}".encode())


def columns_of(found: list[Record]) -> list[Columns]:
    """Return records column by column: strings, and keys of other types."""
    strings = [(each.key, each.ttl_ms, each.value) for each in found if each.value is not None]
    others = [(each.key, each.ttl_ms, each.type) for each in found if each.value is None]
    (keys, ttls, values), (names, left, types) = (
        zip(*strings, strict=True),
        zip(*others, strict=True),
    )
    return [Columns(keys, ttls, values), Columns(names, left, (), types)]


def conversation(found: Record | None, keyspace: Keyspace = BOT) -> rows.Conversation:
    """Return the conversation of a record."""
    key = b"wh:session:+1" if found is None else found.key
    return rows.conversation(key, found, NOW_MS, rules.checks(keyspace))


def listed(found: Record, keyspace: Keyspace = BOT) -> Listed:
    """Return a record as a list shows it."""
    using = rules.checks(keyspace)
    return summing.summing_to_show(using)(found, NOW_MS, using)


def test_a_sound_session_and_one_that_is_not_have_the_same_fields() -> None:
    """Both ways to sum up agree."""
    item = rows.listed(record(), NOW_MS).item
    assert (item.phone, item.key, item.ttl, item.status) == ("+1", "wh:session:+1", 5, "active")
    assert (item.messages, item.bytes, item.problem) == (0, len(record().value or b""), None)
    assert item.updated_at == datetime.fromtimestamp(1, UTC)
    odd = rows.listed(record(ttl_ms=-1), NOW_MS).item
    assert (odd.ttl, odd.problem) == (-1, "no-ttl: the session never expires")
    assert (odd.status, odd.messages, odd.updated_at) == ("active", 0, item.updated_at)
    broken = rows.listed(Record(b"wh:session:+1", 5_000, b"{"), NOW_MS)
    assert (broken.item.status, broken.item.messages, broken.item.updated_at) == (None, None, None)
    assert (broken.item.bytes, broken.session, broken.last_message) == (1, None, None)
    no_string = rows.listed(Record(b"wh:session:+1", 5_000, None, "hash"), NOW_MS).item
    assert (no_string.bytes, no_string.problem) == (
        None, "type: the key holds a hash, not a string",
    )  # fmt: skip


def test_a_row_of_many_shows_what_that_of_one_shows() -> None:
    """Also if all messages but the last are given up."""
    asked = '[{"role":"user","content":"a"},{"role":"assistant","content":"b"},'
    last = '{"role":"user","content":" b  c "}]'
    call = '{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"b","input":1}]}]'
    found = [
        record(messages=asked + last), record(messages=asked + call), record(messages=asked),
        record(messages="[" + last), record(), record(ttl_ms=-1, messages=asked + last),
        *(record(ttl_ms=each) for each in (0, 499, 500, 1_499, 1_500, 21_599_500, 21_599_499)),
        Record(b"wh:session:+1", 5_000, None, "hash"),
    ]  # fmt: skip
    all_rows, all_items = [], []
    for columns in columns_of(found):
        all_rows += many_rows.all_listed(columns, NOW_MS)
        all_items += many_rows.all_items(columns, NOW_MS)
    for many, item, each in zip(all_rows, all_items, found, strict=True):
        one = rows.listed(each, NOW_MS)
        assert (many.item, many.last_message) == (one.item, one.last_message)
        assert (many.waiting_since, item) == (one.waiting_since, one.item)
        assert many.session is None or item.problem or len(many.session.messages) < 2


def test_many_are_summed_up_by_the_rules_of_their_keyspace() -> None:
    """The bot's, if none are given."""
    found = [record(60_001, b"app:+1"), record()]
    of_app = rules.checks(Keyspace("app:", 60))
    app, own = (rows.listed(each, NOW_MS, of_app) for each in found)
    assert (app.item.phone, app.item.problem) == (
        "+1", "long-ttl: the session lives 60 s, longer than 1 min",
    )  # fmt: skip
    assert (own.item.problem or "").startswith("key: ")
    app, own = (rows.listed(each, NOW_MS) for each in found)
    assert (app.item.problem or "").startswith("key: ")
    assert own.item.problem is None


@pytest.mark.parametrize(
    ("text", "line"),
    [("Hola", "Hola"), (" a  b ", "a b"), ("a\nb", "a b"), ("a  b", "a b"), ("a ", "a"),
     ("\ud83d", "\\ud83d"), ("", "")],
)  # fmt: skip
def test_the_last_message_is_on_one_line(text: str, line: str) -> None:
    """With one blank between words."""
    item = rows.listed(record(), NOW_MS).item
    messages = [OtherMessage("user", "first"), OtherMessage("user", text)]
    assert rows.row_of(item, Session("", messages, 0.0)).last_message == line
    assert rows.row_of(item, Session("", [], 0.0)).last_message is None
    assert rows.row_of(item, Session("", messages, 0.0)).waiting_since == item.updated_at
    answered = Session("", [OtherMessage("assistant", "x")], 0.0)
    assert rows.row_of(item, answered).waiting_since is None


def test_a_conversation_has_its_value_as_stored() -> None:
    """None of what can't be read; problems and notes apart."""
    gone = conversation(None)
    assert gone.stored == rows.Stored("+1", "wh:session:+1", None, None)
    found = conversation(record())
    assert bytes(found.stored.session or b"") == record().value
    assert (found.stored.ttl, found.stored.problem, found.notes) == (5, None, [])
    never = conversation(record(ttl_ms=-1))
    assert never.stored.problem == "no-ttl: the session never expires"
    broken = conversation(Record(b"wh:session:+1", 5_000, b"{"))
    assert broken.stored.session is None
    assert (broken.stored.problem or "").startswith("json: not JSON")
    hinted = conversation(Record(b"wh:session:", 5_000, record().value))
    assert (hinted.problems, [each.rule for each in hinted.notes]) == ([], ["no-digit"])


def test_a_masked_conversation_is_masked_whole() -> None:
    """Its key, its name, its value and what is wrong with it."""
    said = '[{"role":"Luc\u00eda","content":"Hola"}]'
    found = conversation(record(messages=said), Keyspace(mask=MASK))
    name = MASK.name("+1")
    assert (found.phone, found.key) == (name, f"wh:session:{name}".encode())
    assert [str(each) for each in found.problems] == ["role: message 1 has the role '█████'"]
    assert found.session is not None
    assert found.session.messages[0].content == "████"
    assert found.record is not None
    assert b"Hola" not in (found.record.value or b"")
    assert conversation(None, Keyspace(mask=MASK)).key == f"wh:session:{name}".encode()
    row = listed(record(messages=said, status='"Luc\u00eda"'), Keyspace(mask=MASK))
    assert (row.item.phone, row.item.status, row.last_message) == (name, "█████", "████")
    assert row.item.problem == "role: message 1 has the role '█████'"
    assert row.item.key == f"wh:session:{name}"
    healthy = listed(record(), Keyspace(mask=MASK)).item
    assert (healthy.problem, healthy.status) == (None, "active")
    broken = listed(Record(b"wh:session:+1", 5_000, b"{"), Keyspace(mask=MASK))
    assert (broken.item.status, broken.session) == (None, None)


@pytest.mark.parametrize(
    ("value", "session", "encoding", "preview"),
    [
        (b' {"a": 1} ', b'{"a": 1}', "json", '{"a": 1}'),
        (b"a\n b", "a\n b", "text", "a b"),
        (b"\xff\x00", "ff00", "hex", "ff00"),
        (None, None, None, None),
    ],
)
def test_another_applications_session_is_its_value(
    value: bytes | None, session: bytes | str | None, encoding: str | None, preview: str | None
) -> None:
    """As JSON, text or hex; nothing is looked for in it."""
    found = Record(b"app:x", 5_000, value, "hash" if value is None else "string")
    row = listed(found, RAW)
    assert isinstance(row, RawListed)
    assert (row.preview, row.last_message, row.session) == (preview, preview, None)
    assert (row.item.phone, row.item.bytes) == ("x", None if value is None else len(value))
    stored = raw_rows.stored(conversation(found, RAW))
    problem = "type: the key holds a hash, not a string" if value is None else None
    shown = bytes(stored.session) if isinstance(session, bytes) else stored.session
    assert (shown, stored.encoding, stored.problem) == (session, encoding, problem)
    assert (stored.type, stored.ttl, row.item.problem) == (found.type, 5, problem)
    masked = listed(found, Keyspace("app:", 60, "raw", MASK))
    assert masked.last_message == (None if value is None else "█" * len(value))
    assert masked.item.status is None
    gone = raw_rows.stored(rows.Conversation("x", b"app:x", None))
    assert gone == RawStored("x", "app:x", None, None)


def rows_of(*ttls: int | None) -> list[Listed]:
    """Return rows with these seconds left, and as many bytes; None for no string at all."""
    return [
        rows.listed(
            Record(b"wh:session:+%d" % n, (ttl or 0) * 1000, None if ttl is None else b"x" * ttl)
            if ttl is None or ttl >= 0
            else record(ttl_ms=-1, key=b"wh:session:+%d" % n),
            NOW_MS,
        )
        for n, ttl in enumerate(ttls)
    ]


@pytest.mark.parametrize("limit", [None, 9])
@pytest.mark.parametrize(
    ("field", "reverse", "order"),
    [
        (None, False, [0, 1, 2, 3]),
        ("ttl", False, [1, 2, 0, 3]),
        ("ttl", True, [3, 0, 2, 1]),
        ("phone", True, [3, 2, 1, 0]),
    ],
)
def test_a_list_is_sorted(
    field: str | None, reverse: bool, order: list[int], limit: int | None
) -> None:
    """Sessions that never expire come after all that do; 0 seconds come first."""
    wanted = sorting.order(field, reverse=reverse, limit=limit)
    found = sorting.ordered(rows_of(7, 0, 3, -1), wanted)
    assert [each.item.phone for each in found] == [f"+{n}" for n in order]


def test_rows_without_a_value_come_last() -> None:
    """Also in reverse; a limit takes the first."""
    for reverse, order in ((False, ["+2", "+0", "+1"]), (True, ["+0", "+2", "+1"])):
        for limit in (None, 2, 1, 0):
            wanted = sorting.order("bytes", reverse=reverse, limit=limit)
            found = sorting.ordered(rows_of(7, None, 3), wanted)
            assert [each.item.phone for each in found] == order[:limit]


def test_the_shortest_wait_comes_first() -> None:
    """Those who wait for nothing come last, also in reverse."""
    waits = [Session("", [OtherMessage("user", "x")], float(n)) for n in (3, 1, 2)]
    answered = Session("", [OtherMessage("assistant", [Block("text", text="x")])], 0.0)
    items = [
        rows.row_of(rows.Item("+", "", 1, "", 1, datetime.fromtimestamp(n, UTC), 1, None), each)
        for n, each in ((3, waits[0]), (0, answered), (1, waits[1]), (2, waits[2]))
    ]
    for reverse, order in ((False, [3, 2, 1, 0]), (True, [1, 2, 3, 0])):
        wanted = sorting.order("waiting", reverse=reverse, limit=None)
        found = [each.item.updated_at for each in sorting.ordered(items, wanted)]
        assert [each.timestamp() for each in found if each] == order


def test_a_wrong_order_is_refused() -> None:
    """With those there are."""
    with pytest.raises(UsageError, match="can't be sorted by 'size'") as caught:
        sorting.order("size", reverse=False, limit=None, fields=("ttl", "bytes"))
    assert caught.value.hint == "It can be by ttl, bytes; --reverse turns it round."
    with pytest.raises(UsageError, match="is not sorted"):
        sorting.order(None, reverse=True, limit=None)


def test_the_last_messages_of_rows_are_those_of_each() -> None:
    """Also where one has no session, or no message."""
    item = rows.listed(record(), NOW_MS).item
    sessions = [Session("", [OtherMessage("user", text)], 0.0) for text in ("a", "b")]
    said = [rows.row_of(item, session) for session in sessions]
    for odd in (None, Session("", [], 0.0), Session("", [OtherMessage("user", " c\n")], 0.0)):
        for some in ([*said, rows.row_of(item, odd), *said], [rows.row_of(item, odd), *said]):
            assert list(rows.last_messages(some)) == [each.last_message for each in some]
    assert list(rows.last_messages(said)) == ["a", "b"]


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ('{"role":"user","content":"Hola"}', "Hola"),
        ('{"role":"user","content":"__TOOL_RESULTS__[]"}', "(tool results)"),
        ('{"role":"user","content":"__x"}', "__x"),
        ('{"role":"assistant","content":"ok"}', "ok"),
        ('{"role":"assistant","content":"o"}', "o"),
        ('{"role":"assistant","content":[{"type":"text","text":"a"}]}', "a"),
        (
            '{"role":"assistant","content":[{"type":"text","text":"b"},'
            '{"type":"tool_use","id":"1","name":"c","input":{}}]}',
            "b",
        ),
        (
            '{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"c","input":{}}]}',
            "(c)",
        ),
    ],
)
def test_the_last_messages_of_the_bot_and_its_users_are_known_to_be_printable(
    last: str, words: str
) -> None:
    """Whoever says them, and however."""
    first = '{"role":"user","content":"first"}'
    row = rows.listed(record(messages=f"[{first},{last}]"), NOW_MS)
    found = rows.last_messages([row, row])
    assert type(found) is Printable
    assert [*found] == [row.last_message] * 2 == [words] * 2
    assert type(rows.last_messages([row, rows.listed(record(), NOW_MS)])) is list
    empty = rows.listed(record(messages=f'[{first},{{"role":"assistant","content":[]}}]'), NOW_MS)
    assert rows.last_messages([row, empty]) == [words, ""]
