"""One run of the bot's session flow: its phones, and what its steps expect."""

import secrets

from pawsctl.errors import PawsctlError
from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.model import Document
from pawsctl.sessions.smoke.bot import BotSessions

# A slow runner may take this long between a write and the look at its TTL.
_TTL_TOLERANCE_SECONDS = 60


class StepFailed(Exception):
    """What was expected and not seen."""


class Flow:
    """One run of the flow, on phones of 16 random digits: longer than any real number.

    Runs beside each other, and after one that was killed, never meet; each key has a TTL from its
    first write.
    """

    def __init__(self, store: BotSessions) -> None:
        self.store = store
        self.phone, self.trimmed, self.short = (keys.nobodys_phone() for _ in range(3))
        self.message_id = f"pawsctl-{secrets.token_hex(8)}"
        self.stored = b""

    def clean_up(self) -> PawsctlError | None:
        """Delete every key the flow may have written; why some may be left, and which."""
        written = self.store.connection.ledger.outcome()
        if not written.done and not written.unknown:
            return None
        phones = (self.phone, self.trimmed, self.short)
        names = [keys.session_key(phone) for phone in phones] + [keys.seen_key(self.message_id)]
        try:
            while names:
                self.store.connection.call("DEL", names[0])
                names.pop(0)
        except PawsctlError as error:
            left = ", ".join(map(keys.key_text, names))
            return error.with_context(
                after=f"So these keys may be left: {left}.",
                hint="What is left expires by itself within six hours.",
                counts={"unknown": len(names)},
            )
        return None

    def append(self, *messages: Document) -> None:
        """Append to the conversation and keep what was stored."""
        self.stored = self.store.append(self.phone, *messages)

    def load(self, phone: str) -> Document:
        """The session of a phone, which must be there."""
        session = self.store.load(phone)
        expect(session is not None, "the session that was just saved is gone")
        return session or {}

    def ttl(self, key: bytes) -> float:
        """Seconds left for a key: -0.001 for never, -0.002 for no such key."""
        return float(self.store.connection.call("PTTL", key)) / 1000

    def expect_ttl(self, key: bytes, seconds: int) -> str:
        """That a key was given `seconds` to live just now."""
        left = self.ttl(key)
        expect(
            seconds - _TTL_TOLERANCE_SECONDS <= left <= seconds,
            f"expected a TTL of {seconds} s, found {left:.0f} s",
        )
        return f"{left:.0f} s left"


def expect(holds: bool, otherwise: str) -> None:
    """Raises StepFailed, saying `otherwise`, where a condition does not hold."""
    if not holds:
        raise StepFailed(otherwise)
