"""Comparing keys with what was kept of them, and deleting those that are still the same.

A script compares and deletes in one step, so that what another client writes meanwhile is never
lost. Where scripts are refused, the keys are read again just before they are deleted; what is
written at that very moment, about a millisecond, may then be lost.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import Literal

from pawsctl.connection import Command, ErrorReply, is_about_a_key, is_in_doubt, refused
from pawsctl.errors import OperationFailed, RedisUnreachable
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.contract.saved import Saved
from pawsctl.sessions.store.bulk_writer import clock_offset
from pawsctl.sessions.store.store import SessionStore

Fate = Literal["deleted", "gone", "changed"]
"""The result for a key: deleted; gone before; or left, since it holds something else."""

# A TTL that has grown by more than this was set again. A slow reply makes it look grown as well.
_TOLERANCE_MS = 60_000

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

    `has_scripts` is whether a script may compare and change in one step.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._offset = clock_offset(store)
        self.has_scripts = self._runs_scripts()

    def _runs_scripts(self) -> bool:
        """Try the script on a key of nobody: services refuse scripts, and proxies hang up."""
        nobodys = Saved(self._store.keyspace.nobodys_key(), b"", None)
        try:
            (reply,) = self._store.tried([self.script(nobodys, self.unlink(nobodys.key))])
        except RedisUnreachable:
            return False
        finally:
            # Whatever the reply was, it is about no session.
            self._store.connection.ledger.begin()
        # None: the node of a cluster that would have the key does not answer.
        is_allowed = isinstance(reply, ErrorReply) and is_about_a_key(reply)
        return is_allowed or reply is None or reply == 0

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

    def _is_same(self, kept: Saved, record: Record) -> bool:
        left, expected = record.ttl_ms, self._ttl_ms(kept)
        if (left < 0) != (expected < 0) or left > expected + _TOLERANCE_MS:
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
            scripts = [comparer.script(each, comparer.unlink(each.key)) for each in kept]
            for number, reply in enumerate(self._store.connection.pipeline(scripts)):
                if isinstance(reply, ErrorReply):
                    if is_in_doubt(reply):
                        raise refused(reply)
                    comparer.has_scripts = False
                else:
                    fates[number] = _fate(reply)
        left = [number for number in range(len(kept)) if number not in fates]
        looked_at = self._delete_after_look([kept[number] for number in left])
        fates.update(zip(left, looked_at, strict=True))
        return [fates[number] for number in range(len(kept))]

    def _delete_after_look(self, kept: Sequence[Saved]) -> list[Fate]:
        fates: dict[bytes, Fate] = {}
        for each, is_same in zip(kept, self._comparer.same(kept), strict=True):
            if not is_same:
                fates[each.key] = "gone" if is_same is None else "changed"
        meant = [each.key for each in kept if each.key not in fates]
        for key, existed in zip(meant, self._store.unlink_keys(meant), strict=True):
            fates[key] = "deleted" if existed else "gone"
        return [fates[each.key] for each in kept]


def _fate(reply: object) -> Fate:
    if reply is None:
        return "changed"
    if type(reply) is int and 0 <= reply <= 1:
        return "deleted" if reply else "gone"
    raise OperationFailed(
        f"A reply can't be understood: EVAL was answered with {str(reply)[:60]!r}.",
        hint="Look at what is stored, and whether a Redis answers there.",
    )
