"""Redis's globs as patterns; tests/integration/redis/test_globs.py holds them to a real server."""

import pytest

from pawsctl.connection.scan.glob import example, matcher, matching


@pytest.mark.parametrize(
    ("glob", "matching", "others"),
    [
        (b"", [b""], [b"a"]),
        (b"a*c", [b"ac", b"abc", b"a\nc"], [b"acb", b"bac"]),
        (b"ab*", [b"ab", b"abc", b"ab\n", b"ab**"], [b"a", b"b", b"xab"]),
        (b"a?*", [b"ab", b"abc"], [b"a", b"bab"]),
        (b"[*", [b"*"], [b"[*", b"["]),
        (b"a\\*", [b"a*"], [b"ab", b"a\\"]),
        (b"a**", [b"a", b"ab"], [b"b"]),
        (b"a?c", [b"abc", b"a\nc", b"a\xffc"], [b"ac", b"abbc"]),
        (b"a.c", [b"a.c"], [b"abc"]),
        (b"a\\*\\\\c", [b"a*\\c"], [b"ab\\c", b"a*c"]),
        (b"a\\", [b"a\\"], [b"a"]),
        (b"[b-d]", [b"b", b"c", b"d"], [b"a", b"e", b"-", b"bc", b""]),
        (b"[d-b]x", [b"bx", b"cx", b"dx"], [b"ax", b"ex", b"-x"]),
        (b"[c-c]", [b"c"], [b"b", b"d", b"-", b"\xff", b"\x00"]),
        (b"[bd]e", [b"be", b"de"], [b"ce", b"bde", b"e"]),
        (b"[^b-d]", [b"a", b"e", b"^", b"\n"], [b"b", b"c", b"d", b""]),
        (b"[b^]", [b"b", b"^"], [b"a"]),
        (b"[b\\]c]", [b"b", b"]", b"c"], [b"\\", b"b]"]),
        (b"[\\b-d]", [b"b", b"-", b"d"], [b"c", b"\\"]),
        (b"[\\b]", [b"b"], [b"]", b"\\"]),
        (b"[\x00-\xff]", [b"\x00", b"\xff"], [b"a", b"\x80"]),
        (b"[b-", [b"b", b"-"], [b"c", b"]"]),
        (b"[b\\", [b"b", b"\\"], [b"]"]),
        (b"[bc", [b"b", b"c"], [b"[", b"d"]),
        (b"[]a", [], [b"a", b"]a", b"xa"]),
        (b"[^]a", [b"xa", b"]a"], [b"a"]),
        (b"[b]]", [b"b]"], [b"b", b"]"]),
        # The bytes from 128 on come before 0.
        (b"[\x7f-\x80]", [b"\x7f", b"\x80", b"a", b"\xff", b"\x00"], []),
        (b"[\x80-a]", [b"\x80", b"\xff", b"\x00", b"a"], [b"b", b"\x7f"]),
        (b"[\xf0-a]", [b"\xf0", b"\xff", b"\x00", b"a"], [b"b", b"\xef", b"\x80"]),
        (b"[\xf0-\xfe]", [b"\xf0", b"\xfe"], [b"\xff", b"\xef", b"\x00"]),
    ],
)
def test_a_pattern_matches_what_the_glob_does(
    glob: bytes, matching: list[bytes], others: list[bytes]
) -> None:
    """Also globs that nobody would write."""
    matches = matcher(glob)
    assert [each for each in matching if not matches(each)] == []
    assert [each for each in others if matches(each)] == []


@pytest.mark.parametrize("glob", [b"a:*", b"a:?", b"*"])
def test_those_that_match_are_kept(glob: bytes) -> None:
    """Whether all do or some."""
    matches = matcher(glob)
    for texts in ([], [b"a:1", b"a:2", b"a:"], [b"a:1", b"b", b"a:2"], [b"", b"a:1"], [b"b"]):
        assert list(matching(glob)(texts)) == [text for text in texts if matches(text)]


@pytest.mark.parametrize(
    ("glob", "text"),
    [
        (b"a:*", b"a:+01"),
        (b"a:+5989[10-3]*", b"a:+59890+01"),
        (b"a?[^0-8]*b*", b"a09+01b"),
        (b"[x-z]\\**.", b"x*+01."),
        (b"[\x80]*", b"\x80+01"),
        (b"a:+1", None),
        (b"a:+1?[23]\\*", None),
        (b"", None),
    ],
)
def test_an_example_matches_its_glob(glob: bytes, text: bytes | None) -> None:
    """None where it could be the key of somebody: there is no place for the filler."""
    found = example(glob, b"+01")
    assert found == text
    assert found is None or matcher(glob)(found)


def test_an_example_of_a_glob_that_matches_nothing_has_the_filler() -> None:
    """So it is the key of nobody, whatever the rest."""
    assert example(b"a[]*", b"+01") == b"a+01"
