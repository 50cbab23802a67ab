"""A session as it is written: the stored bytes, and when they expire. Pure."""

import msgspec


class Saved(msgspec.Struct, frozen=True, gc=False):
    """What is to stand in Redis under one key.

    `expires_at` is milliseconds since the epoch, None for never.
    """

    key: bytes
    value: bytes
    expires_at: int | None
