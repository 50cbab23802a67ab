"""Change one session by hand: its JSON for an editor, the check of what comes back, the write."""

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from pawsctl.connection import Account, Outcome
from pawsctl.connection.transactions.compare_and_set import Swap
from pawsctl.errors import NoSession, OperationFailed, PawsctlError
from pawsctl.files import atomic_file
from pawsctl.files.editor import Draft
from pawsctl.sessions.contract import json_text, keys, model, rules
from pawsctl.sessions.contract.model import Problem, Record
from pawsctl.sessions.query import absent
from pawsctl.sessions.store.accounting import accounted, of_keys
from pawsctl.sessions.store.store import SessionStore


class Edited(msgspec.Struct, frozen=True):
    """The result of an edit: the value's size before and after, and what lint finds in it now."""

    phone: str
    key: str
    state: Literal["edited", "unchanged"]
    bytes_before: int
    bytes: int
    problems: Sequence[str] = ()


class BreaksRule(OperationFailed):
    """The edited text is no JSON, or breaks a rule that was not broken before."""


class ChangedMeanwhile(OperationFailed):
    """The session is not the one any more that was edited."""


class Edit:
    """An edit of one session."""

    def __init__(self, store: SessionStore, key: bytes) -> None:
        """Read the session. Raises NoSession, and OperationFailed for a key of another type."""
        self._store, self._key = store, key
        record = store.record(key)
        if record is None:
            raise absent.no_session(store, [key])
        if record.value is None:
            raise OperationFailed(
                f"{keys.key_text(key)} holds a {record.type}, not a string.",
                hint="Look at it with 'pawsctl redis cli' or redis-cli.",
            )
        self._record, self._value = record, record.value
        self._checks = rules.checks(store.keyspace)
        self._before = self._problems(self._value)
        self.phone = store.keyspace.name_of(key)

    @property
    def text(self) -> bytes:
        """The stored JSON, indented; bytes that are no JSON as they are."""
        return self._text_of(self._value)

    def value_of(self, text: bytes) -> bytes | None:
        """Return the value to store for an edited text, None if it says the same as before.

        Raises BreaksRule.
        """
        if text == self.text:
            return None
        found = self._problems(text)
        if not any(each.rule == "json" for each in found):
            text = _encoded(json_text.compact(_decoded(text)))
            if text == self._value or text == _encoded(json_text.compact(_decoded(self._value))):
                return None
        known = Counter(each.rule for each in self._before)
        broken = Counter(each.rule for each in found)
        new = [
            each for each in found if each.rule == "json" or broken[each.rule] > known[each.rule]
        ]
        if new:
            faults = "; ".join(dict.fromkeys(model.encodable(str(each)) for each in new))
            raise BreaksRule(
                f"The edited session breaks a rule, and was not written: {faults}.",
                hint="'pawsctl session lint' has the rules.",
            )
        return text

    def write(self, value: bytes) -> Edited:
        """Store the value, and keep the TTL, if the session is still the one that was read.

        Raises ChangedMeanwhile, NoSession if it is gone.
        """

        def account(outcome: Outcome) -> Account:
            return of_keys("edited", outcome, noun="session", named=self._store.keyspace.name_of)

        with accounted(self._store.connection, account):
            swap = self._store.replace(self._key, self._value, value)
        if swap is Swap.CHANGED:
            raise ChangedMeanwhile(
                f"{self.phone} changed meanwhile, and is left as it is.",
                hint="Edit it again, as it is now.",
            )
        if swap is Swap.GONE:
            raise NoSession(
                f"{self.phone} expired or was deleted meanwhile, and is not brought back.",
                hint="The bot begins a new conversation with the next message.",
            )
        return self._result("edited", value)

    def unchanged(self) -> Edited:
        """Return the result of an edit that changed nothing."""
        return self._result("unchanged", self._value)

    def keep_versions(self, folder: Path, text: bytes, *, and_stored: bool) -> list[Path]:
        """Write the edited text to a file, and the session as it is stored now; return the paths.

        Only this user may read them (0600). Raises OperationFailed.
        """
        stem = f"{file_name(self.phone)}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z"
        versions = {"edited": text}
        stored = self._store.record(self._key) if and_stored else None
        if stored is not None and stored.value is not None:
            versions["stored"] = self._text_of(stored.value)
        kept = []
        for name, version in versions.items():
            path = folder / f"{stem}-{name}.json"
            with atomic_file.replacing(path, private=True, overwrite=False) as write:
                write(version)
            kept.append(path)
        return kept

    def _text_of(self, value: bytes) -> bytes:
        if any(each.rule == "json" for each in self._problems(value)):
            return value
        return _encoded(json_text.pretty(_decoded(value)))

    def _problems(self, value: bytes) -> list[Problem]:
        record = Record(self._key, self._record.ttl_ms, value)
        now_ms = time.time() * 1000
        return list(rules.problems(record, rules.read(record), now_ms, self._checks))

    def _result(self, state: Literal["edited", "unchanged"], value: bytes) -> Edited:
        problems = [model.encodable(str(each)) for each in self._problems(value)]
        name = keys.key_text(self._key)
        return Edited(self.phone, name, state, len(self._value), len(value), problems)


def edited(
    edit: Edit,
    draft: Draft,
    folder: Path,
    *,
    again: Callable[[BreaksRule], bool],
    keep: Callable[[], None],
) -> Edited:
    """Have the user edit the session and write it, if that changes anything.

    `again` says whether to go on editing a text that breaks a rule. `keep` keeps the session for
    undo before it is changed. A text that is not written is kept in `folder`; the failure names it.
    """
    text = edit.text
    while True:
        text = draft.edit(text)
        try:
            value = edit.value_of(text)
            if value is None:
                return edit.unchanged()
            keep()
            return edit.write(value)
        except PawsctlError as error:
            if isinstance(error, BreaksRule) and again(error):
                continue
            is_changed = isinstance(error, ChangedMeanwhile)
            kept = edit.keep_versions(folder, text, and_stored=is_changed)
            both = "Both versions are" if len(kept) > 1 else "The edited text is"
            where = f"{both} kept in {' and '.join(map(str, kept))}."
            raise error.with_context(
                after=where, hint="Remove what you don't need: it is a conversation."
            ) from error


def file_name(phone: str) -> str:
    """Return a file name for a phone, which may be any text: each has its own."""
    safe = re.sub("[^0-9+]", "", phone)[:40]
    if safe == phone != "":
        return safe
    digest = hashlib.sha256(phone.encode("utf-8", "backslashreplace")).hexdigest()
    return f"{safe or 'session'}~{digest[:16]}"


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
