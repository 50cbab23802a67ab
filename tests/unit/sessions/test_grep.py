"""Values that are ruled out by their bytes, against what the sessions in them say."""

import json
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.sessions.contract import decode
from pawsctl.sessions.contract.model import TOOL_RESULTS, Block, OtherMessage, Session
from pawsctl.sessions.query import grep

# With all that folds into ASCII, and what JSON writes in several ways.
_LETTERS = 'aAsSkKiIfFtThHjJnN;`."\\/ \n\u0301\u0307\u030c\u0331\xe9\ud83d' + grep._INTO_ASCII


def value(text: str, *, as_ascii: bool) -> bytes:
    """Return a stored session in which a customer says the text."""
    said = {"role": "user", "content": text}
    shape = {"status": "active", "messages": [said], "updatedAt": 1}
    return json.dumps(shape, ensure_ascii=as_ascii).encode("utf-8", "surrogatepass")


@given(st.text(_LETTERS, max_size=8), st.text(_LETTERS, min_size=1, max_size=3), st.booleans())
def test_what_is_ruled_out_does_not_say_it(said: str, wanted: str, as_ascii: bool) -> None:
    """Whichever characters fold into others, and however JSON writes them."""
    is_out = grep.rules_out(wanted)
    stored = value(said, as_ascii=as_ascii)
    if is_out is not None and is_out(stored):
        assert not grep.says(decode.read(stored).session, wanted)


_MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["user", "assistant", "tool"]),
        st.sampled_from(["text", "results", "block", "blocks", "thought"]),
        st.text(_LETTERS, max_size=6),
    ),
    max_size=3,
)


def message(role: str, kind: str, text: str) -> OtherMessage:
    """Return a message with the text in one of the places where a message can have one."""
    if kind in ("text", "results"):
        return OtherMessage(role, (TOOL_RESULTS if kind == "results" else "") + text)
    blocks = [Block("text" if kind != "thought" else "thinking", text=text)]
    return OtherMessage(role, [*blocks, Block("text", text="x")] if kind == "blocks" else blocks)


@given(_MESSAGES, st.text(_LETTERS, min_size=1, max_size=3))
def test_a_session_says_what_its_folded_messages_say(
    said: list[tuple[str, str, str]], wanted: str
) -> None:
    """Whether the text is found as it is spelt, or only by folding; an accent makes another."""
    messages = [message(*each) for each in said]
    seen = [each.text for each in messages if each.role != "tool" and not each.is_tool_results]
    is_said = any(grep.folded(wanted) in grep.folded(each) for each in seen)
    assert grep.says(Session("active", messages, 1.0), wanted) == is_said


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gata", True),
        ("Gata!", True),
        ("GATA", True),
        ("gata\u0301", False),
        ("gata\u0301 gata", True),
    ],
)
def test_an_accent_that_follows_makes_another_letter(text: str, says: bool) -> None:
    """However the text is written."""
    messages = [OtherMessage("user", text)]
    assert grep.says(Session("active", messages, 1.0), "gata") is says


@pytest.mark.slow
def test_every_character_that_folds_into_ascii_is_known() -> None:
    """Of all of Unicode, as Python knows it."""
    beyond = [chr(number) for number in range(0x80, sys.maxunicode + 1)]
    # All at once: nothing composes across a NUL.
    folded = grep.folded("\0".join(beyond)).split("\0")
    folding = [each for each, found in zip(beyond, folded, strict=True) if min(found) < "\x80"]
    assert "".join(folding) == grep._INTO_ASCII


@pytest.mark.parametrize(
    ("wanted", "said", "is_ruled_out"),
    [
        ("gata", "mi perro", True),
        ("GATA", "mi gata", False),
        ("gata", "mi GATA", False),
        ("strasse", "Stra\xdfe", False),
        ("gata", "Stra\xdfe", True),
        ("5 k", "5 \u212a", False),
        ("gata", "caf\xe9", True),
        ("cafe", "caf" + unicodedata.normalize("NFD", "\xe9"), False),
    ],
)
def test_what_is_ruled_out(wanted: str, said: str, is_ruled_out: bool) -> None:
    """Most values are, and none that may say it."""
    is_out = grep.rules_out(wanted)
    assert is_out is not None
    assert is_out(value(said, as_ascii=False)) is is_ruled_out


@pytest.mark.parametrize("wanted", ["caf\xe9", 'a"b', "a\\b", "a/b", "a\tb"])
def test_the_bytes_tell_nothing_of_what_json_writes_otherwise(wanted: str) -> None:
    """Then every value is decoded."""
    assert grep.rules_out(wanted) is None


def test_a_value_with_an_escape_is_decoded() -> None:
    """Any letter may be written as one."""
    is_out = grep.rules_out("gata")
    assert is_out is not None
    assert not is_out(value("\xe9", as_ascii=True))
