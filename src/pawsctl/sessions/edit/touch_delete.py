"""Touch and delete, as the bot does both, for sessions that a user names."""

from collections.abc import Callable, Sequence

import msgspec

from pawsctl.connection import (
    Account,
    Command,
    ErrorReply,
    Outcome,
    is_about_a_key,
    raise_for_error,
)
from pawsctl.connection.scan.one_server import WRITTEN, slices
from pawsctl.sessions.query import absent
from pawsctl.sessions.query.rows import TimeLeft
from pawsctl.sessions.store.accounting import accounted, may_not, of_keys
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
    done = _each(store, names, lambda key: (b"EXPIRE", key, space.ttl), "touch")
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
    done = _each(store, names, lambda key: (b"DEL", key), "delete")
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


def _each(
    store: SessionStore, names: Sequence[bytes], command: Callable[[bytes], Command], verb: str
) -> list[bool]:
    """Run a command on each session; those on which an ACL refuses it are told at the end."""

    def account(outcome: Outcome) -> Account:
        done = f"{verb.removesuffix('e')}ed"
        return of_keys(done, outcome, noun="session", named=store.keyspace.shown_name)

    done, refused = list[bool](), list[bytes]()
    with accounted(store.connection, account):
        for some in slices(names, WRITTEN):
            replies = store.connection.pipeline([command(key) for key in some])
            for key, reply in zip(some, replies, strict=True):
                if isinstance(reply, ErrorReply) and is_about_a_key(reply):
                    refused.append(key)
                else:
                    done.append(bool(raise_for_error(reply)))
        if refused:
            raise may_not(verb, refused, store.keyspace.shown_name)
    return done
