"""When a session was saved last, by its updatedAt: whether that tells, and what follows. Pure."""

from collections.abc import Iterable

from pawsctl.sessions.contract import model
from pawsctl.sessions.contract.model import Session

# The bot's clock and this machine's need not agree to the second.
_CLOCK_TOLERANCE_MS = 60_000
# No tool takes longer: the bot no longer works on a call that is open for this long.
_LONGEST_CALL_MS = 120_000


def known(session: Session, now_ms: float) -> float | None:
    """Return when the session was saved last; None if its updatedAt is no date that has come."""
    since = session.updated_at
    is_date = model.as_time(since) is not None
    if since is None or not is_date or since > now_ms + _CLOCK_TOLERANCE_MS:
        return None
    return since


def is_old(since: float, now_ms: float) -> bool:
    """Return whether the bot no longer works on what it has saved at that time."""
    return since <= now_ms - _LONGEST_CALL_MS


def left_open(session: Session, now_ms: float) -> str:
    """Return in a clause why a tool call at the end stays open; '' if the bot may work on it."""
    since = known(session, now_ms)
    if since is None:
        return "and updatedAt does not tell since when"
    return "and the bot works on it no longer" if is_old(since, now_ms) else ""


def faults(session: Session, now_ms: float) -> Iterable[str]:
    """Return what is wrong with updatedAt, in clauses."""
    updated_at = session.updated_at
    if updated_at is None or 0 <= updated_at <= now_ms:
        return ()
    if model.as_time(updated_at) is None:
        return ("updatedAt is outside the range of dates",)
    if updated_at > now_ms + _CLOCK_TOLERANCE_MS:
        return (f"updatedAt is {(updated_at - now_ms) / 1000:.0f} s in the future",)
    return ()
