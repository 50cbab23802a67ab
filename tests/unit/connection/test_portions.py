"""Values are asked for in portions, which get smaller until a server takes them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.connection.replies import ErrorReply
from pawsctl.connection.scan.portions import Portions

FORBIDDEN = ErrorReply("NOPERM", "No permissions to access a key")


@given(
    st.lists(st.sampled_from([FORBIDDEN, 10, 30_000, 900_000]), min_size=1, max_size=60),
    st.integers(0, 1_000_000),
)
def test_a_server_that_hangs_up_is_not_asked_for_ever(
    sizes: list[int | ErrorReply], limit: int
) -> None:
    """Each try asks for less, also if the sizes of some values may not be known."""
    portions, names = Portions(), [b"%d" % number for number in range(len(sizes))]
    sent = {
        name: size if isinstance(size, int) else 0 for name, size in zip(names, sizes, strict=True)
    }
    tries = 0
    while not _all_came(portions, names, sizes, sent, limit):
        tries += 1
        assert tries < 300
        if not portions.learnt():
            break


def _all_came(
    portions: Portions,
    names: list[bytes],
    sizes: list[int | ErrorReply],
    sent: dict[bytes, int],
    limit: int,
) -> bool:
    """Ask a server that sends at most `limit` bytes at once; return whether all came."""
    for group in portions.groups(names, sizes):
        wanted = [name for name in group if portions.refused(name) is None]
        portions.begin(wanted)
        if sum(sent[name] for name in wanted) > limit:
            return False
        portions.came([b"x" * sent[name] for name in wanted])
    return True


KB = 1024
TOO_LARGE = ErrorReply("ERR", "max request size exceeded")
NOT_HERE = ErrorReply("ERR", "Script attempted to access a non local key in a cluster node")
WRONG_TYPE = ErrorReply("WRONGTYPE", "a hash")


@pytest.mark.parametrize(
    ("values", "count", "is_unsure"),
    [
        (None, 1, False),
        (None, 2, True),
        ([b"x" * 768], 1024, False),
        ([b"x" * 768], 1025, True),
        ([b"x" * 1536, None, b""], 1024, False),
        ([b"x" * 1536, None, b""], 1025, True),
        ([None], 2, True),
        (b"x" * 768, 1025, True),
        ([b"x" * 800 * KB], 1, False),
    ],
)
def test_sizes_are_asked_for_if_the_last_values_were_large(
    values: Any, count: int, is_unsure: bool
) -> None:
    """768 KB are the most in a reply; one value is asked for as it is."""
    portions = Portions()
    if values is not None:
        assert portions.came(values)
    assert portions.may_be_large(count) is is_unsure


@pytest.mark.parametrize(
    ("values", "came"),
    [([TOO_LARGE], False), ([b"x", TOO_LARGE], False), ([FORBIDDEN], True), ([NOT_HERE], True),
     ([WRONG_TYPE, b"x"], True), (TOO_LARGE, False)],
)  # fmt: skip
def test_a_refusal_may_be_about_the_size(values: Any, came: bool) -> None:
    """Not if it is about a key; where nothing is under way, there is nothing to try again."""
    portions = Portions()
    portions.begin([b"a", b"b"])
    assert portions.came(values) is came
    assert portions.may_be_large(1) is not came
    assert portions.came(values)


def sizes(*told: Any) -> dict[bytes, Any]:
    """Return names with these sizes."""
    return {b"%d" % number: each for number, each in enumerate(told)}


@pytest.mark.parametrize(
    ("told", "groups"),
    [
        ([], []),
        ([5], ["0"]),
        ([800 * KB, 1], ["0", "1"]),
        ([1, 800 * KB], ["0", "1"]),
        ([700 * KB, 68 * KB, 1], ["01", "2"]),
        ([700 * KB, 68 * KB + 1], ["0", "1"]),
        ([400 * KB, 400 * KB, 368 * KB, 1], ["0", "12", "3"]),
        ([768 * KB, WRONG_TYPE, 0, FORBIDDEN, 1], ["0123", "4"]),
    ],
)
def test_a_portion_fits_into_a_reply(told: list[Any], groups: list[str]) -> None:
    """A value that does not fit is one by itself."""
    named = sizes(*told)
    found = Portions().groups(list(named), list(named.values()))
    assert [b"".join(group).decode() for group in found] == groups
    with pytest.raises(ValueError, match="zip"):
        list(Portions().groups([b"a"], [1, 2]))


def refused(portions: Portions, group: list[bytes]) -> bool:
    """Have the server hang up at a group; return whether to try again."""
    portions.begin(group)
    return portions.learnt()


def test_a_server_that_hangs_up_is_asked_for_half() -> None:
    """Of its size if it is known, down to 64 KB; one alone is left out."""
    portions, named = Portions(), sizes(400 * KB, 300 * KB, 300 * KB)
    names = list(named)
    assert list(portions.groups(names, list(named.values()))) == [names[:2], names[2:]]
    assert refused(portions, names[:2])
    assert list(portions.groups(names, list(named.values()))) == [[each] for each in names]
    assert refused(portions, names[:1])
    left_out = portions.refused(names[0])
    assert left_out is not None
    assert left_out.size == 400 * KB
    assert portions.refused(names[1]) is None
    assert list(portions.groups(names, list(named.values()))) == [[each] for each in names]


@pytest.mark.parametrize(("size", "is_tried"), [(64 * KB, True), (64 * KB - 1, False)])
def test_where_little_is_refused_it_is_for_another_reason(size: int, is_tried: bool) -> None:
    """Less than 64 KB."""
    portions, named = Portions(), sizes(size, 0)
    list(portions.groups(list(named), list(named.values())))
    assert refused(portions, list(named)) is is_tried
    assert refused(portions, list(named)[:1]) is is_tried


def test_what_is_left_out_stands_alone() -> None:
    """So that the others come."""
    portions, named = Portions(), sizes(1, 100 * KB, 1, 1)
    names = list(named)
    list(portions.groups(names, list(named.values())))
    assert refused(portions, names[1:2])
    found = list(portions.groups(names, list(named.values())))
    assert found == [names[:1], names[1:2], names[2:]]


def test_sizes_that_may_not_be_known_are_guessed_larger_each_time() -> None:
    """Ten values may be left out so; then the server is taken to hang up at any."""
    portions, named = Portions(), sizes(*[FORBIDDEN] * 16)
    names, told = list(named), list(named.values())
    lengths = []
    for _ in range(5):
        first = next(portions.groups(names, told))
        lengths.append(len(first))
        assert refused(portions, first)
    assert lengths == [16, 16, 8, 2, 1]
    for number in range(1, 11):
        assert refused(portions, [names[number]]) is (number < 10)
    unknown = portions.refused(names[0])
    assert unknown is not None
    assert unknown.size is None
