"""The keys that a pass has seen, in little memory. Pure."""

from array import array
from collections.abc import Collection, Iterable, Sequence

# A set is twice as quick as a table, and takes 20 MB for this many keys; for a million it would
# take 65.
_MOST_IN_SET = 300_000

# In a table: an index that was never used, one whose hash was removed, and what stands for the hash
# 0. `hash` never returns -1.
_FREE, _FORGOTTEN, _ZERO = 0, -1, 1
_LEAST = 1_000


class SeenKeys:
    """The keys seen in a pass: SCAN may return a key twice, and two nodes may return the same.

    Keys are remembered by their hash (8 bytes of entropy, salted in each process): in a set at
    first, and in a table if they are more than `most_in_set`. `once` is false if seeing a key twice
    does no harm.
    """

    def __init__(self, *, once: bool = True, most_in_set: int = _MOST_IN_SET) -> None:
        self._once = once
        self._most_in_set = most_in_set
        self._hashes: set[int] | HashTable = set()

    def fresh(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that were not seen before, and remember them."""
        found = list(keys)
        if not self._once:
            return found
        if isinstance(self._hashes, HashTable):
            return self._hashes.added(found)
        before, hashes = len(self._hashes), list(map(hash, found))
        if self._hashes.isdisjoint(hashes):
            self._hashes.update(hashes)
            if len(self._hashes) < before + len(found):
                # Some are twice among these.
                found = list(dict(zip(hashes, found, strict=True)).values())
        else:
            first = dict(zip(hashes, found, strict=True))
            found = [key for number, key in first.items() if number not in self._hashes]
            self._hashes.update(hashes)
        if len(self._hashes) > self._most_in_set:
            self._hashes = HashTable(self._hashes)
        return found

    def forget(self, keys: Iterable[bytes]) -> None:
        """Forget keys that were remembered but not yielded."""
        self._hashes.difference_update(map(hash, keys))


class HashTable:
    """Hashes of keys in an array of twice to four times their number: 17 MB for a million.

    A hash is at the index that its last bits tell, or else at the next that was free.
    """

    def __init__(self, hashes: Collection[int]) -> None:
        self._fill(hashes, len(hashes))

    def _fill(self, hashes: Iterable[int], count: int) -> None:
        """Begin anew with these hashes, `count` at most, in a table that has room for more."""
        size = 1 << max(2 * count, _LEAST).bit_length()
        self._left = size // 2 - count
        self._table = table = array("q", bytes(8)) * size
        for number in hashes:
            if number != _FORGOTTEN:
                table[self._index_of(number or _ZERO)] = number or _ZERO

    def _index_of(self, number: int) -> int:
        """Return the index of a hash, or the one at which it is to be put."""
        table, last = self._table, len(self._table) - 1
        index = number & last
        while (held := table[index]) != _FREE and held != number:
            index = (index + 1) & last
        return index

    def added(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return the keys whose hashes were not in the table, and add these."""
        while len(keys) > self._left:
            self._fill(filter(None, self._table), len(self._table) // 2)
        table, last = self._table, len(self._table) - 1
        found = []
        for key in keys:
            # As `_index_of`; a call for each of a million would take longer.
            number = hash(key) or _ZERO
            index = number & last
            while (held := table[index]) != _FREE and held != number:
                index = (index + 1) & last
            if held == _FREE:
                table[index] = number
                found.append(key)
        self._left -= len(found)
        return found

    def difference_update(self, hashes: Iterable[int]) -> None:
        """Remove those of the hashes that are in the table."""
        for number in hashes:
            index = self._index_of(number or _ZERO)
            if self._table[index] != _FREE:
                # Not free: hashes that were put after it would not be found any more.
                self._table[index] = _FORGOTTEN
