"""Hash slots, and the nodes' replies about them."""

from hypothesis import given
from hypothesis import strategies as st

from pawsctl.config.target import Address
from pawsctl.connection.cluster import slots
from pawsctl.connection.cluster.slots import Claim, View

ASKED = Address("10.0.0.1", 7000)
A, B = Address("a", 1), Address("b", 2)


def claim(
    name: str,
    owned: set[int],
    *,
    epoch: int = 1,
    leaving: dict[int, str] | None = None,
    coming: dict[int, str] | None = None,
) -> Claim:
    """Return a claim as a primary reports it of itself."""
    return Claim(name, A, epoch, frozenset(owned), leaving or {}, coming or {})


def view(*claims: Claim) -> View:
    """Return a cluster whose primaries all answer."""
    return View({each.id: each for each in claims}, ())


def test_slots_are_those_of_redis() -> None:
    """The values come from the cluster specification and from CLUSTER KEYSLOT."""
    assert slots.slot_of(b"123456789") == 0x31C3
    assert slots.slot_of(b"foo") == 12182
    assert slots.slot_of(b"{user1000}.following") == slots.slot_of(b"{user1000}.followers")
    assert slots.slot_of(b"foo{}{bar}") == slots.slot_of(b"foo{}{bar}")
    assert slots.slot_of(b"foo{{bar}}zap") == slots.slot_of(b"{bar")
    assert slots.slot_of(b"a{b") != slots.slot_of(b"b")
    assert slots.slot_of(b"a{}b") != slots.slot_of(b"")
    assert slots.slot_of(b"a{b}c") == slots.slot_of(b"{b}") == slots.slot_of(b"b")
    assert slots.slot_of(b"") == 0


@given(st.sets(st.integers(0, slots.SLOTS - 1), max_size=60))
def test_ranges_say_which_slots_they_are(numbers: set[int]) -> None:
    """Parsed again, they give the same slots."""
    read: set[int] = set()
    text = slots.ranges_text(numbers)
    for part in text.split(", ") if text else ():
        first, _, last = part.partition("-")
        read.update(range(int(first), int(last or first) + 1))
    assert read == numbers


def test_neighbours_are_one_range() -> None:
    """Only they are, and one alone is a number."""
    assert slots.ranges([5, 1, 2, 3, 7, 8]) == ["1-3", "5", "7-8"]
    assert slots.ranges_text([0, 16383]) == "0, 16383"
    assert slots.ranges([]) == []


def test_lines_of_cluster_nodes() -> None:
    """Slots, slots being moved, host names, nodes without an address."""
    told = (
        b"aa 127.0.0.1:7001@17001,name myself,master - 0 0 5 connected 0-2 9 [3->-bb] [7-<-cc]\n"
        b"bb ::1:7002@17002 master - 0 1 2 connected\n"
        b"cc :0@0 master,fail,noaddr - 0 1 3 disconnected\n"
        b"dd :7003@17003 slave,fail? aa 0 1 5 connected\n"
    )
    first, second, third, fourth = slots.members(told, ASKED)
    assert (first.address, first.epoch) == (Address("127.0.0.1", 7001), 5)
    assert first.slots == {0, 1, 2, 9}
    assert (first.leaving, first.coming) == ({3: "bb"}, {7: "cc"})
    assert (second.address, second.is_primary) == (Address("::1", 7002), True)
    assert not third.is_primary
    assert (fourth.address, fourth.is_primary) == (Address("10.0.0.1", 7003), False)


def test_rows_of_cluster_slots() -> None:
    """If the host is missing or unknown, it is the node that was asked."""
    told = [
        [0, 5, [b"", 7001, b"aa"], [None, 7002, b"bb"]],
        [6, 9, [b"?", 7003, b"cc", []]],
        [10, 10, [b"h", 0], [b"j", 1, b"\xff"]],
    ]
    first, second, third = slots.shards(told, ASKED)
    assert (third.first, third.last) == (10, 10)
    assert third.nodes == (("", Address("h", 7000)), ("\\xff", Address("j", 1)))
    assert first.nodes == (("aa", Address("10.0.0.1", 7001)), ("bb", Address("10.0.0.1", 7002)))
    assert (second.first, second.last) == (6, 9)
    assert second.nodes == (("cc", Address("10.0.0.1", 7003)),)


def test_what_changed_hands_is_seen() -> None:
    """A slot moved away, taken over by a replica, half moved, or moved away and back."""
    before = view(claim("a", {1, 2}), claim("b", {3}))
    assert not before.changed_since(before)
    given_away = view(claim("a", {1}), claim("b", {2, 3}))
    assert given_away.changed_since(before) == {2}
    taken_over = view(claim("c", {1, 2}), claim("b", {3}))
    assert taken_over.changed_since(before) == {1, 2}
    assert view(claim("c", {1}), claim("b", {2, 3})).changed_since(before) == {1, 2}
    half = view(claim("a", {1, 2}, leaving={1: "b"}), claim("b", {3}, coming={1: "a"}))
    assert half.changed_since(before) == {1}
    assert half.moving == {1}
    assert not half.changed_since(half)
    back_again = view(claim("a", {1, 2}, epoch=9), claim("b", {3}))
    assert back_again.changed_since(before) == {1, 2}


def test_a_primary_that_fell_silent_has_lost_nothing_by_that() -> None:
    """Its slots become suspect only if another node owns them now."""
    before = view(claim("a", {1, 2}), claim("b", {3}))
    after = View({"b": claim("b", {3})}, (A,))
    assert not after.changed_since(before)
    assert after.covered == {3}
