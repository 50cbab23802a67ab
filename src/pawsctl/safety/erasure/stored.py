"""The keys of a phone in Redis: its session, and the bot's temporary pictures."""

import re
from collections.abc import Sequence

import msgspec

from pawsctl.connection import ErrorReply, Node, info_fields, raise_for_error
from pawsctl.connection.replies import is_about_a_key
from pawsctl.connection.scan.one_server import WRITTEN, slices
from pawsctl.errors import Partial
from pawsctl.plurals import plural
from pawsctl.sessions.contract import keys
from pawsctl.sessions.store.store import SessionStore

_PICTURES = b"temp_image:*"
_NAME = re.compile(r"temp_image:(.*):[^:]*", re.DOTALL)


class Stored(msgspec.Struct, frozen=True):
    """The keys that were found; `unseen` says why there may be more pictures."""

    session: bool
    pictures: Sequence[bytes]
    unseen: str = ""


def found(store: SessionStore, key: bytes) -> Stored:
    """Return what is stored of the phone whose session has that key."""
    session = bool(store.connection.call("EXISTS", key))
    if not store.keyspace.is_bots:
        return Stored(session, ())
    pictures: list[bytes] = []
    try:
        for names in store.names(_PICTURES):
            pictures += [each for each in names if _is_of(each, store.keyspace.name_of(key))]
    except Partial as error:
        return Stored(session, pictures, error.message)
    return Stored(session, pictures)


def _is_of(picture: bytes, phone: str) -> bool:
    """Return whether a picture is that phone's; its key has the phone as it came."""
    name = _NAME.fullmatch(keys.key_text(picture))
    return name is not None and keys.normalised(name[1]) == phone


class Deletion(msgspec.Struct, frozen=True):
    """Whether the session was deleted, how many pictures, and how many pictures were refused."""

    session: bool
    pictures: int
    refused: int

    @property
    def failures(self) -> list[str]:
        """Clauses on what could not be deleted."""
        if not self.refused:
            return []
        return [f"{plural(self.refused, 'temporary picture')}, which this user may not delete"]


def delete(store: SessionStore, key: bytes, stored: Stored) -> Deletion:
    """Delete the keys that were found, and no others, which nobody has confirmed."""
    session = stored.session and bool(store.connection.call("DEL", key))
    pictures = refused = 0
    for some in slices(stored.pictures, WRITTEN):
        for each in store.connection.pipeline([("DEL", each) for each in some]):
            if isinstance(each, ErrorReply) and is_about_a_key(each):
                refused += 1
            else:
                pictures += raise_for_error(each)
    return Deletion(session, pictures, refused)


def out_of_reach(store: SessionStore, key: bytes, stored: Stored) -> list[str]:
    """Return clauses on what Redis keeps elsewhere for a time, by what it tells of itself.

    In a cluster, a picture may have been on another primary than the session.
    """
    owners = map(store.connection.owner, (key, *stored.pictures))
    nodes = {str(each): each for each in owners}
    return [clause for node in nodes.values() for clause in _kept_by(node)]


def _kept_by(node: Node) -> list[str]:
    reply = node.pipeline([("INFO",)])[0]
    told = {} if isinstance(reply, ErrorReply) else info_fields(reply)
    clauses = []
    if told.get("aof_enabled", "1") != "0":
        clauses.append(f"the append-only file of {node}, until it is rewritten (BGREWRITEAOF)")
    clauses.append(f"snapshots of {node} and copies of them, until they are written anew (BGSAVE)")
    count = told.get("connected_slaves", "")
    if count != "0":
        some = f"{count} replicas" if count.isdecimal() and int(count) > 1 else "replicas"
        some = "1 replica" if count == "1" else some
        clauses.append(f"{some} of {node}, for as long as they lag")
    return clauses
