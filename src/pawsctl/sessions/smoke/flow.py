"""The state of one run of the bot's session flow, and the checks that its steps use."""

import secrets

from pawsctl import durations
from pawsctl.errors import PawsctlError
from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.contract.model import Document
from pawsctl.sessions.smoke.bot import BotSessions

# A slow runner may take this long between a write and the look at its TTL.
_TTL_TOLERANCE_SECONDS = 60


class StepFailed(Exception):
    """A step did not see what it expected; the text says what."""


class Flow:
    """One run of the flow, on phones of 17 digits, longer than any real number.

    So parallel runs, and a run after one that was killed, never share a key. Each key has a TTL
    from its first write.
    """

    def __init__(self, store: BotSessions, left: list[bytes]) -> None:
        self.store = store
        # Keys that are still to be deleted, of this run and of those before.
        self.left = left
        self.phone, self.trimmed, self.short = (keys.nobodys_phone() for _ in range(3))
        self.message_id = f"pawsctl-{secrets.token_hex(8)}"
        self.stored = b""

    def clean_up(self) -> PawsctlError | None:
        """Delete every key the flow may have written.

        Return the failure, which names the keys that may be left; None if all are gone.
        """
        written = self.store.connection.ledger.outcome()
        if not written.done and not written.unknown:
            return None
        phones = (self.phone, self.trimmed, self.short)
        own = list(map(self.store.keyspace.key, phones))
        if self.store.keyspace.is_bots:
            own.append(keys.seen_key(self.message_id))
        self.left += [each for each in own if each not in self.left]
        try:
            self.delete_left()
        except PawsctlError as error:
            left = ", ".join(map(keys.key_text, self.left))
            return error.with_context(
                after=f"So these keys may be left: {left}.",
                hint=f"What is left expires by itself within {_longest(self.store.keyspace)}.",
                counts={"unknown": len(self.left)},
            )
        return None

    def delete_left(self) -> None:
        """Delete the keys in `left`, which then has those that could not be deleted."""
        while self.left:
            self.store.connection.call("DEL", self.left[0])
            self.left.pop(0)

    def append(self, *messages: Document) -> None:
        """Append to the conversation; keep the bytes stored in `stored`."""
        self.stored = self.store.append(self.phone, *messages)

    def load(self, phone: str) -> Document:
        """Return the session of a phone. Raises StepFailed if there is none."""
        session = self.store.load(phone)
        expect(session is not None, "the session that was just saved is gone")
        return session or {}

    def ttl(self, key: bytes) -> float:
        """Return the seconds left for a key: -0.001 for never, -0.002 for no such key."""
        return float(self.store.connection.call("PTTL", key)) / 1000

    def expect_ttl(self, key: bytes, seconds: int) -> str:
        """Check that a key was given a TTL of `seconds` just now; return the time left as text.

        Raises StepFailed.
        """
        left = self.ttl(key)
        expect(
            seconds - _TTL_TOLERANCE_SECONDS <= left <= seconds,
            f"expected a TTL of {seconds} s, found {left:.0f} s",
        )
        return f"{left:.0f} s left"


def _longest(keyspace: Keyspace) -> str:
    return "six hours" if keyspace.ttl == BOT.ttl else durations.text(keyspace.ttl)


def expect(holds: bool, otherwise: str) -> None:
    """Raise StepFailed with the text `otherwise` if a condition does not hold."""
    if not holds:
        raise StepFailed(otherwise)
