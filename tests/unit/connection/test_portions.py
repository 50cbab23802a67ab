"""Values are asked for in portions, which get smaller until a server takes them."""

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
