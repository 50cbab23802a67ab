"""Repair of stored sessions: find what the bot can't answer, show it, and write it back.

A session is written only if it is still the one that was looked at (compare and set).
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from pawsctl.connection import Account, ErrorReply, Outcome, is_about_a_key
from pawsctl.connection.transactions.compare_and_set import Swap
from pawsctl.errors import OperationFailed
from pawsctl.plurals import plural
from pawsctl.sessions.contract import model, rules, update_time
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.model import Problem, Record, Session
from pawsctl.sessions.query import absent
from pawsctl.sessions.repair import history, plan
from pawsctl.sessions.repair.plan import Difference
from pawsctl.sessions.repair.readable import Change
from pawsctl.sessions.store.accounting import accounted, may_not, of_keys
from pawsctl.sessions.store.store import SessionStore

State = Literal[
    "nothing_to_repair",
    "repairable",
    "repaired",
    "at_work",
    "changed",
    "gone",
    "beyond_repair",
    "missing",
]

# Rules about messages: a session that breaks none of them is not changed.
_MENDED = {
    *("messages", "role", "content", "empty-text", "tool-result", "unanswered-call"),
    *("late-result", "missing-result", "repeated-result", "empty-results", "open-call"),
}
# Of a value that is JSON and no session, each message fails; for other values the bot begins anew.
_STUCK = _MENDED | {"shape"}

# Every open call counts as left behind then.
_LONG_AFTER = math.inf
_UNTOLD = "its updatedAt does not tell when it was updated, so the bot may be at work on it"
_ANEW = "'session delete' lets the customer begin anew"


class Repair(msgspec.Struct, frozen=True):
    """The repair of one session: its state, the changes, and what lint still finds after them.

    `why` is the reason for which it was not repaired.
    """

    phone: str
    key: str
    state: State
    why: str | None = None
    changes: Sequence[Change] = ()
    difference: Sequence[Difference] = ()
    problems: Sequence[str] = ()


class Planned(msgspec.Struct, frozen=True):
    """A planned repair: the value that was read, and the one to write."""

    key: bytes
    row: Repair
    value: bytes = b""
    after: bytes = b""


class How(msgspec.Struct, frozen=True):
    """How to repair: `cut` ends histories before the fault.

    `force` also repairs sessions on which the bot may be at work.
    """

    cut: bool = False
    force: bool = False


def planned(store: SessionStore, names: Sequence[bytes], how: How) -> list[Planned]:
    """Plan the repair of the sessions under these keys, each once."""
    names = list(dict.fromkeys(names))
    planner = _Planner(store.keyspace, how)
    now_ms = time.time() * 1000
    return [
        planner.of(record, now_ms) if record else Planned(key, planner.row(key, "missing"))
        for key, record in zip(names, store.records_of(names), strict=True)
    ]


def planned_for_all(
    store: SessionStore, how: How, progress: Callable[[int], None]
) -> list[Planned]:
    """Plan the repair of every session that the bot can't answer; leave out all others.

    Calls `progress` with the size of each batch.
    """
    found = []
    planner = _Planner(store.keyspace, how)
    for _, records in store.snapshots():
        now_ms = time.time() * 1000
        # With --force, what the bot may still work on counts as left behind.
        judged_at = _LONG_AFTER if how.force else now_ms
        for record in records:
            problems = rules.judged(record, judged_at, planner.checks)
            if any(each.rule in _STUCK for each in problems) and not _is_nothing(record):
                each = planner.of(record, now_ms)
                if each.row.state != "nothing_to_repair":
                    found.append(each)
        progress(len(records))
    return found


def _is_nothing(record: Record) -> bool:
    """Return whether the bot takes the value for no session, and begins a new one by itself."""
    return record.value is not None and record.value.strip() in (b"null", b"0", b"false", b'""')


class _Planner:
    """Plans repairs in one keyspace."""

    def __init__(self, keyspace: Keyspace, how: How) -> None:
        self.checks = rules.checks(keyspace)
        self._keyspace, self._how = keyspace, how

    def row(self, key: bytes, state: State, why: str | None = None) -> Repair:
        """Return the result for a key that is not repaired."""
        return Repair(self._keyspace.shown_name(key), self._keyspace.shown_key(key), state, why)

    def of(self, record: Record, now_ms: float) -> Planned:
        """Return the plan for one session."""
        key, value = record.key, record.value
        reading = rules.read(record)
        session = reading.session
        stored = history.of(value) if value is not None and session is not None else None
        if value is None or session is None or stored is None:
            found = reading.problems
            fault = next((each for each in found if each.rule == "messages"), found[-1])
            why = model.encodable(f"{self._keyspace.shown_clause(fault.message)}; {_ANEW}")
            return Planned(key, self.row(key, "beyond_repair", why))
        # Whether the bot may be at work is looked at below.
        broken = self._broken(record, _LONG_AFTER)
        mended = (plan.cut if self._how.cut else plan.planned)(stored.messages, session.messages)
        # The model refuses more than the rules name, such as an id that two messages call with.
        if not broken and not mended.changes:
            well = self.row(key, "nothing_to_repair")
            return Planned(key, replace(well, problems=self._others(record, now_ms)))
        if not self._how.force and (why := _at_work(session, broken, now_ms)):
            return Planned(key, self.row(key, "at_work", why))
        after = stored.with_messages(mended.messages)
        repaired = replace(record, value=after)
        if broken := self._broken(repaired, _LONG_AFTER):
            still = self._keyspace.shown_clause(str(broken[0]))
            why = model.encodable(f"it would still be broken ({still}); {_ANEW}")
            return Planned(key, self.row(key, "beyond_repair", why))
        row = replace(
            self.row(key, "repairable"),
            changes=mended.changes,
            difference=self._shown(plan.difference(stored.messages, mended.messages)),
            problems=self._others(repaired, now_ms),
        )
        return Planned(key, row, value, after)

    def _shown(self, found: Sequence[Difference]) -> Sequence[Difference]:
        """Return a difference as it is shown."""
        shown = self._keyspace.shown_message
        return [replace(each, text=shown(each.text)) for each in found]

    def _broken(self, record: Record, now_ms: float) -> list[Problem]:
        found = rules.problems(record, rules.read(record), now_ms, self.checks)
        return [each for each in found if each.rule in _MENDED]

    def _others(self, record: Record, now_ms: float) -> list[str]:
        """Return the problems that are none of the messages, such as a missing TTL."""
        found = rules.problems(record, rules.read(record), now_ms, self.checks)
        shown = self._keyspace.shown_clause
        return [model.encodable(shown(str(each))) for each in found if each.rule not in _MENDED]


def _at_work(session: Session, broken: Sequence[Problem], now_ms: float) -> str:
    """Return why the bot may be at work on a session; '' if it is not."""
    since = update_time.known(session, now_ms)
    if since is None:
        # The bot itself saves no session without a number, and its call would be at the end.
        is_past = session.updated_at is None and all(each.rule != "open-call" for each in broken)
        return "" if is_past else _UNTOLD
    if update_time.is_old(since, now_ms):
        return ""
    seconds = int((now_ms - since) / 1000)
    when = f"{seconds} s ago" if seconds >= 0 else "in the future"
    return f"updated {when}, so the bot may still be at work on it"


def repair(store: SessionStore, plans: Sequence[Planned]) -> list[Repair]:
    """Write each planned repair; return what became of it, and the other rows as they are.

    Failures and Ctrl-C say how many were repaired. Sessions that an ACL keeps from this user are
    told at the end.
    """
    refused: list[bytes] = []

    def account(outcome: Outcome) -> Account:
        return of_keys("repaired", outcome, noun="session", named=store.keyspace.shown_name)

    with accounted(store.connection, account, hint="Run it again for the rest."):
        rows = [
            _written(store, each, refused) if each.row.state == "repairable" else each.row
            for each in plans
        ]
        if refused:
            raise may_not("change", refused, store.keyspace.shown_name)
        return rows


def refusal(store: SessionStore, plans: Sequence[Planned]) -> str:
    """Return a sentence if Redis would refuse to write some repairs, '' if not.

    Where only reads are sent, nothing is tried.
    """
    keys = [each.key for each in plans if each.row.state == "repairable"]
    if not keys or store.connection.target.read_only:
        return ""
    found = store.refusals_of([(b"SET", key, b"") for key in keys])
    if found is None:
        return "Redis refuses transactions, by which a session is changed: so it does a repair."
    if not found:
        return ""
    which = f"{len(found)} of {plural(len(keys), 'session')}"
    return f"Without --dry-run, Redis refuses to change {which}: {str(found[0]).rstrip('.')}."


_ENDS: dict[Swap, tuple[State, str | None]] = {
    Swap.DONE: ("repaired", None),
    Swap.CHANGED: ("changed", "it changed meanwhile, and is left as it is"),
    Swap.GONE: ("gone", "it expired or was deleted meanwhile"),
}


def _written(store: SessionStore, each: Planned, refused: list[bytes]) -> Repair:
    """Write a repair; add its key to `refused` if an ACL keeps that from this user."""
    try:
        state, why = _ENDS[store.replace(each.key, each.value, each.after)]
    except OperationFailed as error:
        if not (isinstance(error.__cause__, ErrorReply) and is_about_a_key(error.__cause__)):
            raise
        refused.append(each.key)
        return each.row
    return replace(each.row, state=state, why=why)


def require_repaired(
    store: SessionStore, plans: Sequence[Planned], found: Sequence[Repair], *, dry_run: bool
) -> None:
    """Raise NoSession for a phone without a session, OperationFailed if one is still broken."""
    pairs = zip(plans, found, strict=True)
    if missing := [plan.key for plan, each in pairs if each.state in ("missing", "gone")]:
        raise absent.no_session(store, missing)
    left = [each for each in found if each.state in ("at_work", "changed", "beyond_repair")]
    if not left or dry_run:
        return
    # The bot's session of a phone without digits has the prefix alone as its key.
    first, why = left[0].phone or left[0].key, left[0].why
    told = f"{first} was not repaired: {why}."
    if more := len(left) - 1:
        told = f"{len(left)} sessions were not repaired: {first} ({why}) and {more} more."
    hints = {
        "at_work": "Use --force if the bot is not at work on it."
        if any(each.why == _UNTOLD for each in left)
        else "Wait until two minutes after the update, or use --force.",
        "changed": "Run it again: it looks at them anew.",
        "beyond_repair": "See 'pawsctl session lint'.",
    }
    states = dict.fromkeys(each.state for each in left)
    raise OperationFailed(told, hint=" ".join(hints[each] for each in states))
