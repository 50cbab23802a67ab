"""JSON texts taken apart and written without a change to what is in them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawsctl.sessions.contract import deep_json, json_text

DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
NESTED: dict[str, Any] = {
    "a": [1, -2.5, True, False, None, "x, y", [], {}, [[]]],
    "b": {"c": {}, "d": "}"},
}


@given(DOCUMENTS, st.sampled_from((None, 1)), st.booleans())
def test_deep_json_reads_and_writes_as_python_does(
    document: Any, indent: int | None, is_ascii: bool
) -> None:
    """Whatever Python's own, which recurses, can read and write."""
    text = json.dumps(document, indent=indent, ensure_ascii=is_ascii)
    found = deep_json.loads(text, parse_int=int)
    assert (found, repr(found)) == (document, repr(document))
    assert deep_json.dumps(document, ensure_ascii=is_ascii) == json.dumps(
        document, ensure_ascii=is_ascii
    )


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "[", "{", "]", "}", "[1", "[1 2]", "[1,]", "[,1]", "[1}", "{1]", "1 2", "nul"),
        *('{"a"}', '{"a":}', '{"a":1,}', '{"a" 1}', "{1:2}", '{"a":1]', "[1]]", '"a', "01", "+1"),
        *("NaN", "-", ".5", "1.", "[1],", '{"a":1 "b":2}', "{,}"),
    ],
)
def test_deep_json_reads_nothing_else(text: str) -> None:
    """Nor does JSON.parse."""
    with pytest.raises(ValueError, match=r"."):
        deep_json.loads(text, parse_int=int)


@pytest.mark.parametrize("document", [NESTED, [], {}, [{}], "a", {"": [{"x": [1, 2]}, 3]}])
def test_pretty_indents_by_two(document: Any) -> None:
    """As Python does, but every number and string stays as it is written."""
    pretty = json.dumps(document, indent=2) + "\n"
    for text in (json.dumps(document), pretty, json_text.compact(pretty)):
        assert json_text.pretty(text) == pretty
    assert json_text.compact(pretty) == json.dumps(document, separators=(",", ":"))
    assert json_text.pretty('[1.0e5, "\\u00e4\\""]') == '[\n  1.0e5,\n  "\\u00e4\\""\n]\n'


@given(st.dictionaries(st.text(), DOCUMENTS), st.sampled_from((None, 1)))
def test_a_member_is_found_where_it_stands(document: dict[str, Any], indent: int | None) -> None:
    """Its text is its value, and only that; so are the items of a list."""
    text = f" {json.dumps(document, indent=indent)} "
    for name, value in document.items():
        place = json_text.member(text, name)
        assert place is not None
        assert json.loads(text[slice(*place)]) == value
        assert text[slice(*place)].strip() == text[slice(*place)]
    items = f" {json.dumps(list(document.values()), indent=indent)} "
    found = json_text.items(items, json_text.begin_of(items))
    assert list(map(json.loads, found.items)) == list(document.values())
    assert found.with_items(found.items) == items
    assert json.loads(found.with_items(["7"])) == [7]


def test_of_several_members_the_last_one_counts() -> None:
    """As for JSON.parse; one further inside is another's."""
    text = '{"a":1, "b":{"a":2}, "a":[3], "c":["a",4]}'
    place = json_text.member(text, "a")
    assert place is not None
    assert text[slice(*place)] == "[3]"
    assert json_text.member(text, "d") is None


def test_a_string_is_written_as_javascript_does() -> None:
    """Lone surrogates as escapes, all else that may be as it is."""
    assert json_text.string('ä"\n\ud7ff\ud800\udfff\ue000') == (
        '"ä\\"\\n\ud7ff\\ud800\\udfff\ue000"'
    )
