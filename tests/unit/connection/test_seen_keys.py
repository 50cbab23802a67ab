"""The record of keys that a SCAN pass has already seen."""

from pawsctl.connection.scan.one_server import SeenKeys


def test_a_key_is_fresh_once() -> None:
    """This holds however often SCAN returns it, in one reply or in several."""
    known = SeenKeys()
    assert known.fresh([b"a", b"b"]) == [b"a", b"b"]
    assert sorted(known.fresh([b"c", b"b", b"c", b"d"])) == [b"c", b"d"]
    assert known.fresh([b"a", b"c"]) == []


def test_a_key_that_was_forgotten_is_fresh_again() -> None:
    """A key is forgotten if its server went away before it answered for the key."""
    known = SeenKeys()
    known.fresh([b"a", b"b"])
    known.forget([b"b"])
    assert known.fresh([b"a", b"b"]) == [b"b"]


def test_where_nothing_is_spoilt_by_a_second_time_nothing_is_remembered() -> None:
    """Deletions need no record: a key that came back should be deleted as well."""
    known = SeenKeys(once=False)
    assert [known.fresh([b"a"]), known.fresh([b"a"])] == [[b"a"], [b"a"]]
