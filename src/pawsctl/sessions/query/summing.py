"""The choice of how records are summed up, made once for a pass. Pure."""

from collections.abc import Callable

from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.query import raw_rows, rows
from pawsctl.sessions.query.rows import Listed


def summing(using: Checks) -> Callable[[Record, float, Checks], Listed]:
    """Return the function that sums up a record of the keyspace that `using` is for."""
    return raw_rows.listed if using.keyspace.is_raw else rows.listed
