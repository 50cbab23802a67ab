"""The choice of how records are summed up, made once for a pass. Pure."""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from pawsctl.sessions.contract import raw_value, rules
from pawsctl.sessions.contract.model import Columns, Record
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.query import many_rows, raw_rows, rows
from pawsctl.sessions.query.raw_rows import RawListed
from pawsctl.sessions.query.rows import Listed


def summing(using: Checks) -> Callable[[Record, float, Checks], Listed]:
    """Return the function that sums up a record of the keyspace that `using` is for."""
    return raw_rows.listed if using.keyspace.is_raw else rows.listed


def summing_all(using: Checks, *, whole: bool) -> Callable[[Columns, float, Checks], list[Listed]]:
    """Return the same for many records; unless `whole`, with no more of them than rows show."""
    if using.keyspace.is_raw:
        return raw_rows.all_listed
    return partial(many_rows.all_listed, whole=whole)


def summing_to_show(using: Checks) -> Callable[[Record, float, Checks], Listed]:
    """Return the same for what is shown: with a mask, the names and the session are masked."""
    sum_up = summing(using)
    if using.keyspace.mask is None:
        return sum_up
    return lambda record, now_ms, using: shown(sum_up(record, now_ms, using), record, using)


def shown(found: Listed, record: Record, using: Checks) -> Listed:
    """Return a summed up record as it is shown."""
    space, item = using.keyspace, found.item
    item = replace(
        item,
        phone=space.shown_name(record.key),
        key=space.shown_key(record.key),
        status=None if item.status is None else space.shown_status(item.status),
        problem=None if item.problem is None else space.shown_clause(item.problem),
    )
    masked = space.shown_record(record)
    if isinstance(found, RawListed):
        value = masked.value
        return RawListed(item, preview=None if value is None else raw_value.preview(value))
    return rows.row_of(item, rules.read(masked, space).session)
