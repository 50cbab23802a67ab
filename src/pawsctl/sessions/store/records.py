"""Reading the records of given keys, in portions that fit into a reply."""

from collections.abc import Callable, Sequence
from typing import Any

from pawsctl.connection import Connection, ErrorReply, is_about_a_key, raise_for_error
from pawsctl.connection.scan.portions import Portions
from pawsctl.errors import HungUp, OperationFailed, Partial
from pawsctl.plurals import plural
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.model import Record
from pawsctl.sessions.store.accounting import may_not

TOO_LARGE_HINT = (
    "The server, or what stands before it, limits a reply: see its client-output-buffer-limit."
)

_TOLD = 5

LeftOut = Callable[[str], None]


class NotRead(Partial):
    """All servers answered, and some values can't be read."""


def unread(name: str, size: int | None) -> str:
    """Return the text on a value that is too large for a reply; `size` is in bytes."""
    told = "" if size is None else f" ({size} bytes)"
    return f"{name}{told}, which is larger than a reply may be here"


def not_read(large: Sequence[str], forbidden: int) -> NotRead | None:
    """Return a failure for a pass that could not read all; None if it could.

    `large` are the texts on values that are too large, `forbidden` is the number of keys that the
    user may not read.
    """
    if large:
        more = len(large) - _TOLD
        names = ", ".join(large[:_TOLD]) + (f" and {more} more" if more > 0 else "")
        return NotRead(f"Not read: the value of {names}.", hint=TOO_LARGE_HINT)
    if forbidden:
        return NotRead(
            f"This user may not read {plural(forbidden, 'key')}.",
            hint="What was shown, if anything, is true and not the whole. Ask for the permission; "
            "'session list', 'flush', 'copy' and 'watch' take a --match for those that may be "
            "read.",
        )
    return None


def require_allowed(names: Sequence[bytes], replies: Sequence[Any], space: Keyspace) -> None:
    """Raise OperationFailed with the names of keys whose reply says that an ACL refuses them."""
    pairs = zip(names, replies, strict=True)
    if refused := [
        key for key, each in pairs if isinstance(each, ErrorReply) and is_about_a_key(each)
    ]:
        raise may_not("read", refused, space.shown_name)


def of_some(
    connection: Connection,
    names: Sequence[bytes],
    portions: Portions,
    left_out: LeftOut | None,
    space: Keyspace,
) -> list[Record | None]:
    """Return the record of each of a few keys; None if it does not exist.

    A value that is too large for a reply raises OperationFailed; with `left_out`, that is called
    with a sentence instead, and the record is None. Keys that an ACL keeps from this user raise
    OperationFailed, which names them.
    """
    if not portions.may_be_large(len(names)):
        portions.begin(names)
        if (all_of_them := _asked(connection, names, portions, space)) is not None:
            return all_of_them
    sizes = connection.pipeline([("STRLEN", name) for name in names])
    found: list[Record | None] = []
    for group in portions.groups(names, sizes):
        found += _portion(connection, group, portions, left_out, space)
    return found


def _portion(
    connection: Connection,
    names: Sequence[bytes],
    portions: Portions,
    left_out: LeftOut | None,
    space: Keyspace,
) -> list[Record | None]:
    if portions.refused(names[0]) is None:
        portions.begin(names)
        if (all_of_them := _asked(connection, names, portions, space)) is not None:
            return all_of_them
    if len(names) > 1:
        middle = len(names) // 2
        return [
            *_portion(connection, names[:middle], portions, left_out, space),
            *_portion(connection, names[middle:], portions, left_out, space),
        ]
    stand_in = portions.refused(names[0])
    said = unread(space.shown_key(names[0]), stand_in.size if stand_in else None)
    if left_out is None:
        raise OperationFailed(f"The value of {said}, can't be read.", hint=TOO_LARGE_HINT)
    left_out(f"Left out: the value of {said}.")
    return [None]


def _asked(
    connection: Connection, names: Sequence[bytes], portions: Portions, space: Keyspace
) -> list[Record | None] | None:
    """Return the records of the keys; None if that was too much for one reply."""
    asked = [command for key in names for command in ((b"GET", key), (b"PTTL", key))]
    try:
        replies = connection.pipeline(asked)
    except HungUp:
        if not portions.learnt():
            raise
        return None
    if not portions.came(replies[::2]):
        return None
    require_allowed(names, replies[::2], space)
    each = iter(replies)
    return [_record(connection, *found) for found in zip(names, each, each, strict=True)]


def _record(connection: Connection, key: bytes, value: Any, ttl_ms: Any) -> Record | None:
    if isinstance(value, ErrorReply) and value.code == "WRONGTYPE":
        kind = connection.call("TYPE", key).decode("utf-8", "backslashreplace")
        return Record(key, raise_for_error(ttl_ms), None, kind)
    if raise_for_error(value) is None or raise_for_error(ttl_ms) == -2:
        return None
    return Record(key, ttl_ms, value)
