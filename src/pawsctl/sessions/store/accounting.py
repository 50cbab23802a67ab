"""Accounts of how far an operation on many keys got when it failed or was interrupted."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pawsctl.connection import (
    ASK_FOR_PERMISSION,
    Account,
    Connection,
    ErrorReply,
    Outcome,
    is_about_a_key,
    refused,
)
from pawsctl.connection.transactions.compare_and_set import has_others
from pawsctl.errors import Interrupted, OperationFailed, PawsctlError
from pawsctl.sessions.contract import keys
from pawsctl.sessions.store.evictions import Evictions, evicted_text
from pawsctl.sessions.store.primaries import Primaries

# The most keys that are named.
_NAMED = 5


@contextmanager
def accounted(
    connection: Connection,
    account: Callable[[Outcome], Account],
    *,
    hint: str = "",
    evictions: Evictions | None = None,
    may_move: bool = False,
    changes: bool = True,
) -> Iterator[Callable[[], Outcome]]:
    """Add to every failure how far the operation got; turn Ctrl-C into Interrupted with the same.

    It is a failure, too, if a primary that took writes is none any more, unless the operation sees
    to that itself: it `may_move`. If Redis refused and there are `evictions`, the failure also
    tells these. A dry run, which `changes` nothing, has only its account: nothing is left to be
    done. Yields a function that returns the outcome so far.
    """
    if not changes:
        hint, evictions, may_move = "", None, True
    connection.ledger.begin(account)
    try:
        # A single server is asked only about many sessions: a few give it no time to restart.
        is_told = not may_move and (evictions is not None or has_others(connection))
        primaries = Primaries(connection) if is_told else None
        yield connection.ledger.outcome
        if primaries is not None:
            primaries.require_same()
    except KeyboardInterrupt as error:
        text, counts = account(connection.ledger.outcome())
        raise Interrupted(f"Interrupted: {text}.", hint=hint, counts=counts) from error
    except PawsctlError as error:
        text, counts = account(connection.ledger.outcome())
        # A server that does not answer is not asked once more.
        evicted = evictions.count() if evictions and isinstance(error, OperationFailed) else None
        if evicted:
            text, counts = f"{text}; {evicted_text(evicted)}", {**counts, "evicted": evicted}
        raise error.with_context(after=f"Before that, {text}.", hint=hint, counts=counts) from error


def of_keys(
    done: str, outcome: Outcome, *, noun: str, named: Callable[[bytes], str] | None = None
) -> Account:
    """Return an account with the verb `done`, as in `5 keys were deleted; of 3 more …`.

    `named` returns the name of a key: keys of unknown outcome are named.
    """
    unknown = len(outcome.unknown)
    verb = "was" if outcome.done == 1 else "were"
    text = f"{outcome.done} {noun}{'' if outcome.done == 1 else 's'} {verb} {done}"
    if unknown:
        names = f": {_some_of(outcome.unknown, named)}" if named else ""
        text += f"; of {unknown} more no one knows{names}"
    return Account(text, {done: outcome.done, "unknown": unknown})


def may_not(verb: str, names: Sequence[bytes], named: Callable[[bytes], str]) -> OperationFailed:
    """Return the failure for the sessions that an ACL keeps from this user; `named` as above."""
    return OperationFailed(
        f"This user may not {verb} {_some_of(names, named)}.", hint=ASK_FOR_PERMISSION
    )


def not_written(
    refusals: Sequence[tuple[bytes, ErrorReply]], named: Callable[[bytes], str]
) -> OperationFailed:
    """Return the failure for sessions that Redis refused; `named` as above.

    If an ACL keeps all of them from this user, they are named.
    """
    if all(is_about_a_key(each) for _, each in refusals):
        return may_not("write", [key for key, _ in refusals], named)
    return refused(refusals[0][1])


def _some_of(names: Sequence[bytes], named: Callable[[bytes], str]) -> str:
    some = ", ".join(named(key) or keys.key_text(key) for key in names[:_NAMED])
    return f"{some}{' …' if len(names) > _NAMED else ''}"
