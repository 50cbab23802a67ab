"""The format of archives: JSON Lines, a header first and a trailer last. Pure.

    {"format":"pawsctl sessions","version":1,"source":"redis://…","exported_at":"2026-01-31T…Z"}
    {"phone":"+123","key":"wh:session:+123","expires_at":1767225600000,"value":"{\"status\":…"}
    {"count":1,"checksum":"sha256:…"}

The checksum covers every byte before the trailer: `head -n -1 FILE | sha256sum` prints the same. It
detects damage but is no signature: whoever changes a file on purpose can change it as well.
"""

import io
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple, TypeVar

import msgspec

from pawsctl.sessions.contract.keys import SEEN_PREFIX, SESSION_PREFIX, key_text
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.contract.saved import LATEST_MS, Saved

FORMAT = "pawsctl sessions"
VERSION = 1
LONGEST_HOURS = 100_000
"""The most hours for which an archive is kept for undo."""


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line. `source` is a URL without its passwords.

    `prefix` is that of all keys; without one, they are the bot's. `values` is `raw` if the values
    are another application's. `kept_before` is the command that changed the keys afterwards, if
    they were kept for undo, and `kept_hours` for how long. `masked` says that phones are pseudonyms
    and texts are blocks.
    """

    format: str
    version: int
    source: str
    exported_at: datetime
    prefix: Annotated[str, msgspec.Meta(min_length=2)] | None = None
    values: Literal["raw"] | None = None
    kept_before: str = ""
    masked: bool = False
    kept_hours: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_HOURS)] = 0


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A line between header and trailer. `expires_at` is milliseconds since the epoch or null.

    Bytes that are not UTF-8 are in base64: `value_base64` then replaces `value`, and `key_base64`
    has the bytes of the key, while `key` is for display. A key that is no string has instead its
    `type` and `dump_base64`, the reply to DUMP; only archives that were kept for undo have those.
    """

    phone: str
    key: str
    expires_at: Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS)] | None
    value: str | None = None
    value_base64: str | None = None
    key_base64: str | None = None
    type: str | None = None
    dump_base64: str | None = None


class Trailer(msgspec.Struct, frozen=True):
    """The last line: the number of sessions, and the checksum of all bytes before it."""

    count: int
    checksum: str


LONGEST_VALUE = 512 * 1024 * 1024
"""The most bytes of a value in Redis, unless `proto-max-bulk-len` was raised."""

# A value in base64 takes a third more; the line also has the key, twice, and names of fields.
_LONGEST_LINE = LONGEST_VALUE * 4 // 3 + 2 * 1024 * 1024
# Bytes of a block that is more than what is read at a time, for it holds a line that is longer.
_LONG = 1 << 20
# The bytes that an escape adds at most: its six characters stand for at least one byte.
_ESCAPED = 5
LONGEST_HEADER = 64 * 1024
"""The most bytes of a header or a trailer."""


class Rejected(Exception):
    """A line that can't be a session; its text says why."""


_encoder = msgspec.json.Encoder()
_entries = msgspec.json.Decoder(Entry)
Line = TypeVar("Line", Header, Trailer)


def header(
    source: str,
    now: float,
    keyspace: Keyspace,
    *,
    kept_before: str = "",
    kept_hours: float = 0,
    masked: bool = False,
) -> bytes:
    """Return the first line of an archive; `now` is in seconds since the epoch."""
    time = datetime.fromtimestamp(int(now), UTC)
    prefix = None if keyspace.prefix == SESSION_PREFIX else keyspace.prefix
    values: Literal["raw"] | None = "raw" if keyspace.is_raw else None
    found = Header(FORMAT, VERSION, source, time, prefix, values, kept_before, masked, kept_hours)
    return _encoder.encode(found) + b"\n"


def trailer(count: int, checksum: str) -> bytes:
    """Return the last line of an archive."""
    return _encoder.encode(Trailer(count, checksum)) + b"\n"


def lines(sessions: Sequence[Saved], prefix: str) -> bytes:
    """Return a line for each session; far quicker for many sessions at once."""
    encoded = _encoder.encode_lines([_entry(each, prefix) for each in sessions])
    # If stdout is a GitHub runner's log, `##[` would be a command there; the value is the same. Few
    # texts have a `#`, which is found in a sixtieth of the time.
    return encoded.replace(b"##[", rb"#\u0023[") if b"#" in encoded else encoded


def _entry(saved: Saved, prefix: str) -> Entry:
    if saved.dumped:
        return _entry_of_dump(saved, prefix)
    # Nearly every key and value is UTF-8, and a million of them pass here.
    try:
        key = saved.key.decode()
        value = saved.value.decode()
    except UnicodeDecodeError:
        return _entry_in_base64(saved, prefix)
    return Entry(key.removeprefix(prefix), key, saved.expires_at, value)


def _entry_in_base64(saved: Saved, prefix: str) -> Entry:
    value, value_base64 = _text_or_base64(saved.value)
    _, key_base64 = _text_or_base64(saved.key)
    return Entry(
        key_text(saved.key).removeprefix(prefix),
        key_text(saved.key),
        saved.expires_at,
        value,
        value_base64,
        key_base64,
    )


def _entry_of_dump(saved: Saved, prefix: str) -> Entry:
    _, key_base64 = _text_or_base64(saved.key)
    return Entry(
        key_text(saved.key).removeprefix(prefix),
        key_text(saved.key),
        saved.expires_at,
        key_base64=key_base64,
        type=saved.dumped,
        dump_base64=b64encode(saved.value).decode(),
    )


def _text_or_base64(data: bytes) -> tuple[str | None, str | None]:
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return None, b64encode(data).decode()


def is_too_long(length: int, escapes: int) -> bool:
    """Return whether a line is too long to be a session.

    It has `length` bytes, `escapes` of them backslashes.
    """
    return length - _ESCAPED * escapes > _LONGEST_LINE


def divided(data: bytes | memoryview) -> list[bytes]:
    """Return the lines in some bytes, each with its newline; the last may lack it.

    It takes a quarter of the time of `bytes.count`, and divides at no carriage return.
    """
    return io.BytesIO(data).readlines()


def read_line(line: bytes, kind: type[Line]) -> Line | None:
    """Parse a header or trailer; None if the line is incomplete or of another kind."""
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


class _Taken(NamedTuple):
    """The keys that lines may hold: keys with these prefixes, and keys that are no strings."""

    prefixes: tuple[bytes, ...]
    dumps: bool


def read_lines(block: bytes, prefix: str, *, undo: bool = False) -> list[Saved | Rejected]:
    """Parse a block of whole lines; a line that is no session under `prefix` becomes a Rejected.

    In an archive for `undo`, a line may also be a seen mark, or a key that is no string.
    """
    own = prefix.encode()
    taken = _Taken((own, SEEN_PREFIX.encode()) if undo else (own,), undo)
    try:
        found = _entries.decode_lines(block)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = []
    # A copy of a long line would be the third in memory.
    count = block.count(b"\n") if len(block) > _LONG else len(divided(block))
    # Where it is not one for each line, a line is empty or can't be decoded.
    if len(found) != count:
        return [_read_one(line, taken) for line in divided(block)]
    # A value is not longer than its JSON.
    if len(block) > LONGEST_VALUE:
        return [_checked(entry, taken) for entry in found]
    # As nearly all are: a call for each would take as long as the rest.
    return [
        Saved(entry.key.encode(), entry.value.encode(), entry.expires_at)
        if entry.key_base64 is entry.value_base64 is entry.dump_base64 is None
        and entry.value is not None
        and entry.key.startswith(prefix)
        else _checked(entry, taken)
        for entry in found
    ]


def _read_one(line: bytes, taken: _Taken) -> Saved | Rejected:
    try:
        return _checked(_entries.decode(line), taken)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Rejected(f"no session: {error}")


def _checked(entry: Entry, taken: _Taken) -> Saved | Rejected:
    try:
        return _saved(entry, taken)
    except Rejected as reason:
        return reason


def _saved(entry: Entry, taken: _Taken) -> Saved:
    key = entry.key.encode() if entry.key_base64 is None else _bytes_of(entry.key_base64, "key")
    if not key.startswith(taken.prefixes):
        prefix = taken.prefixes[0].decode()
        raise Rejected(f"the key {key_text(key)!r} does not begin with {prefix}")
    if taken.dumps and entry.dump_base64 is not None and entry.type:
        return Saved(key, _bytes_of(entry.dump_base64, "dump"), entry.expires_at, entry.type)
    if entry.value is not None and entry.value_base64 is None:
        return Saved(key, _held(entry.value.encode()), entry.expires_at)
    if entry.value is not None or entry.value_base64 is None:
        raise Rejected("it has not one of value and value_base64")
    return Saved(key, _held(_bytes_of(entry.value_base64, "value")), entry.expires_at)


def _held(value: bytes) -> bytes:
    if len(value) > LONGEST_VALUE:
        raise Rejected(f"its value has {len(value)} bytes, and Redis holds {LONGEST_VALUE}")
    return value


def _bytes_of(text: str, what: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError) as error:
        raise Rejected(f"the {what} is no base64: {error}") from error
