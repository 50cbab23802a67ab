"""Say what exists if what was asked for does not: phones, filters, databases."""

import re
import time
from collections.abc import Sequence
from contextlib import suppress

from pawsctl.connection import Connection, connect, info_fields, raise_for_error
from pawsctl.connection.scan.glob import matcher
from pawsctl.errors import NoSession, PawsctlError
from pawsctl.plurals import plural
from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.query import replica
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.store.reader import SessionReader

# Seconds for a look at all other databases, and at each: sessions may be few among many keys.
_MOST_SECONDS = 1.0
_MOST_EACH = 0.2
_STEP = 1_000
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_LEAST_DIGITS = 6


def no_session(store: SessionReader, names: Sequence[bytes]) -> NoSession:
    """Return the failure for missing keys, with phones that differ by a + or 00 alone."""
    space = store.keyspace
    # The session of a phone without digits has no name: its key is the prefix alone.
    error = NoSession.of([space.shown_name(key) or space.shown_key(key) for key in names])
    if found := written_otherwise(store, names):
        phones = ", ".join(found)
        return NoSession(
            f"{error.message} There is one for {phones}.",
            hint=f"Write the phone as it is stored: {phones}."
            if store.keyspace.mask is None
            else "Write it as it is stored, with its + or without.",
        )
    if shown := shown_alike(store, names):
        return error.with_context(
            hint="There is one that is shown like this, whose bytes are no text: name it "
            f"{space.by_bytes(space.name_of(shown))}."
        )
    db = store.connection.target.db
    told = [f"Database {db} was looked at."] if db else []
    told += filter(None, [elsewhere(store), replica.shortfall(store.connection)])
    if end := end_of_a_phone(store.keyspace, names):
        told.append(f"""'pawsctl session list --match "*{end}"' finds phones that end so.""")
    return error.with_context(hint=" ".join(told)) if told else error


def written_otherwise(store: SessionReader, names: Sequence[bytes]) -> list[str]:
    """Return the phones of sessions that exist under the keys, with or without a + or 00."""
    others = [key for name in names for key in other_spellings(store.keyspace, name)]
    # The sessions are missing in any case, also if this can't be told.
    with suppress(PawsctlError):
        left = store.ttls(others)
        return [
            store.keyspace.shown_name(key)
            for key, ttl in zip(others, left, strict=True)
            if ttl is not None
        ]
    return []


def shown_alike(store: SessionReader, names: Sequence[bytes]) -> bytes | None:
    """Return the first of the keys that is also how another one is shown, if that exists."""
    prefix = store.keyspace.prefix.encode()
    for key in names:
        others = [prefix + each for each in keys.behind(store.keyspace.name_of(key))]
        with suppress(PawsctlError):
            if others and any(left is not None for left in store.ttls(others)):
                return key
    return None


def other_spellings(keyspace: Keyspace, key: bytes) -> list[bytes]:
    """Return a phone's other keys: it may begin with +, with 00 in its place, or with neither."""
    prefix = keyspace.prefix.encode()
    if keyspace.is_raw or not key.startswith(prefix) or key == prefix:
        return []
    phone = key.removeprefix(prefix)
    number = phone.removeprefix(b"+" if phone.startswith(b"+") else b"00")
    return [prefix + begin + number for begin in (b"+", b"", b"00") if begin + number != phone]


def end_of_a_phone(keyspace: Keyspace, names: Sequence[bytes]) -> str:
    """Return the digits of the one phone that was asked for without a +, or ''.

    A customer may have told a number without its country code.
    """
    if keyspace.is_raw or keyspace.mask is not None or len(names) != 1:
        return ""
    phone = keyspace.name_of(names[0])
    return phone if len(phone) >= _LEAST_DIGITS and _DIGITS.fullmatch(phone) else ""


def elsewhere(store: SessionReader) -> str:
    """Return a sentence on the other databases of the server that hold sessions, or ''."""
    target = store.connection.target
    if target.kind == "cluster":
        return ""
    told, until = [], time.monotonic() + _MOST_SECONDS
    with suppress(PawsctlError):
        info = info_fields(store.connection.call("INFO", "keyspace"))
        numbers = sorted(int(name[2:]) for name in info if name[:2] == "db" and name[2:].isdigit())
        for number in numbers:
            if number == target.db or time.monotonic() > until:
                continue
            with connect(target.with_db(number), store.connection.timeouts) as other:
                until_then = time.monotonic() + _MOST_EACH
                count, is_whole = _count(other, store.keyspace.pattern(), until_then)
            if count:
                more = "" if is_whole else "at least "
                # Of another application's keys, some may be of other types.
                some = more + plural(count, "key" if store.keyspace.is_raw else "session")
                if store.keyspace.is_raw:
                    some += f" under {store.keyspace.prefix}"
                told.append(f"database {number} holds {some} (-n {number})")
    sentence = ", ".join(told)
    return f"{sentence[0].upper()}{sentence[1:]}." if told else ""


def nothing(store: SessionReader, *, is_filtered: bool = False) -> str:
    """Return sentences saying that there are no sessions here, and where there are some."""
    target = store.connection.target
    which = f" (database {target.db})" if target.db else ""
    what = "such session" if is_filtered else "sessions"
    under = "" if store.keyspace.is_bots else f" under {store.keyspace.prefix}"
    found = " found" if store.is_partial else ""
    unread = ": not all could be read" if store.is_partial else ""
    told = [f"No {what}{under}{found} in {target.url}{which}{unread}."]
    told += [elsewhere(store) or ("" if is_filtered or found else _of_other_names(store))]
    return " ".join(filter(None, [*told, replica.shortfall(store.connection)]))


def _of_other_names(store: SessionReader) -> str:
    """Return a sentence on the keys of the database, none of which is a session, or ''.

    They are not counted: on a replica, DBSIZE has the sessions that have expired, too.
    """
    with suppress(PawsctlError):
        if not store.connection.resolved().is_cluster:
            key = store.connection.call("RANDOMKEY")
            if isinstance(key, bytes) and not key.startswith(store.keyspace.prefix.encode()):
                return (
                    "It holds keys of other names; SESSION_PREFIX says how those of sessions begin."
                )
    return ""


def _count(connection: Connection, pattern: bytes, until: float) -> tuple[int, bool]:
    """Return the number of sessions that are found in time, and whether these are all."""
    names: set[bytes] = set()
    cursor: bytes | int = b"0"
    while True:
        scan = ("SCAN", cursor, "MATCH", pattern, "COUNT", _STEP)
        cursor, found = raise_for_error(connection.reader().pipeline([scan])[0])
        names.update(found)
        if cursor in (b"0", 0):
            return len(names), True
        if time.monotonic() > until:
            return len(names), False


def lead(store: SessionReader, wanted: Filter) -> str:
    """Return a sentence on where there are sessions if a filter has matched none, or ''."""
    with suppress(PawsctlError):
        total, clause = other_matches(store, wanted)
        return (clause and f"{clause}.") if total else elsewhere(store)
    return ""


def other_matches(store: SessionReader, wanted: Filter) -> tuple[int, str]:
    """Return the number of sessions, and a clause on another glob that matches some, or ''."""
    prefix = store.keyspace.prefix
    glob = _wider((wanted.match or "").removeprefix(prefix))
    matches = matcher(glob.encode("utf-8", "surrogateescape"))
    total = found = 0
    for names in store.names():
        total += len(names)
        if glob:
            begin = len(prefix.encode())
            found += sum(bool(matches(key[begin:])) for key in names)
    return total, f"'{store.keyspace.shown_typed(glob)}' matches {found}" if found else ""


def _wider(glob: str) -> str:
    """Return a glob that may have been meant: a part of a phone, or one with or without its +."""
    if glob and not set(glob) & set("*?[\\"):
        return f"*{glob}*"
    if glob.startswith("+"):
        return glob[1:]
    return "" if glob.startswith("*") or not glob else f"+{glob}"
