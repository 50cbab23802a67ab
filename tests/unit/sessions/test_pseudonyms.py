"""Masked sessions are recognised by their pseudonyms, and no others are."""

import json

import pytest

from pawsctl.sessions.archive import jsonl_format
from pawsctl.sessions.contract import keys, masked_value, pseudonyms
from pawsctl.sessions.contract.mask import Mask
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.contract.saved import Saved
from tests.conftest import SAMPLES

GREETING = (SAMPLES / "greeting.json").read_bytes()
BLOCKS = "██".encode()
MASK = Mask(b"any")


@pytest.mark.parametrize("name", ["+59899123456", "59899123456", "lucrecia", "+1", "x:y"])
@pytest.mark.parametrize("prefix", ["wh:session:", "dev:é:"])
@pytest.mark.parametrize("is_raw", [False, True])
def test_what_the_mask_makes_is_recognised(name: str, prefix: str, is_raw: bool) -> None:
    """Whatever the name was, and under any prefix."""
    record = Record(f"{prefix}{name}".encode(), 1, GREETING, "string")
    assert not pseudonyms.is_masked(record.key, GREETING, prefix)
    masked = masked_value.record(record, MASK, prefix=prefix, is_raw=is_raw)
    assert masked.value is not None
    assert pseudonyms.is_masked(masked.key, masked.value, prefix)
    assert not pseudonyms.is_masked(masked.key, masked.value, "another:")
    many = [record.key, masked.key], [GREETING, masked.value]
    assert pseudonyms.any_masked(*many, prefix)
    assert not pseudonyms.any_masked(*many, "another:")
    line = jsonl_format.lines([Saved(masked.key, masked.value, None)], prefix)
    assert pseudonyms.may_hold_masked([b"{}", line])
    assert pseudonyms.may_hold_masked([json.dumps(json.loads(line)).encode()])
    assert pseudonyms.may_hold_masked([json.dumps(json.loads(line), sort_keys=True).encode()])
    line = jsonl_format.lines([Saved(record.key, b'"phone":"+0123456789012345"', None)], prefix)
    assert not pseudonyms.may_hold_masked([line])


@pytest.mark.parametrize("value", [b'{"status":"active","messages":[],"updatedAt":1}', b"", None])
def test_a_masked_session_in_which_nothing_was_said_is_recognised(value: bytes | None) -> None:
    """By its pseudonym alone, unless that may be a real number, too."""
    for name, expected in (
        ("+59899123456", True),
        ("lucrecia", True),
        ("59899123456", False),
        ("+12", True),
    ):
        key = f"wh:session:{MASK.name(name)}".encode()
        assert pseudonyms.is_masked(key, value or b"", "wh:session:") == expected
        assert pseudonyms.any_masked([b"wh:session:+1", key], [b"", value], "wh:session:") == (
            expected
        )


@pytest.mark.parametrize(
    "name",
    [
        *("", "+", "+59899123456", "0059899123456", "+059899123456789", "+00000000000000000"),
        *("+0123456789012345+", "++0123456789012345", "+123456789012345", "123456789012345"),
        *("1123456789012345", "+0123456789012345\n", "masked-", "masked-0123456789abcdeg"),
        "+\u0660123456789012345",
    ],
)
def test_what_is_no_pseudonym_is_no_masked_session(name: str) -> None:
    """Even if people wrote blocks."""
    assert not pseudonyms.is_masked(f"wh:session:{name}".encode(), BLOCKS, "wh:session:")


def test_a_session_of_the_smoke_test_is_not_masked() -> None:
    """Its phone is longer than a pseudonym, and is shown as it is, since it is nobody's."""
    for _ in range(50):
        key = f"wh:session:{keys.nobodys_phone()}"
        assert not pseudonyms.is_masked(key.encode(), BLOCKS, "wh:session:")
        assert MASK.sentence(f"left: {key}.") == f"left: {key}."
