"""Escaping of text for the place where it is shown."""

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl import escaping

ANY_TEXT = st.text(st.characters(exclude_categories=[]))


def is_dangerous(character: str) -> bool:
    """Return whether a terminal might not just draw the character, by Python's Unicode data."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def test_no_dangerous_character_of_unicode_is_missed() -> None:
    """The listed ranges contain every control, format and surrogate character."""
    everything = map(chr, range(sys.maxunicode + 1))
    assert [c for c in everything if is_dangerous(c) and escaping.visible(c) == c] == []


@given(ANY_TEXT)
def test_what_is_visible_has_nothing_dangerous_in_it(text: str) -> None:
    """A zero-width joiner is allowed between emoji only."""
    assert not any(is_dangerous(c) for c in escaping.visible(text).replace("\u200d", ""))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202eb", r"a\u202eb"),
        ("\U000e0041", r"\U000e0041"),
        ("\ud83d", r"\ud83d"),
        ("a\u200db", r"a\u200db"),
        ("\u2028", r"\u2028"),
        ("line\r\nnext", r"line\x0d\x0anext"),
    ],
)
def test_what_can_do_harm_becomes_an_escape(text: str, shown: str) -> None:
    """Each kind of dangerous character."""
    assert escaping.visible(text) == shown


@pytest.mark.parametrize("text", ["Ñandú é", "日本語 עברית العربية", "👩‍👩‍👧‍👦", "🏳️‍🌈"])
def test_what_people_write_stays(text: str) -> None:
    """This covers every script, and joined emoji."""
    assert escaping.visible(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("redis://:s3cret@h", "redis://@h"),
        ("u:s3cret@h", "u@h"),
        ("http://h?token=s3cret", "http://h?token=***"),
        ("a?token=s3cret", "a?token=s3cret"),
        ("redis@sha256:0a", "redis@sha256:0a"),
        ("redis://:s3cret@sha256:0a", "redis://@sha256:0a"),
        ("u:s3cret@sha256:x", "u@sha256:x"),
    ],
)
def test_a_setting_may_be_a_url_by_mistake(value: str, shown: str) -> None:
    """The digest of an image is no password."""
    assert escaping.setting(value) == shown


def test_documents_stay_on_their_lines() -> None:
    """Each is escaped by itself."""
    lines = '{"a":"\u202e"}\n{"a":1}\n'
    assert escaping.json_lines(lines.encode()) == b'{"a":"\\u202e"}\n{"a":1}\n'


def test_a_caller_may_keep_newlines() -> None:
    """This is for output that has several lines."""
    assert escaping.visible("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@given(st.recursive(ANY_TEXT | st.integers() | st.none(), st.lists))
def test_a_json_line_means_the_same_and_holds_no_danger(value: object) -> None:
    """Escapes in strings change the spelling, not the value."""
    document = json.dumps(value, ensure_ascii=False, indent=1)
    try:
        encoded = document.encode()
    except UnicodeEncodeError:
        encoded = json.dumps(value).encode()
    line = escaping.json_line(encoded)
    assert json.loads(line) == json.loads(encoded)
    assert not any(is_dangerous(c) for c in line.decode())


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://bot:s3cret@h/x?a=1", "https://bot@h/x?a=1"),
        ("https://:s3cret@h", "https://@h"),
        ("https://s3cret@h", "https://***@h"),
        ("https://u:s3/cr@et@h:1/x", "https://u@h:1/x"),
        ("https://u:s3?cret@h", "https://u@h"),
        ("https://h/x?token=s3cret&b=1&API_KEY=s3cret", "https://h/x?token=***&b=1&API_KEY=***"),
        ("https://h/@me", "https://h/@me"),
        ("u:s3cret@h:3000", "u@h:3000"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    """This holds however the password breaks the URL."""
    assert escaping.without_password(url) == shown


def test_what_is_printable_needs_no_escape() -> None:
    """Text that is printable is not looked at more closely; nor is it for blanks but the usual."""
    printable = "".join(filter(str.isprintable, map(chr, range(sys.maxunicode + 1))))
    assert escaping._pattern("").search(printable) is None
    assert [each for each in printable if each.isspace()] == [" "]


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x1f", r"\x1f"), (" ", " "), ("~", "~"), ("\x7f", r"\x7f"), ("\x9f", r"\x9f"),
        ("\xa0", "\xa0"), ("\xa1", "\xa1"), ("\xad", r"\xad"), ("\u0600", r"\u0600"),
        ("\ud7ff", "\ud7ff"), ("\ud800", r"\ud800"), ("\udfff", r"\udfff"), ("\ue000", "\ue000"),
        ("\ufffb", r"\ufffb"), ("\U000110bd", r"\U000110bd"), ("\U000e007f", r"\U000e007f"),
    ],
)  # fmt: skip
def test_the_first_and_the_last_of_each_kind_are_escaped(character: str, shown: str) -> None:
    """Text beside them is not, whatever else is escaped."""
    assert escaping.visible(character) == shown
    assert escaping.visible(f"{character}\x00") == f"{shown}\\x00"


@pytest.mark.parametrize(
    ("character", "written"),
    [
        ("\x1f", " "), (" ", " "), ("~", "~"), ("\x7f", r"\u007f"), ("\x9f", r"\u009f"),
        ("\xa0", "\xa0"), ("\ufffb", r"\ufffb"), ("\uffff", "\uffff"),
        ("\U000110bd", r"\ud804\udcbd"), ("\U000e007f", r"\udb40\udc7f"),
    ],
)  # fmt: skip
def test_json_escapes_the_first_and_the_last_of_each_kind(character: str, written: str) -> None:
    """Beyond 16 bits as two halves."""
    assert escaping.json_line(f'"{character}"'.encode()).decode() == f'"{written}"'


def test_a_quick_look_at_a_text_tells_what_isprintable_tells() -> None:
    """For each character, alone and among others."""
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        assert escaping.is_printable(character) == character.isprintable()
    assert escaping.is_printable("")
    assert escaping.is_printable("~ a")
    assert not escaping.is_printable("a\x7fb")


def test_texts_are_known_to_be_printable_only_if_each_is() -> None:
    """None of them may be empty, or hold a lone surrogate."""
    found = escaping.printable(["Hola", "🐱 ñ"])
    assert found is not None
    assert ([*found], found[1], len(found)) == (["Hola", "🐱 ñ"], "🐱 ñ", 2)
    for odd in ("", "\ud83d", "a\nb", "\u202e"):
        assert escaping.printable(["Hola", odd]) is None
