"""Comparing keys with what was kept of them, and deleting those that are still the same.

A script compares and deletes in one step, so that what another client writes meanwhile is never
lost. Where scripts are refused, transactions do the same; where these are refused too, the keys are
read again just before they are deleted, and it is said that what is written then may be lost.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

from pawsctl.connection import (
    Command,
    ErrorReply,
    has_code,
    is_about_a_key,
    is_in_doubt,
    refused,
)
from pawsctl.connection.transactions.change_if_same import Change, change_if_same
from pawsctl.errors import LoginRefused, OperationFailed, RedisUnreachable
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.store.bulk_writer import clock_offset
from pawsctl.sessions.store.store import SessionStore

Fate = Literal["deleted", "gone", "changed", "refused"]
"""The result for a key: deleted; gone before; left, since it holds something else, or by an ACL."""

# A TTL that has grown by more than this was set again. A slow reply makes it look grown as well.
_TOLERANCE_MS = 60_000

# A server that takes no writes now says nothing of scripts.
_NO_WRITES = ("READONLY", "NOREPLICAS", "MISCONF", "LOADING", "MASTERDOWN", "OOM", "BUSY")

# What PTTL says of a key that is not there.
_NO_KEY = -2

# One key each, which is declared: services and ACLs refuse scripts on others.
_SCRIPT = """\
local value = redis.pcall(ARGV[1], KEYS[1])
if type(value) == 'table' then
  if string.find(value.err, 'WRONGTYPE', 1, true) then return false end
  return value
end
if value then
  if redis.sha1hex(value) ~= ARGV[2] then return false end
  local left, kept = redis.call('PTTL', KEYS[1]), tonumber(ARGV[3])
  if (left < 0) ~= (kept < 0) or left > kept + tonumber(ARGV[4]) then return false end
end
return redis.pcall((table.unpack or unpack)(ARGV, 5))"""


class Comparer:
    """Compares keys of a store with what was kept of them.

    `has_scripts` is whether a script may compare and change in one step, `has_transactions` whether
    a transaction may, where scripts may not.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._offset = clock_offset(store)
        self.has_scripts, self.has_transactions = self._runs_scripts(), False
        if not self.has_scripts:
            self.give_up_scripts()

    def give_up_scripts(self) -> None:
        """Use transactions from now on; where they are refused too, say what may be lost."""
        self.has_scripts, self.has_transactions = False, self._runs_transactions()
        if not self.has_transactions:
            self._store.connection.note(
                "Scripts and transactions are refused here: sessions are read again just before "
                "they are changed, and what the bot writes in between is lost."
            )

    def _runs_transactions(self) -> bool:
        """Try a transaction on a key of nobody; services refuse them too, and proxies hang up."""
        nobodys = Saved(self._store.keyspace.nobodys_key(), b"", None)
        try:
            (reply,) = self.change([nobodys], [_harmless(nobodys.key)])
        except LoginRefused:
            raise
        except RedisUnreachable:
            # The node of a cluster that would have the key does not answer.
            return self._store.connection.resolved().is_cluster
        except OperationFailed:
            return False
        return reply == _NO_KEY or (isinstance(reply, ErrorReply) and is_about_a_key(reply))

    def change(self, kept: Sequence[Saved], commands: Sequence[Command]) -> list[Any]:
        """Run each command if its key is as it was kept, or gone, in transactions.

        Returns what `script` replies. Raises what the connection raises.
        """
        changes = [
            Change(
                each.key,
                ((b"DUMP" if each.dumped else b"GET", each.key), (b"PTTL", each.key)),
                partial(self._is_told_same, each),
                command,
            )
            for each, command in zip(kept, commands, strict=True)
        ]
        return change_if_same(self._store.connection, changes)

    def _is_told_same(self, kept: Saved, replies: Sequence[Any]) -> bool:
        value, left = replies
        return value is None or (value == kept.value and self._lives_as_kept(kept, left))

    def _runs_scripts(self) -> bool:
        """Try the script on a key of nobody: services refuse scripts, and proxies hang up."""
        nobodys = Saved(self._store.keyspace.nobodys_key(), b"", None)
        try:
            # Whatever the reply is, it is about no session.
            with self._store.connection.ledger.aside():
                (reply,) = self._store.tried([self.script(nobodys, _harmless(nobodys.key))])
        except RedisUnreachable:
            return False
        # None: the node of a cluster that would have the key does not answer.
        is_allowed = isinstance(reply, ErrorReply) and (
            is_about_a_key(reply) or has_code(reply, *_NO_WRITES)
        )
        return is_allowed or reply is None or reply == _NO_KEY

    def unlink(self, key: bytes) -> Command:
        """Return UNLINK, or DEL if the server has refused that."""
        (wire,) = self._store.connection.substitutes.wire((b"UNLINK", key))
        return wire

    def script(self, kept: Saved, command: Command) -> Command:
        """Return a script that runs the command if the key is as it was kept, or gone.

        Its reply is None if the key is another, else that of the command.
        """
        return (
            *(b"EVAL", _SCRIPT, 1, kept.key, b"DUMP" if kept.dumped else b"GET"),
            hashlib.sha1(kept.value, usedforsecurity=False).hexdigest(),
            *(self._ttl_ms(kept), _TOLERANCE_MS, *command),
        )

    def same(self, kept: Sequence[Saved]) -> list[bool | None]:
        """Look at the keys; return for each whether it is as it was kept, None if it is gone."""
        found = self._store.records_of([each.key for each in kept])
        return [
            None if record is None else self._is_same(each, record)
            for each, record in zip(kept, found, strict=True)
        ]

    def _ttl_ms(self, kept: Saved) -> int:
        """Return the TTL that the key should have by now, -1 for never."""
        if kept.expires_at is None:
            return -1
        return max(0, kept.expires_at - int((time.time() + self._offset) * 1000))

    def _lives_as_kept(self, kept: Saved, left: int) -> bool:
        expected = self._ttl_ms(kept)
        return (left < 0) == (expected < 0) and left <= expected + _TOLERANCE_MS

    def _is_same(self, kept: Saved, record: Record) -> bool:
        if not self._lives_as_kept(kept, record.ttl_ms):
            return False
        if kept.dumped:
            is_dumped = record.type == kept.dumped
            return is_dumped and bool(self._store.connection.call("DUMP", kept.key) == kept.value)
        return record.value == kept.value


class UnchangedDeleter:
    """Deletes keys of a store that still hold what was kept of them."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._comparer = Comparer(store)

    def delete(self, kept: Sequence[Saved]) -> list[Fate]:
        """Delete each key if it still has this value and expiry; return what came of it.

        Raises what the connection raises, and OperationFailed if Redis refuses to delete.
        """
        comparer = self._comparer
        fates: dict[int, Fate] = {}
        if comparer.has_scripts:
            fates.update(self._delete_in_scripts(kept))
        if comparer.has_transactions or comparer.has_scripts:
            fates.update(self._delete_in_transactions(kept, fates))
        left = [number for number in range(len(kept)) if number not in fates]
        looked_at = self._delete_after_look([kept[number] for number in left])
        fates.update(zip(left, looked_at, strict=True))
        return [fates[number] for number in range(len(kept))]

    def _delete_in_scripts(self, kept: Sequence[Saved]) -> dict[int, Fate]:
        """Return what came of the keys; none of those refused."""
        comparer = self._comparer
        scripts = [comparer.script(each, comparer.unlink(each.key)) for each in kept]
        found, are_refused = dict[int, Fate](), False
        for number, reply in enumerate(self._store.connection.pipeline(scripts)):
            if not isinstance(reply, ErrorReply):
                found[number] = _fate(reply)
            elif is_in_doubt(reply) or has_code(reply, *_NO_WRITES):
                raise refused(reply)
            elif not is_about_a_key(reply):
                are_refused = True
        if are_refused:
            comparer.give_up_scripts()
        return found

    def _delete_in_transactions(
        self, kept: Sequence[Saved], fates: Mapping[int, Fate]
    ) -> dict[int, Fate]:
        """Return what came of the keys that have no fate yet; none of those refused."""
        left = [number for number in range(len(kept)) if number not in fates]
        if not left:
            return {}
        some = [kept[number] for number in left]
        replies = self._comparer.change(some, [self._comparer.unlink(each.key) for each in some])
        found = {}
        for number, reply in zip(left, replies, strict=True):
            if not isinstance(reply, ErrorReply):
                found[number] = _fate(reply)
            elif is_in_doubt(reply):
                raise refused(reply)
        return found

    def _delete_after_look(self, kept: Sequence[Saved]) -> list[Fate]:
        fates: dict[bytes, Fate] = {}
        for each, is_same in zip(kept, self._comparer.same(kept), strict=True):
            if not is_same:
                fates[each.key] = "gone" if is_same is None else "changed"
        meant = [each.key for each in kept if each.key not in fates]
        for key, existed in zip(meant, self._store.unlink_keys(meant), strict=True):
            fates[key] = "refused" if existed is None else "deleted" if existed else "gone"
        return [fates[each.key] for each in kept]


def _harmless(key: bytes) -> Command:
    """Return a command that changes nothing, and that whoever compares may send anyway.

    To try with what is to be done would take its refusal for one of scripts.
    """
    return (b"PTTL", key)


def _fate(reply: object) -> Fate:
    if reply is None:
        return "changed"
    if type(reply) is int and 0 <= reply <= 1:
        return "deleted" if reply else "gone"
    raise OperationFailed(
        f"A reply can't be understood: EVAL was answered with {str(reply)[:60]!r}.",
        hint="Look at what is stored, and whether a Redis answers there.",
    )
