"""The record of keys that a SCAN pass has already seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.connection.scan.seen_keys import SeenKeys

# The keys are in a set, in a table from the second batch on, or in a table at once.
in_set_and_table = pytest.mark.parametrize("most_in_set", [100, 1, 0])


@in_set_and_table
def test_a_key_is_fresh_once(most_in_set: int) -> None:
    """This holds however often SCAN returns it, in one reply or in several."""
    known = SeenKeys(most_in_set=most_in_set)
    assert known.fresh([b"a", b"b"]) == [b"a", b"b"]
    assert sorted(known.fresh([b"c", b"b", b"c", b"d"])) == [b"c", b"d"]
    assert known.fresh([b"a", b"c"]) == []


@in_set_and_table
def test_a_key_that_was_forgotten_is_fresh_again(most_in_set: int) -> None:
    """A key is forgotten if its server went away before it answered for the key."""
    known = SeenKeys(most_in_set=most_in_set)
    known.fresh([b"a", b"b"])
    known.forget([b"b"])
    assert known.fresh([b"a", b"b"]) == [b"b"]


def test_where_nothing_is_spoilt_by_a_second_time_nothing_is_remembered() -> None:
    """Deletions need no record: a key that came back should be deleted as well."""
    known = SeenKeys(once=False)
    assert [known.fresh([b"a"]), known.fresh([b"a"])] == [[b"a"], [b"a"]]


@given(st.lists(st.tuples(st.lists(st.binary(max_size=1)), st.lists(st.binary(max_size=1)))))
def test_a_table_knows_the_same_keys_as_a_set(steps: list[tuple[list[bytes], list[bytes]]]) -> None:
    """Whatever comes and is forgotten, in whatever order."""
    in_set, in_table = SeenKeys(), SeenKeys(most_in_set=0)
    for some, forgotten in steps:
        assert sorted(in_table.fresh(some)) == sorted(in_set.fresh(some))
        for known in (in_set, in_table):
            known.forget(forgotten)


def test_a_table_grows_and_keeps_all_it_has_seen() -> None:
    """It grows several times, and at once for a batch of more than it has room for."""
    known = SeenKeys(most_in_set=10)
    keys = [b"%d" % number for number in range(20_000)]
    for begin in range(0, 10_000, 50):
        assert known.fresh(keys[begin : begin + 50]) == keys[begin : begin + 50]
    known.forget(keys[:10])
    assert known.fresh(keys) == keys[:10] + keys[10_000:]
    assert known.fresh(keys) == []
