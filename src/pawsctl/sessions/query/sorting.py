"""Sorting and limiting of lists of sessions. Pure."""

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from pawsctl.errors import UsageError
from pawsctl.sessions.query.rows import Listed
from pawsctl.sessions.query.sort_fields import SORT_FIELDS


class Order(msgspec.Struct, frozen=True):
    """The field to sort by (None: SCAN's order), and the most sessions to list (None: all)."""

    by: str | None = None
    reverse: bool = False
    limit: int | None = None


def order(
    by: str | None, *, reverse: bool, limit: int | None, fields: Sequence[str] = SORT_FIELDS
) -> Order:
    """Return the order that a user asks for; `fields` are those that the list can be sorted by.

    Raises UsageError for a wrong combination.
    """
    if by is not None and by not in fields:
        raise UsageError(
            f"A list can't be sorted by '{by}'.",
            hint=f"It can be by {', '.join(fields)}; --reverse turns it round.",
        )
    if reverse and by is None:
        raise UsageError(
            "--reverse turns a sorted list round, and this one is not sorted.",
            hint=f"Add --sort with one of {', '.join(fields)}.",
        )
    return Order(by, reverse, limit)


def ordered(rows: Iterable[Listed], order: Order) -> Iterator[Listed]:
    """Yield the rows of a list in the given order.

    With a limit, no more rows than that are in memory at a time; without one, a sorted list is
    in memory whole, but of each session only the parts that a row shows. Rows without a value come
    last, also in reverse order.
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
        if field == "waiting":
            since = listed.waiting_since
            return (since is None) is not reverse, since and -since.timestamp()
        value = getattr(listed.item, field)
        if field == "ttl" and value < 0:
            value = math.inf
        return (value is None) is not reverse, value

    return key


def _lightened(listed: Listed) -> Listed:
    return listed if listed.session is None else replace(listed, session=None)
