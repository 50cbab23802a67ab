"""Lines that are broken at words, to fit a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from pawsctl.cli.output.table import columns_of, plain
from pawsctl.cli.output.wrapping import fitted, joined, wrapped

TEXT = st.text(alphabet="ab  ñ日🐶", max_size=60)


def parts(text: str, room: int | None, *, indent: int = 0) -> list[str]:
    """Return the parts of a line of one style."""
    return [plain(line) for line in wrapped([(text, "")], room, indent=indent)]


def test_words_stay_whole_and_hang_below_the_first() -> None:
    """A word that no line can hold begins where it stands, and is broken."""
    assert parts("bot    buenas noches amigo", 20, indent=7) == [
        "bot    buenas noches",
        "       amigo",
    ]
    assert parts("bot    " + "x" * 30, 20, indent=7) == [
        "bot    " + "x" * 13,
        "       " + "x" * 13,
        "       " + "x" * 4,
    ]
    assert parts("bot  " * 20, None) == ["bot  " * 20]


def test_numbers_stay_with_their_units() -> None:
    """A duration and a size are words."""
    assert parts("longest 5h 49m", 10) == ["longest", "5h 49m"]
    assert parts("it has 1.2 KB, 3 days", 10) == ["it has", "1.2 KB,", "3 days"]


def test_a_command_is_broken_nowhere() -> None:
    """In a sentence it is a word; a line with a bare one, or one with quotes, is whole."""

    def shown(text: str) -> list[str]:
        return [plain(line) for line in fitted([("  → ", "cyan"), (text, "")], 40)]

    assert shown("Start it with 'pawsctl redis up --pull always', or name another with --url.") == [
        "  → Start it with",
        "    'pawsctl redis up --pull always', or",
        "    name another with --url.",
    ]
    for whole in (
        "Back with: pawsctl backup restore 20261128T185846552145Z-delete",
        "Run 'pawsctl session list --match '+1 2*' --waiting' to see those.",
        "Run 'pawsctl session export --url redis://localhost:6379 sessions.jsonl' first.",
        "The file is in /var/lib/pawsctl/paws-wpp/embedded/data/appendonlydir now.",
    ):
        assert shown(whole) == [f"  → {whole}"]


def test_what_is_escaped_is_measured() -> None:
    """A control character takes the columns of its escape."""
    assert parts("aa \x1b\x1b bb", 11) == ["aa \\x1b\\x1b", "bb"]


@given(TEXT, TEXT, st.integers(4, 30), st.integers(0, 8))
def test_no_part_is_wider_than_the_room_and_nothing_is_lost(
    first: str, second: str, room: int, indent: int
) -> None:
    """This holds for wide characters, and where two styles meet in a word."""
    found = [plain(each) for each in wrapped([(first, "a"), (second, "b")], room, indent=indent)]
    assert all(columns_of(each) <= room for each in found)
    assert "".join("".join(found).split()) == "".join((first + second).split())


def test_facts_are_not_broken() -> None:
    """A line ends between two of them."""
    assert list(joined(["3 messages", "786 B", "never expires"], 22)) == [
        "3 messages · 786 B",
        "never expires",
    ]
