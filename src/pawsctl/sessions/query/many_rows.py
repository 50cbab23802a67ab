"""Rows of many sessions at once, column by column: a call for each would take longer. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import repeat

import msgspec

from pawsctl.sessions.contract import decode, quick_check, rules
from pawsctl.sessions.contract.decode import BotSession
from pawsctl.sessions.contract.model import Columns, Session
from pawsctl.sessions.contract.rules import Checks
from pawsctl.sessions.query.rows import Item, Listed, listed

# Of a session's messages, those to give up.
_ALL, _ALL_BUT_LAST, _NONE = slice(None), slice(-1), slice(0)


def all_listed(
    found: Columns, now_ms: float, using: Checks | None = None, *, whole: bool = False
) -> list[Listed]:
    """Sum up sessions, each as `listed` does; unless `whole`, with no more than a row shows."""
    all_rows: list[Listed] = []
    given_up = _NONE if whole else _ALL_BUT_LAST
    for items, sessions in _summed_up(found, now_ms, using or rules.checks(), given_up):
        all_rows += map(Listed, items, sessions)
    return all_rows


def all_items(found: Columns, now_ms: float, using: Checks | None = None) -> list[Item]:
    """Return the items alone of `all_listed`: a tenth quicker, since no message is kept."""
    all_rows: list[Item] = []
    for items, _ in _summed_up(found, now_ms, using or rules.checks(), _ALL):
        all_rows += items
    return all_rows


def _summed_up(
    found: Columns, now_ms: float, using: Checks, given_up: slice
) -> Iterator[tuple[Iterable[Item], Sequence[Session | None]]]:
    """Yield the items of sessions, with these, some at a time.

    Of the messages of clean sessions, those in `given_up` are removed at once: the memory of one
    session serves for the next, which makes a list a tenth quicker.
    """
    if found.types:
        others = [listed(record, now_ms, using) for record in found.records]
        yield [row.item for row in others], [row.session for row in others]
        return
    read, limits, has_slow = decode.read_as_bot, using.limits, bool(using.slow)
    is_clean = quick_check.is_clean
    if quick_check.are_clean_keys(found.keys, limits):
        is_clean = quick_check.is_clean_but_for_key
    # Clean sessions from the index `first` on, not yielded yet, and their numbers of messages.
    first = 0
    sessions: list[BotSession] = []
    counts: list[int] = []
    for stored in zip(found.keys, found.ttls, found.values, strict=True):
        try:
            session = read(stored[2])
        except decode.UNLIKE_BOT:
            session = None
        if session is None or has_slow or not is_clean(stored, session, now_ms, limits):
            index = first + len(sessions)
            yield _clean_items(found.part(first, index), sessions, counts, using.begin), sessions
            row = listed(found.string(index), now_ms, using)
            yield [row.item], [row.session]
            first, sessions, counts = index + 1, [], []
            continue
        messages = session.messages
        counts.append(len(messages))
        del messages[given_up]
        sessions.append(session)
    clean = found.part(first, len(found.keys)) if first else found
    yield _clean_items(clean, sessions, counts, using.begin), sessions


def _clean_items(
    found: Columns, sessions: Sequence[BotSession], counts: Sequence[int], begin: int
) -> Iterator[Item]:
    """Return the items of clean sessions, which had so many messages, as `listed` makes them."""
    # No key of a clean session holds a newline.
    names = b"\n".join(found.keys).decode().split("\n")
    return map(
        Item,
        [name[begin:] for name in names],
        names,
        # As durations.whole_seconds, of a time that ends.
        [(ttl_ms + 500) // 1000 for ttl_ms in found.ttls],
        [session.status for session in sessions],
        counts,
        # A third of the time of datetime.fromtimestamp.
        msgspec.convert(
            [session.updated_at / 1000 for session in sessions], list[datetime], strict=False
        ),
        map(len, found.values),
        repeat(None),
    )
