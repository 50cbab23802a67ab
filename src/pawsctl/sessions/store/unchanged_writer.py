"""Replacing keys only if they still hold what was kept of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pawsctl.connection import Command
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.store.bulk_writer import BulkWriter
from pawsctl.sessions.store.store import SessionStore
from pawsctl.sessions.store.unchanged import Comparer

KeptOf = Callable[[Sequence[bytes]], Mapping[bytes, Saved]]
"""Returns what was kept of keys, which come in the order in which they were kept."""


class UnchangedWriter(BulkWriter):
    """A BulkWriter that replaces what still is as it was kept, and leaves what has changed since.

    A key of which nothing was kept did not exist: it is written only if it still does not.
    """

    def __init__(self, store: SessionStore, kept_of: KeptOf) -> None:
        super().__init__(store, replace=True)
        self._comparer = Comparer(store)
        self._kept_of = kept_of
        self._kept: Mapping[bytes, Saved] = {}

    def prepare(self, names: Sequence[bytes]) -> None:
        """Look up what was kept of all keys of the next batch."""
        self._kept = self._kept_of(names)

    def write(self, sessions: Sequence[Saved]) -> list[Any]:
        """Write a batch; false in the result is also for a session that has changed."""
        if self._comparer.has_scripts or self._comparer.has_transactions:
            return super().write(sessions)
        kept = [self._kept[each.key] for each in sessions if each.key in self._kept]
        same = dict(zip((each.key for each in kept), self._comparer.same(kept), strict=True))
        changed = {key for key, is_same in same.items() if is_same is False}
        written = iter(super().write([each for each in sessions if each.key not in changed]))
        return [False if each.key in changed else next(written) for each in sessions]

    def _sent(self, sessions: Sequence[Saved]) -> list[Any]:
        if not self._comparer.has_transactions:
            return super()._sent(sessions)
        kept = [self._kept[each.key] for each in sessions if each.key in self._kept]
        commands = [self._command(each) for each in sessions if each.key in self._kept]
        replaced = iter(self._comparer.change(kept, commands))
        made = iter(super()._sent([each for each in sessions if each.key not in self._kept]))
        return [next(replaced if each.key in self._kept else made) for each in sessions]

    def _command(self, saved: Saved) -> Command:
        kept = self._kept.get(saved.key)
        command = super()._command(saved)
        if kept is None:
            if saved.dumped:
                return command[:-1]
            return (*command[:3], b"NX", *command[3:])
        return self._comparer.script(kept, command) if self._comparer.has_scripts else command
