"""Sizes as they are written in redis.conf."""

import pytest

from pawsctl import sizes


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("5", 5),
        ("5b", 5),
        ("5k", 5_000),
        ("5kb", 5_120),
        ("5M", 5_000_000),
        (" 5mb ", 5_242_880),
        ("5g", 5_000_000_000),
        ("5GB", 5_368_709_120),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_a_size_is_in_bytes(text: str, size: int) -> None:
    """A unit with a b is in powers of two."""
    assert sizes.in_bytes(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "b", "-1", "5 kb", "5bk", "5tb", "1.5k", "9223372036854775808", "8589934592gb", "٣"],
)
def test_other_texts_are_none(text: str) -> None:
    """Nor is a size that Redis can't keep in 64 bits."""
    with pytest.raises(ValueError, match="is no size"):
        sizes.in_bytes(text)
