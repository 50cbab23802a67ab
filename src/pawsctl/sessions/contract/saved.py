"""A session as it is written: the stored bytes, and when they expire. Pure."""

import msgspec

LATEST_MS = 2**63 - 1
"""The last moment that Redis can let a key expire at, in milliseconds since the epoch."""


class Saved(msgspec.Struct, frozen=True, gc=False):
    """What is to stand in Redis under one key.

    `expires_at` is milliseconds since the epoch, None for never.
    """

    key: bytes
    value: bytes
    expires_at: int | None


def moment(milliseconds: int) -> int:
    """Return a moment of expiry that Redis takes: its last one, if this is later.

    The last one is stored as it is, but told as a time left, and two clocks are never quite one.
    """
    return min(milliseconds, LATEST_MS)
