"""Touch and delete, as the bot does both, for sessions that a user names."""

from collections.abc import Sequence

import msgspec

from pawsctl.connection import Command, Outcome, raise_for_error
from pawsctl.connection.scan.one_server import WRITTEN
from pawsctl.sessions.query import absent
from pawsctl.sessions.query.rows import TimeLeft
from pawsctl.sessions.store.accounting import Account, accounted, of_keys
from pawsctl.sessions.store.store import SessionStore


class Deleted(msgspec.Struct, frozen=True):
    """The result of deleting one session; `deleted` is false if there was none."""

    phone: str
    key: str
    deleted: bool


class DeletedOrLeft(Deleted, frozen=True):
    """The same if some were left: a `changed` one has changed since it was kept for undo."""

    changed: bool


def touch(store: SessionStore, names: Sequence[bytes]) -> list[TimeLeft]:
    """Set each session's TTL to that of the keyspace and change nothing else.

    `ttl` is None in the result for a session that does not exist.
    """
    store.require_strings(names)
    space = store.keyspace
    done = _each(store, [(b"EXPIRE", key, space.ttl) for key in names], "touched")
    return [
        TimeLeft(space.shown_name(key), space.shown_key(key), space.ttl if existed else None)
        for key, existed in zip(names, done, strict=True)
    ]


def shortens(store: SessionStore, names: Sequence[bytes]) -> bool:
    """Return whether a touch would have one of these sessions expire earlier than it does now.

    Raises OperationFailed if a key holds another type.
    """
    store.require_strings(names)
    most = store.keyspace.ttl * 1000
    return any(left is not None and not 0 <= left <= most for left in store.ttls(names))


def delete(store: SessionStore, names: Sequence[bytes]) -> list[Deleted]:
    """Delete each session; one that is named twice is in the result once."""
    names = list(dict.fromkeys(names))
    store.require_strings(names)
    done = _each(store, [(b"DEL", key) for key in names], "deleted")
    return [
        Deleted(store.keyspace.shown_name(key), store.keyspace.shown_key(key), existed)
        for key, existed in zip(names, done, strict=True)
    ]


def is_left(result: Deleted) -> bool:
    """Return whether a session was left since it has changed."""
    return isinstance(result, DeletedOrLeft) and result.changed


def require_existed(store: SessionStore, names: Sequence[bytes], found: Sequence[Deleted]) -> None:
    """Raise NoSession if one of the keys, whose results were found, did not exist."""
    existed = {each.key for each in found if each.deleted or is_left(each)}
    if missing := [
        key for key in dict.fromkeys(names) if store.keyspace.shown_key(key) not in existed
    ]:
        raise absent.no_session(store, missing)


def _each(store: SessionStore, commands: Sequence[Command], done: str) -> list[bool]:
    def account(outcome: Outcome) -> Account:
        return of_keys(done, outcome, noun="session", named=store.keyspace.shown_name)

    with accounted(store.connection, account):
        return [
            bool(raise_for_error(reply))
            for begin in range(0, len(commands), WRITTEN)
            for reply in store.connection.pipeline(commands[begin : begin + WRITTEN])
        ]
