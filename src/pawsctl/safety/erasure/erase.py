"""Erase what is stored of one person, look again, and write a receipt."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from pawsctl.connection import Account, Outcome
from pawsctl.errors import OperationFailed, Partial, PawsctlError, UsageError
from pawsctl.files import atomic_file, keyed_hash
from pawsctl.plurals import plural
from pawsctl.safety.erasure import copies, stored
from pawsctl.safety.erasure.copies import Copies
from pawsctl.safety.erasure.stored import Deletion, Stored
from pawsctl.sessions.query import absent, replica
from pawsctl.sessions.store.accounting import accounted
from pawsctl.sessions.store.store import SessionStore

_ELSEWHERE = (
    "archives, copies and outputs of pawsctl outside its state directory on this machine, and in "
    "those of other users and machines",
    "what the application keeps beside Redis: its database, its logs, its messaging service",
)


class Look(msgspec.Struct, frozen=True):
    """A place that was looked at: how much was found there, erased, and found in a second look."""

    place: str
    found: int
    erased: int
    left: int


class LinesOf(msgspec.Struct, frozen=True):
    """The lines in archives of another Redis, of those among the kept copies."""

    url: str
    found: int
    erased: int
    left: int


class Receipt(msgspec.Struct, frozen=True):
    """A receipt, without the phone itself: `phone_hash` is keyed (HMAC-SHA-256).

    `complete` says that every place could be looked at, and holds nothing any more. `elsewhere`
    has the kept copies that are from another Redis. `not_erased` says why keys or copies are left,
    and `not_reached` names what pawsctl can't reach.
    """

    format: str
    version: int
    phone_hash: str
    url: str
    erased_at: datetime
    complete: bool
    looked_at: list[Look]
    elsewhere: list[LinesOf]
    not_looked_at: list[str]
    not_erased: list[str]
    not_reached: list[str]


class Erased(msgspec.Struct, frozen=True):
    """The result of an erasure; `file` is the receipt's file."""

    phone: str
    key: str
    file: str | None
    receipt: Receipt


class Found(msgspec.Struct, frozen=True):
    """Everything that was found of a phone before anything was erased."""

    stored: Stored
    copies: Copies

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was found anywhere."""
        there = (self.stored.session, self.stored.pictures, self.copies.lines, self.copies.edits)
        return not any(there)


class Erasure:
    """The erasure of the person whose session has that key."""

    def __init__(self, store: SessionStore, key: bytes) -> None:
        """Look what there is. Raises what the store raises, and OperationFailed.

        A replica is refused: it may lack what is to be erased.
        """
        self._store, self._key = store, key
        replica.require_none(store.connection, key, store.keyspace.nobodys_key())
        self.name = store.keyspace.name_of(key)
        # First: without a hash there is no receipt, and nothing must be erased.
        self._hash = keyed_hash.hashed(self.name)
        self.found = self._look()
        # The names of sessions under other spellings of the number, which are other keys.
        self.otherwise: list[str] = []
        self._erased = Counter[str]()
        self._are_copies_left = False
        self._not_written: PawsctlError | None = None

    @property
    def shown_name(self) -> str:
        """The name as it is shown."""
        return self._store.keyspace.shown_name(self._key)

    def _look(self) -> Found:
        there = stored.found(self._store, self._key)
        return Found(there, copies.found(self._key, self.name))

    @property
    def may_have_pictures(self) -> bool:
        """Whether these are the bot's own sessions, beside which it keeps pictures."""
        return self._store.keyspace.is_bots

    @property
    def elsewhere(self) -> list[str]:
        """The URLs of other Redis than this one whose archives have lines of the person."""
        here = self._store.connection.target.url
        sources = (each.source for each in self.found.copies.archives.values())
        return [each for each in dict.fromkeys(sources) if each != here]

    def erase(self) -> Receipt:
        """Erase all that was found, look again, and return the receipt.

        Every failure says what was erased before it.
        """
        with accounted(self._store.connection, self._account):
            # Redis first: if it refuses, nothing is changed. Copies are found without a session.
            deleted = stored.delete(self._store, self._key, self.found.stored)
            failures = copies.remove(self.found.copies, self._key, self._add)
            self._are_copies_left = bool(failures)
            return self._receipt(deleted, [*deleted.failures, *failures])

    def result(self, receipt: Receipt, file: Path | None) -> Erased:
        """Return the result, after writing the receipt to a new file.

        If that fails, the result has no file, and `require_complete` tells why.
        """
        place = None
        if file is not None:
            encoded = msgspec.json.format(msgspec.json.encode(receipt), indent=2)
            try:
                with atomic_file.replacing(file, private=True, overwrite=False) as write:
                    write(encoded + b"\n")
                place = str(file.resolve())
            except (OperationFailed, UsageError) as error:
                self._not_written = error
        return Erased(self.shown_name, self._store.keyspace.shown_key(self._key), place, receipt)

    def unseen(self, look: Found) -> list[str]:
        """Return clauses on what could not be looked at, as they are shown."""
        unseen = look.stored.unseen.rstrip(".")
        pictures = [f"pictures: {unseen}"] if unseen else []
        shown = self._store.keyspace.shown_sentence
        return [shown(each) for each in (*pictures, *look.copies.unread)]

    def _add(self, url: str, count: int) -> None:
        self._erased[url] += count

    def _account(self, outcome: Outcome) -> Account:
        kept = self._erased.total()
        text = (
            f"{outcome.done} {'key' if outcome.done == 1 else 'keys'} in Redis and {kept} "
            f"{'copy' if kept == 1 else 'copies'} on this machine were erased"
        )
        if outcome.unknown:
            text += f"; of {len(outcome.unknown)} more in Redis no one knows"
        counts = {"erased": outcome.done + kept, "unknown": len(outcome.unknown)}
        return Account(text, counts)

    def _receipt(self, deleted: Deletion, failures: list[str]) -> Receipt:
        found, left = self.found, self._look()
        there = left.stored
        self.otherwise = absent.written_otherwise(self._store, [self._key])
        others = (
            f"{plural(len(self.otherwise), 'session')} of the same number written otherwise, with "
            "or without its + or 00"
        )
        looks = [
            Look("session", int(found.stored.session), int(deleted.session), int(there.session)),
            Look("temp_image", len(found.stored.pictures), deleted.pictures, len(there.pictures)),
            Look("kept copies", _count(found.copies), self._erased.total(), _count(left.copies)),
        ]
        unseen = self.unseen(left)
        return Receipt(
            format="pawsctl erasure receipt",
            version=1,
            phone_hash=self._hash,
            url=self._store.connection.target.url,
            erased_at=datetime.now(UTC),
            complete=not unseen and not failures and not any(each.left for each in looks),
            looked_at=looks if self.may_have_pictures else [looks[0], looks[2]],
            elsewhere=[
                LinesOf(
                    url, found.copies.lines_of(url), self._erased[url], left.copies.lines_of(url)
                )
                for url in self.elsewhere
            ],
            not_looked_at=unseen,
            not_erased=list(map(self._store.keyspace.shown_sentence, failures)),
            not_reached=[
                *([others] if self.otherwise else []),
                *stored.out_of_reach(self._store, self._key, found.stored),
                *_ELSEWHERE,
            ],
        )

    def require_complete(self, receipt: Receipt) -> None:
        """Raise Partial if not all was looked at, OperationFailed if something is there still.

        Raises NoSession if nothing was found anywhere, and what kept the receipt from its file.
        """
        if self._not_written is not None:
            raise self._not_written.with_context(
                after="What was erased is on stdout, and nowhere else.",
                hint="Keep that: the next receipt will not have it.",
            )
        left = ", ".join(each.place for each in receipt.looked_at if each.left)
        told = [
            *_told("Not all could be erased", receipt.not_erased),
            *([f"Still there: {left}."] if left else []),
            *_told("Not all could be looked at", receipt.not_looked_at),
        ]
        # A picture that may not be read may not be deleted either: it counts as not looked at.
        has_failed = receipt.not_erased and not self.found.stored.unseen
        if self._are_copies_left or has_failed:
            whole = "An archive that can't be rewritten is whole, as it was. "
            raise OperationFailed(
                " ".join(told),
                hint=f"{whole if self._are_copies_left else ''}See to the cause, and run it again.",
            )
        if receipt.not_looked_at:
            raise Partial(
                " ".join(told),
                hint="What could be was erased. See to the rest, and run it again.",
            )
        if left:
            raise OperationFailed(
                f"Something was written meanwhile and is there now: {left}.",
                hint="Run it again when the application has nothing to do for that session."
                if self._store.keyspace.is_raw
                else "Run it again when the bot has nothing to do for that phone.",
            )
        if self.found.is_nothing:
            raise absent.no_session(self._store, [self._key])


def _told(what: str, clauses: Sequence[str]) -> list[str]:
    return [f"{what}: {'; '.join(clauses)}."] if clauses else []


def _count(found: Copies) -> int:
    return found.lines + len(found.edits)
