"""Division of values into portions that fit into one reply, by their sizes. Pure.

A server drops a client whose replies pile up (`client-output-buffer-limit`), and some services
limit the bytes of a reply. As long as values are small, their sizes are not asked for.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pawsctl.connection.replies import TooLarge, betrays_cluster, has_code

# The initial limit of bytes of values in a reply: services that limit it allow 1 MiB.
_MOST = 768 * 1024
# A server that hangs up at fewer bytes than this does so for another reason.
_LEAST = 64 * 1024
# Values of unknown size that are left out at most; after that, the server is taken to hang up at
# any value.
_MOST_UNKNOWN = 10

Key = bytes


class Portions:
    """Decides how many values to ask for at once, from their sizes and the limit found so far."""

    def __init__(self) -> None:
        self._most = _MOST
        # Mean bytes of the values in the last reply; None before the first.
        self._mean: float | None = None
        # Set when the server has hung up: from then on, sizes are always asked for.
        self._careful = False
        self._sizes: dict[Key, int] = {}
        # The size assumed for a value whose size may not be asked for.
        self._guess = 0
        self._refused: dict[Key, int | None] = {}
        self._under_way: Sequence[Key] = ()

    def may_be_large(self, count: int) -> bool:
        """Return whether `count` values may be too large for one reply."""
        is_unsure = self._mean is None or self._mean * count > self._most
        return self._careful or (count > 1 and is_unsure)

    def begin(self, names: Sequence[Key]) -> None:
        """Record the keys whose values are about to be asked for."""
        self._under_way = names

    def came(self, values: Any) -> bool:
        """Record the values that were received; return False if they were refused as too large.

        Some services refuse with an error reply and don't hang up.
        """
        told = values if isinstance(values, list) else [values]
        try:
            # As nearly all replies, where every key has a value.
            size, count = sum(map(len, told)), len(told)
        except TypeError:
            if any(has_code(each, "ERR") and not betrays_cluster(each) for each in told):
                return not self.learnt()
            present = [each for each in told if type(each) is bytes]
            size, count = sum(map(len, present)), len(present)
        self._under_way = ()
        if count:
            self._mean = size / count
        return True

    def learnt(self) -> bool:
        """Record that the server refused the values under way; return whether to try again.

        The next try asks for fewer at a time, or leaves out a value.
        """
        names, self._under_way = self._under_way, ()
        was_careful, self._careful = self._careful, True
        if not names:
            return False
        size = sum(self._sizes.get(name, 0) for name in names)
        is_known = all(name in self._sizes for name in names)
        if not is_known and not was_careful:
            return True
        if is_known and size < _LEAST:
            return False
        if len(names) == 1:
            if not is_known and list(self._refused.values()).count(None) >= _MOST_UNKNOWN:
                return False
            self._refused[names[0]] = self._sizes.get(names[0])
        elif is_known:
            self._most = max(min(self._most, size) // 2, _LEAST)
        else:
            # Both change, so that each try asks for less than the last, whichever keys are large.
            self._most = max(self._most // 2, _LEAST)
            self._guess = min(max(self._most // (len(names) // 2), 2 * self._guess), self._most)
        return True

    def refused(self, name: Key) -> TooLarge | None:
        """Return the TooLarge that stands for a value left out; None if it is not left out."""
        return TooLarge(self._refused[name]) if name in self._refused else None

    def groups(self, names: Sequence[Key], sizes: Sequence[Any]) -> Iterator[list[Key]]:
        """Yield the names in portions; `sizes` are the replies to STRLEN of each."""
        self._sizes = {
            # A key of another type has no size, and its value is not sent.
            name: told if isinstance(told, int) else 0
            for name, told in zip(names, sizes, strict=True)
            if isinstance(told, int) or has_code(told, "WRONGTYPE")
        }
        group: list[Key] = []
        total = 0
        for name in names:
            size = self._sizes.get(name, self._guess)
            if group and (total + size > self._most or name in self._refused):
                yield group
                group, total = [], 0
            group.append(name)
            total += size
            if name in self._refused:
                yield group
                group, total = [], 0
        if group:
            yield group
