"""Redis's globs, for keys that no MATCH has filtered reliably. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from operator import methodcaller

_SPECIAL = re.compile(rb"[*?\[\\]")
_ANY = b".*"
# Digits first, as in a phone.
_BYTES = [bytes([each]) for each in (*b"0123456789", *range(256))]


def matcher(glob: bytes) -> Callable[[bytes], object]:
    """Return a function that returns what is true for the texts that match a glob, as in MATCH."""
    if _is_prefix(glob):
        # As nearly always: three times as quick.
        return methodcaller("startswith", glob[:-1])
    return _pattern(glob).fullmatch


def matching(glob: bytes) -> Callable[[Sequence[bytes]], Sequence[bytes]]:
    """Return a function that returns those of some texts that match a glob, as in MATCH."""
    matches = matcher(glob)
    prefix = glob[:-1] if _is_prefix(glob) else None

    def found(texts: Sequence[bytes]) -> Sequence[bytes]:
        if prefix is not None and texts:
            # What is between two texts that begin alike begins so, too.
            least, greatest = min(texts), max(texts)
            if least.startswith(prefix) and greatest.startswith(prefix):
                return texts
        return list(filter(matches, texts))

    return found


def _is_prefix(glob: bytes) -> bool:
    """Return whether a glob is a text and a final asterisk."""
    return glob.endswith(b"*") and not _SPECIAL.search(glob, 0, len(glob) - 1)


def example(glob: bytes, filler: bytes) -> bytes | None:
    """Return a text that matches a glob, with `filler` for its first `*`; None if it has none."""
    text, is_filled = b"", False
    for part in _parts(glob):
        if part == _ANY:
            text += b"" if is_filled else filler
            is_filled = True
        else:
            # A set without members matches nothing.
            text += next((each for each in _BYTES if re.fullmatch(part, each, re.DOTALL)), b"")
    return text if is_filled else None


def _pattern(glob: bytes) -> re.Pattern[bytes]:
    return re.compile(b"".join(_parts(glob)), re.DOTALL)


def _parts(glob: bytes) -> Iterator[bytes]:
    """Yield the regular expression for each `*`, `?`, `[a-z]`, `[^a]`, `\\x` and other byte."""
    position = 0
    while position < len(glob):
        character = glob[position : position + 1]
        position += 1
        if character == b"*":
            yield _ANY
        elif character == b"?":
            yield b"."
        elif character == b"[":
            some, position = _set(glob, position)
            yield some
        else:
            if character == b"\\" and position < len(glob):
                character = glob[position : position + 1]
                position += 1
            yield re.escape(character)


def _set(glob: bytes, position: int) -> tuple[bytes, int]:
    """Return the pattern for a bracket expression, and the position after it.

    As in Redis, a missing closing bracket is taken to be at the end.
    """
    is_negated = glob[position : position + 1] == b"^"
    position += is_negated
    members: list[bytes] = []
    while position < len(glob) and glob[position : position + 1] != b"]":
        if glob[position : position + 1] == b"\\" and position + 1 < len(glob):
            members.append(re.escape(glob[position + 1 : position + 2]))
            position += 2
        elif glob[position + 1 : position + 2] == b"-" and position + 2 < len(glob):
            members.append(_range(glob[position], glob[position + 2]))
            position += 3
        else:
            members.append(re.escape(glob[position : position + 1]))
            position += 1
    position += 1
    if not members:
        return (b"." if is_negated else b"(?!)"), position
    return b"[" + (b"^" if is_negated else b"") + b"".join(members) + b"]", position


def _range(one: int, other: int) -> bytes:
    """Return the pattern for a range, whose ends may be in either order.

    Redis compares C's chars, which are signed on most servers: the bytes from 128 come before 0.
    """
    first, last = sorted((one, other), key=lambda byte: byte - 256 if byte > 127 else byte)
    ends = re.escape(bytes([first])), re.escape(bytes([last]))
    return (b"-" if first <= last else b"-\xff\x00-").join(ends)
