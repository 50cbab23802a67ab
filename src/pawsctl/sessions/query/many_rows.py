"""Rows of many sessions at once, column by column. Pure."""

from collections.abc import Iterator
from datetime import datetime
from itertools import repeat

import msgspec

from pawsctl.sessions.contract import rules
from pawsctl.sessions.contract.model import Columns, Record
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.query import clean_runs
from pawsctl.sessions.query.clean_runs import CleanRun
from pawsctl.sessions.query.rows import Item, Listed, listed


def all_listed(
    found: Columns, now_ms: float, using: Checks | None = None, *, whole: bool = False
) -> list[Listed]:
    """Sum up sessions, each as `listed` does; unless `whole`, with no more than a row shows."""
    using = using or rules.checks()
    given_up = clean_runs.NONE if whole else clean_runs.ALL_BUT_LAST
    all_rows: list[Listed] = []
    for run in clean_runs.runs(found, now_ms, using, given_up):
        if isinstance(run, Record):
            all_rows.append(listed(run, now_ms, using))
        else:
            lasts = [each.messages[-1] if each.messages else None for each in run.sessions]
            sessions = run.sessions if whole else repeat(None)
            all_rows += map(Listed, _items(run, using.begin), lasts, sessions)
    return all_rows


def all_items(found: Columns, now_ms: float, using: Checks | None = None) -> list[Item]:
    """Return the items alone of `all_listed`: a tenth quicker, since no message is kept."""
    using = using or rules.checks()
    all_rows: list[Item] = []
    for run in clean_runs.runs(found, now_ms, using, clean_runs.ALL):
        if isinstance(run, Record):
            all_rows.append(listed(run, now_ms, using).item)
        else:
            all_rows += _items(run, using.begin)
    return all_rows


def _items(run: CleanRun, begin: int) -> Iterator[Item]:
    """Return the items of clean sessions, as `listed` makes them."""
    # No key of a clean session holds a newline.
    names = b"\n".join(run.found.keys).decode().split("\n")
    return map(
        Item,
        [name[begin:] for name in names],
        names,
        # As durations.whole_seconds, of a time that ends.
        [(ttl_ms + 500) // 1000 for ttl_ms in run.found.ttls],
        [session.status for session in run.sessions],
        run.counts,
        # A third of the time of datetime.fromtimestamp.
        msgspec.convert(
            [session.updated_at / 1000 for session in run.sessions], list[datetime], strict=False
        ),
        map(len, run.found.values),
        repeat(None),
    )
