"""The operations of `session list`, `get` and `ttl`; they return results and print nothing."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from operator import attrgetter

from pawsctl import durations
from pawsctl.errors import OperationFailed, PawsctlError
from pawsctl.sessions.contract import keys, rules
from pawsctl.sessions.contract.model import Columns, Record
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.query import absent, grep, many_rows, replica, rows, sorting
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.query.rows import Conversation, Item, Listed, TimeLeft
from pawsctl.sessions.query.seen import Seen
from pawsctl.sessions.query.sorting import Order
from pawsctl.sessions.query.summing import shown, summing, summing_all
from pawsctl.sessions.store.reader import SessionReader


class Listing:
    """The sessions that match a filter, in an order; knows afterwards why there are none."""

    def __init__(self, store: SessionReader, wanted: Filter, order: Order) -> None:
        self._store, self._wanted, self._order = store, wanted, order
        self._looked_at = 0
        self._seen = Seen(wanted, store.keyspace)
        self._found = 0
        self._is_all = False

    def rows(self) -> Iterator[Listed]:
        """Yield the sessions, summed up."""
        now_ms = time.time() * 1000
        using = rules.checks(self._store.keyspace)
        if self._store.keyspace.mask is not None:
            records = chain.from_iterable(each.records for each in self._candidates())
            found = self._masked(records, now_ms, using)
        elif self._wanted.reads_values:
            all_rows = self._summed_up(self._candidates(), now_ms, using, whole=True)
            found = (row for row in all_rows if self._is_match(row, now_ms))
        else:
            # Nothing is looked at but what a row shows.
            found = self._summed_up(self._columns(), now_ms, using, whole=False)
        if self._order.limit is not None:
            return self._limited(self._counted(found))
        return sorting.ordered(found, self._order)

    def items(self) -> Iterator[Item]:
        """Return the items of `rows`: quicker where nothing else of the sessions is asked for."""
        store, wanted = self._store, self._wanted
        space = store.keyspace
        if space.mask or space.is_raw or wanted.reads_values or self._order != Order():
            return map(attrgetter("item"), self.rows())
        now_ms, using = time.time() * 1000, rules.checks(space)
        return chain.from_iterable(
            many_rows.all_items(found, now_ms, using) for found in self._columns()
        )

    def _columns(self) -> Iterator[Columns]:
        if self._wanted.problem:
            # As `stats` and `lint` count them: another program's key is no broken session.
            return self._store.own_columns(self._wanted.match)
        return self._store.columns(self._wanted.match)

    def _summed_up(
        self, found: Iterable[Columns], now_ms: float, using: Checks, *, whole: bool
    ) -> Iterator[Listed]:
        sum_up = summing_all(using, whole=whole)
        return chain.from_iterable(sum_up(each, now_ms, using) for each in found)

    def _candidates(self) -> Iterator[Columns]:
        """Yield the sessions, without those whose bytes show that --grep does not match them."""
        wanted = self._wanted
        is_out = None if wanted.grep is None else grep.rules_out(wanted.grep)
        # If no session has the status, the message names the statuses that exist.
        if is_out is None or wanted.status is not None:
            yield from self._columns()
            return
        for found in self._columns():
            if found.types:
                yield found
                continue
            left = [number for number, value in enumerate(found.values) if not is_out(value)]
            self._looked_at += len(found.values) - len(left)
            if left:
                yield found.chosen(left)

    def _limited(self, found: Iterator[Listed]) -> Iterator[Listed]:
        yield from sorting.ordered(found, self._order)
        deque(islice(found, _COUNTED_BEYOND), maxlen=0)

    def _counted(self, found: Iterator[Listed]) -> Iterator[Listed]:
        for row in found:
            self._found += 1
            yield row
        self._is_all = True

    def left_out(self) -> str:
        """Return a sentence on how many sessions the limit has left out, or ''."""
        limit = self._order.limit
        if limit is None or self._found <= limit:
            return ""
        least = "at least " if self._store.is_partial else ""
        total = f"{least}{self._found:,}" if self._is_all else f"more than {self._found - 1:,}"
        return f"Listed {limit:,} of {total} sessions (--limit {limit})."

    def _masked(self, records: Iterator[Record], now_ms: float, using: Checks) -> Iterator[Listed]:
        """Yield the sessions that match, masked."""
        sum_up = summing(using)
        for record in records:
            row = sum_up(record, now_ms, using)
            if not self._wanted.reads_values or self._is_match(row, now_ms):
                yield shown(row, record, using)

    def _is_match(self, row: Listed, now_ms: float) -> bool:
        self._looked_at += 1
        if self._wanted.matches(row, now_ms):
            return True
        self._seen.add(row)
        return False

    def why_empty(self, words: str) -> str:
        """Return sentences on what was looked at and what there is; `words` are the filters."""
        total, url = self._looked_at, self._store.connection.target.url
        clause = ""
        # Without a glob, or with one that matched, the sessions have been counted.
        is_partial = self._store.is_partial
        if not total and self._wanted.match is not None and not is_partial:
            with suppress(PawsctlError):
                total, clause = absent.other_matches(self._store, self._wanted)
        else:
            clause = "; ".join(self._seen.clauses(time.time() * 1000))
        if not total:
            return absent.nothing(self._store, is_filtered=not self._wanted.is_empty)
        found, read = (" found", " that could be read") if is_partial else ("", "")
        parts = [f"0 of {total:,}{read} match {words}", *filter(None, [clause])]
        told = f"No such session{found} in {url}: {'; '.join(parts)}."
        return " ".join(filter(None, [told, replica.shortfall(self._store.connection)]))


# Keeps an unsorted list with a limit quick, however many sessions there are.
_COUNTED_BEYOND = 500


def conversations(store: SessionReader, names: Sequence[bytes]) -> list[Conversation]:
    """Return the sessions under the keys, in the same order; `record` is None if there is none."""
    now_ms = time.time() * 1000
    using = rules.checks(store.keyspace)
    records = store.records_of(names)
    return [
        rows.conversation(key, record, now_ms, using)
        for key, record in zip(names, records, strict=True)
    ]


def raw_value(found: Conversation) -> bytes:
    """Return the stored bytes; empty if there is no session.

    Raises OperationFailed for a key that holds another type.
    """
    if found.record is None:
        return b""
    if found.record.value is None:
        raise OperationFailed(
            f"{keys.key_text(found.key)} holds a {found.record.type}, not a string.",
            hint="Look at it with 'pawsctl redis cli' or redis-cli.",
        )
    return found.record.value


def require_found(
    store: SessionReader, names: Sequence[bytes], found: Sequence[Conversation]
) -> None:
    """Raise NoSession if one of the keys, whose sessions were found, does not exist."""
    pairs = zip(names, found, strict=True)
    if missing := [key for key, each in pairs if each.record is None]:
        raise absent.no_session(store, missing)


def times_left(store: SessionReader, names: Sequence[bytes]) -> list[TimeLeft]:
    """Return the TTL of each key, in whole seconds."""
    return [
        TimeLeft(
            phone=store.keyspace.shown_name(key),
            key=store.keyspace.shown_key(key),
            ttl=None if ttl_ms is None else durations.whole_seconds(ttl_ms),
        )
        for key, ttl_ms in zip(names, store.ttls(names), strict=True)
    ]


def require_all(store: SessionReader, names: Sequence[bytes], found: Sequence[TimeLeft]) -> None:
    """Raise NoSession if one of the keys, whose TTLs were found, does not exist."""
    pairs = zip(names, found, strict=True)
    if missing := [key for key, each in pairs if each.ttl is None]:
        raise absent.no_session(store, missing)
