"""Replies to TYPE and STRLEN for many keys, refusals among them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pawsctl.connection import ErrorReply, raise_for_error


def size(reply: Any) -> int:
    """Return the size in a reply to STRLEN; -1 for a key that is no string."""
    if isinstance(reply, ErrorReply) and reply.code == "WRONGTYPE":
        return -1
    size: int = raise_for_error(reply)
    return size


_PLAIN = frozenset((int, bytes, type(None)))


def hidden(told: Sequence[Any]) -> int:
    """Return how many of the replies, one for each key, are refusals."""
    # Check the types first: nearly always there is no refusal.
    if _PLAIN.issuperset(map(type, told)):
        return 0
    return sum(isinstance(each, ErrorReply) for each in told)


def kinds(told: Sequence[bytes | ErrorReply]) -> dict[str, int]:
    """Return the number of keys of each type, from the replies to TYPE."""
    counts = Counter(each for each in told if isinstance(each, bytes))
    # Keys that have gone between SCAN and TYPE.
    del counts[b"none"]
    return {kind.decode("utf-8", "backslashreplace"): count for kind, count in counts.items()}
