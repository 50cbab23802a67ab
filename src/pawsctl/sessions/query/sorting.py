"""In which order sessions are listed, and how many of them. Pure."""

import heapq
import math
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from pawsctl.errors import UsageError
from pawsctl.sessions.query.rows import Listed

FIELDS = ("phone", "ttl", "status", "messages", "updated_at", "bytes", "problem")
"""What a list can be sorted by."""


class Order(msgspec.Struct, frozen=True):
    """The field to sort by (None: as SCAN finds them), and how many sessions at most."""

    by: str | None = None
    reverse: bool = False
    limit: int | None = None


def order(by: str | None, *, reverse: bool, limit: int | None) -> Order:
    """An order as a user asks for it. Raises UsageError where it makes no sense."""
    if by is not None and by not in FIELDS:
        raise UsageError(
            f"A list can't be sorted by '{by}'.", hint=f"It can be by {', '.join(FIELDS)}."
        )
    if reverse and by is None:
        raise UsageError(
            "--reverse turns a sorted list round, and this one is not sorted.",
            hint=f"Add --sort with one of {', '.join(FIELDS)}.",
        )
    return Order(by, reverse, limit)


def ordered(rows: Iterable[Listed], order: Order) -> Iterator[Listed]:
    """The rows of a list in that order.

    With a limit, no more rows than that are held at a time; without one, a sorted list is held
    whole, of each session only what a row shows. A row without a value comes last either way.
    """
    if order.by is None:
        return islice(rows, order.limit)
    key = _key(order.by, reverse=order.reverse)
    if order.limit is None:
        return iter(sorted(map(_lightened, rows), key=key, reverse=order.reverse))
    pick = heapq.nlargest if order.reverse else heapq.nsmallest
    return iter(pick(order.limit, rows, key=key))


def _key(field: str, *, reverse: bool) -> Callable[[Listed], Any]:
    def key(listed: Listed) -> tuple[bool, Any]:
        value = getattr(listed.item, field)
        if field == "ttl" and value < 0:
            value = math.inf
        return (value is None) is not reverse, value

    return key


def _lightened(listed: Listed) -> Listed:
    session = listed.session
    if session is None or len(session.messages) < 2:
        return listed
    return Listed(listed.item, replace(session, messages=session.messages[-1:]))
