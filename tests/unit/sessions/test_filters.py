"""Which sessions a filter matches, and the order in which they are listed."""

import json
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.errors import UsageError
from pawsctl.sessions.contract.keyspace import BOT
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.query import rows, sorting
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.query.rows import Item, Listed
from pawsctl.sessions.query.sort_fields import SORT_FIELDS
from tests.conftest import BROKEN, GOOD, SAMPLES

NOW_MS = 1_800_000_000_000.0


def listed(
    *messages: dict[str, Any],
    ttl_ms: int = 3_600_000,
    status: str = "active",
    idle_seconds: float = 60,
    phone: str = "+123",
) -> Listed:
    """Return the summary of a session with those messages."""
    updated_at = NOW_MS - idle_seconds * 1000
    value = {"status": status, "messages": messages, "updatedAt": updated_at}
    key = b"wh:session:" + phone.encode()
    return rows.listed(Record(key, ttl_ms, json.dumps(value).encode()), NOW_MS)


def sample(name: str) -> Listed:
    """Return a sample with an hour left."""
    value = (SAMPLES / name).read_bytes()
    return rows.listed(Record(b"wh:session:+123", 3_600_000, value), NOW_MS)


def user(text: str) -> dict[str, Any]:
    """Return a message of the user."""
    return {"role": "user", "content": text}


def bot(text: str) -> dict[str, Any]:
    """Return a message of the bot."""
    return {"role": "assistant", "content": [{"type": "text", "text": text}]}


CASES: list[tuple[Filter, Listed, bool]] = [
    (Filter(status="active"), listed(), True),
    (Filter(status="closed"), listed(), False),
    (Filter(status="ACTIVE"), listed(), False),
    (Filter(expiring_within=1_800), listed(ttl_ms=1_800_000), True),
    (Filter(expiring_within=1_800), listed(ttl_ms=1_801_000), False),
    (Filter(expiring_within=1_800), listed(ttl_ms=-1), False),
    (Filter(never_expires=True), listed(ttl_ms=-1), True),
    (Filter(never_expires=True), listed(ttl_ms=0), False),
    (Filter(idle=600), listed(idle_seconds=600), True),
    (Filter(idle=600), listed(idle_seconds=599), False),
    (Filter(idle=600_000), listed(idle_seconds=599_999), False),
    (Filter(updated_within=600_000), listed(idle_seconds=600_000), True),
    (Filter(updated_within=600_000), listed(idle_seconds=600_001), False),
    (Filter(idle=0), sample("broken/updated-at-text.txt"), False),
    (Filter(idle=0), sample("broken/not-json.txt"), False),
    (Filter(waiting=True), sample("waiting.json"), True),
    (Filter(waiting=True), sample("greeting.json"), False),
    (Filter(waiting=True), sample("empty.json"), False),
    (Filter(waiting=True), sample("broken/not-json.txt"), False),
    (Filter(waiting=True), listed(user("__TOOL_RESULTS__[]")), True),
    (Filter(waiting=True), listed({"role": "tool", "content": "{}"}), True),
    (Filter(waiting=True), sample("stuck/killed-in-a-tool.json"), True),
    (
        Filter(waiting=True),
        listed({"role": "assistant", "content": [{"type": "tool_use", "id": "a"}]}),
        True,
    ),
    (Filter(has_tool="register_pet"), sample("register-pet.json"), True),
    (Filter(has_tool="register"), sample("register-pet.json"), False),
    (Filter(has_tool="list_pets"), sample("register-pet.json"), False),
    (Filter(has_tool="web_search"), sample("web-search.json"), True),
    (Filter(has_tool="old"), listed({"role": "tool", "tool_name": "old"}), True),
    (Filter(grep="HOLA"), listed(user("¡hola!")), True),
    (Filter(grep="gato"), listed(user("perro"), bot("Y tu GATO?")), True),
    (Filter(grep="ñandú"), listed(user(unicodedata.normalize("NFD", "ÑANDÚ"))), True),
    (Filter(grep="STRASSE"), listed(user("Straße")), True),
    (Filter(grep="ok"), listed(user('__TOOL_RESULTS__[{"content":"ok"}]')), False),
    (Filter(grep="ok"), listed({"role": "tool", "content": "ok"}), False),
    (Filter(grep="x"), sample("broken/not-json.txt"), False),
    (Filter(problem=True), sample("broken/not-json.txt"), True),
    (Filter(problem=True), sample("greeting.json"), False),
    (Filter(problem=True), listed(ttl_ms=-1), True),
    (Filter(waiting=True, grep="hola"), listed(user("hola")), True),
    (Filter(waiting=True, grep="hola"), listed(user("hola"), bot("¿sí?")), False),
]


@pytest.mark.parametrize(("wanted", "found", "matches"), CASES)
def test_each_condition_decides(wanted: Filter, found: Listed, matches: bool) -> None:
    """It does so alone and with others."""
    assert wanted.matches(found, NOW_MS) is matches


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(["active", "closed"]),
    "expiring_within": st.sampled_from([0.0, 3_600.0, 1e6]),
    "idle": st.sampled_from([0.0, 1e9]),
    "never_expires": st.just(True),
    "waiting": st.just(True),
    "has_tool": st.sampled_from(["register_pet", "x"]),
    "grep": st.sampled_from(["hola", "zzz"]),
    "problem": st.just(True),
}
ALL_SAMPLES = [sample(str(path.relative_to(SAMPLES))) for path in (*GOOD, *BROKEN)]


@given(st.fixed_dictionaries({}, optional=FIELDS))
def test_conditions_combine_by_and(conditions: dict[str, Any]) -> None:
    """A session matches all of them together if it matches each alone."""
    for each in ALL_SAMPLES:
        alone = [
            Filter(**{name: value}).matches(each, NOW_MS) for name, value in conditions.items()
        ]
        assert Filter(**conditions).matches(each, NOW_MS) is all(alone)


def test_no_condition_lets_all_through() -> None:
    """No value need be read then."""
    assert Filter().is_empty
    assert not Filter(match="+1*").is_empty
    assert not Filter(match="+1*").reads_values
    assert Filter(match="+1*", waiting=True).reads_values
    assert all(Filter().matches(each, NOW_MS) for each in ALL_SAMPLES)


@given(st.text())
def test_a_glob_reaches_redis_as_it_was_typed(glob: str) -> None:
    """It matches below the prefix only, whatever its characters."""
    pattern = BOT.pattern(glob.encode("utf-8", "replace").decode())
    assert pattern.startswith(b"wh:session:")
    assert BOT.pattern("wh:session:+1[23]*") == b"wh:session:+1[23]*"


ROWS = st.lists(
    st.builds(
        listed,
        ttl_ms=st.sampled_from([-1, 5_000, 60_000, 90_000]),
        status=st.sampled_from(["a", "b"]),
        idle_seconds=st.integers(0, 100),
        phone=st.sampled_from(["+1", "+2", "+3"]),
    )
    | st.sampled_from(ALL_SAMPLES),
    max_size=20,
)


@given(ROWS, st.sampled_from(SORT_FIELDS), st.booleans(), st.integers(0, 25))
def test_a_limit_gives_the_first_rows_of_the_whole_order(
    rows: list[Listed], field: str, reverse: bool, limit: int
) -> None:
    """The heap gives the same rows as sorting everything."""

    def shown(limit: int | None) -> list[Item]:
        order = sorting.order(field, reverse=reverse, limit=limit)
        return [each.item for each in sorting.ordered(rows, order)]

    assert shown(limit) == shown(None)[:limit]


@pytest.mark.parametrize("reverse", [False, True])
def test_what_has_no_value_comes_last(reverse: bool) -> None:
    """In both directions; a session that never expires has the longest TTL of all."""
    broken = sample("broken/not-json.txt")
    rows = [broken, listed(ttl_ms=-1, idle_seconds=5), listed(idle_seconds=9)]
    in_order = list(sorting.ordered(rows, sorting.order("updated_at", reverse=reverse, limit=9)))
    assert in_order[-1] is broken
    by_ttl = list(sorting.ordered(rows, sorting.order("ttl", reverse=reverse, limit=None)))
    assert by_ttl[0 if reverse else -1].item.ttl == -1


def test_a_sorted_list_holds_of_a_session_only_what_a_row_shows() -> None:
    """Of its messages, only the last is kept."""
    rows = [listed(user("a"), bot("b"), user("c"))]
    (row,) = sorting.ordered(rows, sorting.order("phone", reverse=False, limit=None))
    assert row.last_message == "c"
    assert row.item.messages == 3
    assert row.session is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: sorting.order("size", reverse=False, limit=None),
        lambda: sorting.order(None, reverse=True, limit=None),
    ],
)
def test_an_order_that_makes_no_sense_is_wrong_usage(wrong: Callable[[], object]) -> None:
    """The error lists the fields."""
    with pytest.raises(UsageError) as caught:
        wrong()
    assert "updated_at" in caught.value.hint
