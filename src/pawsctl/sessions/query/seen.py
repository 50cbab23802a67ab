"""Statuses, tools and times that sessions have, to be told if a filter matches none."""

from collections.abc import Iterable, Iterator

from pawsctl import durations
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.query.filters import Filter, tools_of
from pawsctl.sessions.query.rows import Listed

# A name is any text of any length.
_MOST = 10
_LONGEST = 40


class Seen:
    """Statuses, tools and times of sessions, of which those that a filter asks for are told."""

    def __init__(self, wanted: Filter, keyspace: Keyspace) -> None:
        self._wanted, self._keyspace = wanted, keyspace
        self._statuses: set[str] = set()
        self._tools: set[str] = set()
        self._updates: list[float] = []

    def add(self, row: Listed) -> None:
        """Note what a session has."""
        _note(self._statuses, [row.item.status])
        # With --grep, sessions are passed over by their bytes.
        if row.session is None or self._wanted.grep is not None:
            return
        if self._wanted.has_tool is not None:
            _note(self._tools, tools_of(row.session))
        if (updated_at := row.session.updated_at) is not None:
            ends = [*self._updates, updated_at]
            self._updates = [min(ends), max(ends)]

    def clauses(self, now_ms: float) -> Iterator[str]:
        """Yield what there is of each kind that the filter asks for."""
        if self._wanted.status is not None and self._statuses:
            yield f"statuses: {_listed(map(self._keyspace.shown_status, self._statuses))}"
        if self._wanted.has_tool is not None and self._tools:
            yield f"tools: {_listed(map(self._keyspace.shown_tool, self._tools))}"
        if self._updates:
            oldest, newest = (_ago(now_ms - each) for each in self._updates)
            if self._wanted.idle is not None:
                yield f"the oldest update was {oldest}"
            if self._wanted.updated_within is not None:
                yield f"the newest update was {newest}"


def _note(names: set[str], found: Iterable[str | None]) -> None:
    for name in found:
        if name and len(names) <= _MOST:
            names.add(name[:_LONGEST])


def _listed(names: Iterable[str]) -> str:
    known = sorted(set(names))
    return ", ".join(known[:_MOST] + (["…"] if len(known) > _MOST else []))


def _ago(milliseconds: float) -> str:
    """Return a time that has passed in whole minutes, such as `5 h 12 min ago`."""
    seconds = int(max(0.0, milliseconds) // 1000)
    days = seconds // 86_400
    if days:
        return f"{days} d ago"
    return f"{durations.text(seconds if seconds < 60 else seconds // 60 * 60)} ago"
