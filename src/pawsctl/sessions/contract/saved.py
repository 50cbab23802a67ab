"""A session to be written: its bytes, and when they expire. Pure."""

import msgspec

LATEST_MS = 2**63 - 1
"""The latest expiry that Redis can store, in milliseconds since the epoch."""


class Saved(msgspec.Struct, frozen=True, gc=False):
    """A key with the value and the expiry to write.

    `expires_at` is milliseconds since the epoch, None for never. For a key that is no string,
    `dumped` is its type, and `value` is what DUMP returned.
    """

    key: bytes
    value: bytes
    expires_at: int | None
    dumped: str = ""


def moment(milliseconds: int) -> int:
    """Return `milliseconds` since the epoch, or LATEST_MS if that is earlier.

    An expiry of LATEST_MS, calculated from a TTL, may come out later: two clocks never quite agree.
    """
    return min(milliseconds, LATEST_MS)
