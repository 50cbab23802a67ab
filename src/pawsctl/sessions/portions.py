"""Values asked for in portions that a reply can hold, by their sizes. Pure.

A server drops a client whose replies pile up (`client-output-buffer-limit`), and some services
answer so many bytes at most. As long as values are small, nobody is asked for their sizes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pawsctl.connection import TooLarge, betrays_cluster, has_code

# Bytes of values in a reply, at first: services that limit it allow 1 MiB.
_MOST = 768 * 1024
# Who hangs up at fewer bytes than this does so for another reason.
_LEAST = 64 * 1024

Key = bytes


class Portions:
    """How many values go into a reply: what is known of their sizes, and of what is allowed."""

    def __init__(self) -> None:
        self._most = _MOST
        # Bytes of a value, in the mean of the last ones; nothing is known at first.
        self._mean: float | None = None
        # Since somebody hung up, sizes are always asked for.
        self._careful = False
        self._refused: dict[Key, int | None] = {}
        self._under_way: tuple[Sequence[Key], int | None] | None = None

    def may_be_large(self, count: int) -> bool:
        """Return whether so many values may be too large for one reply."""
        is_unsure = self._mean is None or self._mean * count > self._most
        return self._careful or (count > 1 and is_unsure)

    def begin(self, names: Sequence[Key], size: int | None) -> None:
        """Take note of values that are asked for; of `size` bytes, where that is known."""
        self._under_way = (names, size)

    def came(self, values: Any) -> bool:
        """Take note of the values that have come; False if they were refused as too many.

        Some services say so, and don't hang up.
        """
        told = values if isinstance(values, list) else [values]
        if any(has_code(each, "ERR") and not betrays_cluster(each) for each in told):
            return not self.learnt()
        self._under_way = None
        sizes = [len(each) for each in told if isinstance(each, bytes)]
        if sizes:
            self._mean = sum(sizes) / len(sizes)
        return True

    def learnt(self) -> bool:
        """Return whether another try may go better, when somebody hung up at what was under way."""
        if self._under_way is None:
            return False
        (names, size), self._under_way = self._under_way, None
        was_careful, self._careful = self._careful, True
        if size is None:
            return not was_careful
        if size < _LEAST:
            return False
        if len(names) == 1:
            self.refuse(names[0], size)
        else:
            self._most = max(min(self._most, size) // 2, _LEAST)
        return True

    def refuse(self, name: Key, size: int | None) -> None:
        """Never again ask for this value."""
        self._refused[name] = size

    def refused(self, name: Key) -> TooLarge | None:
        """Return what stands for a value that can't be had."""
        return TooLarge(self._refused[name]) if name in self._refused else None

    def groups(
        self, names: Sequence[Key], sizes: Sequence[Any]
    ) -> Iterator[tuple[Sequence[Key], int]]:
        """Yield the names in portions, each with how many bytes its values have together."""
        group: list[Key] = []
        total = 0
        for name, told in zip(names, sizes, strict=True):
            # What is no string has no size, and is none of them.
            size = told if isinstance(told, int) else 0
            if group and (total + size > self._most or name in self._refused):
                yield group, total
                group, total = [], 0
            group.append(name)
            total += size
            if name in self._refused:
                yield group, total
                group, total = [], 0
        if group:
            yield group, total
