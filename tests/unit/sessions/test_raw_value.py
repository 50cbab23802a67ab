"""Values of any application as text, and JSON in lines."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.cli.session.views import raw_view
from pawsctl.sessions.contract import raw_value
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.contract.raw_value import readable
from pawsctl.sessions.query.rows import Conversation

DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(st.binary() | st.text().map(str.encode))
def test_no_byte_is_lost_in_what_is_shown(value: bytes) -> None:
    """Each encoding leads back to the value."""
    found = readable(value)
    assert (bytes.fromhex(found.text) if found.encoding == "hex" else found.text.encode()) == value
    assert "\n" not in raw_value.preview(value)


@given(DOCUMENTS, st.sampled_from((None, 1)), st.booleans())
def test_json_in_lines_is_the_same_json(document: object, indent: int, is_ascii: bool) -> None:
    """However it was written."""
    text = json.dumps(document, indent=indent, ensure_ascii=is_ascii, allow_nan=False)
    if readable(text.encode("utf-8", "replace")).encoding != "json":
        return
    record = Record(b"sess:1", -1, text.encode("utf-8", "replace"))
    lines = [
        "".join(text for text, _ in line)
        for line in raw_view.value_view(Conversation("1", b"sess:1", record))
    ]
    shown = "\n".join(lines[lines.index("") + 1 :])
    assert json.loads(shown) == json.loads(record.value or b"")


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        (b'{"a": NaN}', "text"), (b"\xef\xbb\xbf{}", "text"), (b"[1,]", "text"),
        (b" {} \n", "json"),
        (b"9" * 5_000, "json"), (b"[" * 90_000 + b"]" * 90_000, "json"), (b"[" * 90_000, "text"),
        (b"a\x00b", "hex"), (b"a\x1b[0m", "hex"), (b"\x80\x05\x95", "hex"), (b"", "text"),
        (b'"\\ud83d"', "json"), (b"\xed\xa0\xbd", "hex"), (b"two\r\n\tlines", "text"),
    ],
)  # fmt: skip
def test_what_javascript_reads_is_json_and_what_a_person_reads_is_text(
    value: bytes, encoding: str
) -> None:
    """All else is shown as bytes."""
    assert readable(value).encoding == encoding


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"a\n  b", "a b"),
        (b"x" * 120, "x" * 120),
        (b"x" * 121, "x" * 120 + "…"),
        # A letter that is cut is left out, of one to three bytes too few.
        (b"x" * 119 + "é".encode(), "x" * 119 + "…"),
        (b"x" * 118 + "€".encode(), "x" * 118 + "…"),
        (b"x" * 117 + "😀".encode(), "x" * 117 + "…"),
        (b"x" * 116 + "😀".encode() + b"y", "x" * 116 + "😀…"),
        (b"x" * 119 + b"\xe9", (b"x" * 119 + b"\xe9").hex()),
        (b"x" * 115 + b"\xff" * 6, (b"x" * 115 + b"\xff" * 5).hex() + "…"),
        (b"\x00", "00"),
        (b"a\x1fb", "611f62"),
        (b"a\tb\rc", "a b c"),
    ],
)
def test_a_preview_is_the_beginning(value: bytes, shown: str) -> None:
    """Of 120 bytes at most; a value that is longer ends in …."""
    assert raw_value.preview(value) == shown


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        (b"{}", "json"),
        (b"[" * 5_000 + b"]" * 5_000, "json"),
        (b"[" * 5_000 + b"]" * 4_999, "text"),
        (b"1" * 5_000, "json"),
        (b"NaN", "text"),
        (b"-Infinity", "text"),
        (b"\xef\xbb\xbf{}", "text"),
        (b"{", "text"),
        (b"", "text"),
        (b"\xff", "hex"),
        (b"\x01", "hex"),
    ],
)
def test_a_value_is_read_as_what_it_is(value: bytes, encoding: str) -> None:
    """JSON of any depth, with numbers of any length."""
    assert readable(value).encoding == encoding
