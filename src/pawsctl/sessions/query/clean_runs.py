"""Clean sessions among many, some at a time: a call for each would take longer. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from pawsctl.sessions.contract import decode, quick_check
from pawsctl.sessions.contract.decode import BotSession
from pawsctl.sessions.contract.model import Columns, Record
from pawsctl.sessions.contract.rules import Checks

ALL, ALL_BUT_LAST, NONE = slice(None), slice(-1), slice(0)
"""Which of a clean session's messages are given up."""


class CleanRun(msgspec.Struct, frozen=True, gc=False):
    """Sessions that stand one after the other and break no rule, decoded.

    `counts` are the numbers of messages that they had.
    """

    found: Columns
    sessions: Sequence[BotSession]
    counts: Sequence[int]


def runs(
    found: Columns, now_ms: float, using: Checks, given_up: slice
) -> Iterator[CleanRun | Record]:
    """Yield the sessions in their order: clean ones together, and each other one by itself.

    The latter may still be sound: only the quick check does not know them as such. Of the messages
    of clean sessions, those in `given_up` are removed at once: the memory of one session serves for
    the next, which makes a list a tenth quicker.
    """
    if found.types:
        yield from found.records
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
            if sessions:
                yield CleanRun(found.part(first, index), sessions, counts)
            yield found.string(index)
            first, sessions, counts = index + 1, [], []
            continue
        messages = session.messages
        counts.append(len(messages))
        del messages[given_up]
        sessions.append(session)
    if sessions:
        clean = found.part(first, len(found.keys)) if first else found
        yield CleanRun(clean, sessions, counts)
