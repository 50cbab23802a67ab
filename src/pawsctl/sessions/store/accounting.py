"""How far an operation that changes many keys had got when it failed or was interrupted."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from pawsctl.connection import Connection, Outcome
from pawsctl.errors import Interrupted, PawsctlError
from pawsctl.sessions.contract import keys

# Keys that are named where no one knows what became of them.
_NAMED = 5


class Account(NamedTuple):
    """How far it got: a sentence's beginning without its end, and the numbers for programs."""

    text: str
    counts: Mapping[str, int]


@contextmanager
def accounted(
    connection: Connection, account: Callable[[Outcome], Account], *, hint: str = ""
) -> Iterator[Callable[[], Outcome]]:
    """Have every failure say how far it got, and Ctrl-C be Interrupted, which says so too.

    Yields what tells it at any time.
    """
    connection.ledger.begin()
    try:
        yield connection.ledger.outcome
    except KeyboardInterrupt as error:
        text, counts = account(connection.ledger.outcome())
        raise Interrupted(f"Interrupted: {text}.", hint=hint, counts=counts) from error
    except PawsctlError as error:
        text, counts = account(connection.ledger.outcome())
        raise error.with_context(after=f"Before that, {text}.", hint=hint, counts=counts) from error


def of_keys(done: str, outcome: Outcome, *, noun: str, named: bool = False) -> Account:
    """Return the account of keys that were to be `done`: `5 keys were deleted; of 3 more …`."""
    unknown = len(outcome.unknown)
    verb = "was" if outcome.done == 1 else "were"
    text = f"{outcome.done} {noun}{'' if outcome.done == 1 else 's'} {verb} {done}"
    if unknown:
        text += f"; of {unknown} more no one knows{_names(outcome) if named else ''}"
    return Account(text, {done: outcome.done, "unknown": unknown})


def _names(outcome: Outcome) -> str:
    some = ", ".join(keys.phone_of(key) or keys.key_text(key) for key in outcome.unknown[:_NAMED])
    return f": {some}{' …' if len(outcome.unknown) > _NAMED else ''}"
