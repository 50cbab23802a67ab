"""Masked sessions are recognised by their pseudonyms and blocks, and no others are."""

import pytest

from pawsctl.sessions.contract import keys, masked_value, pseudonyms
from pawsctl.sessions.contract.mask import Mask
from pawsctl.sessions.contract.model import Record
from tests.conftest import GOOD, SAMPLES

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
    assert not pseudonyms.any_masked([record.key, masked.key], [masked.value, None], prefix)
    assert pseudonyms.may_hold_masked(masked.value)
    assert not pseudonyms.may_hold_masked(GREETING)
    assert not pseudonyms.may_hold_masked("\u02c8".encode())


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
    """Its phone looks like a pseudonym."""
    for sample in GOOD:
        key = f"wh:session:{keys.nobodys_phone()}".encode()
        assert not pseudonyms.is_masked(key, sample.read_bytes(), "wh:session:")
