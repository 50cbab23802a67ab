"""Percentiles of numbers, in memory that does not grow with their count. Pure."""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

ACCURACY = 0.01
"""A percentile is at most this share away from the true one."""

_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GAMMA = math.log(_GAMMA)
# Different numbers that wait for their buckets: there are not many more ages of sessions.
_MOST_FRESH = 20_000


class Spread(msgspec.Struct, frozen=True):
    """Percentiles of numbers, and their `min`, `max` and `mean`, which are exact."""

    min: int
    p50: int
    p90: int
    p99: int
    max: int
    mean: float


class Sketch:
    """Counts whole numbers from 0 up in buckets whose bounds grow by a constant factor.

    This is DDSketch (Masson, Rim, Lee: VLDB 2019): numbers up to 2^63 need at most 2,200 buckets.
    """

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        # Numbers that are not in the buckets yet: equal ones are put there once.
        self._fresh: Counter[int] = Counter()
        self._count = self._total = self._most = 0
        self._least = math.inf

    def add(self, numbers: Sequence[int]) -> None:
        """Count numbers."""
        if not numbers:
            return
        self._count += len(numbers)
        self._total += sum(numbers)
        self._least = min(self._least, *numbers)
        self._most = max(self._most, *numbers)
        self._fresh.update(numbers)
        if len(self._fresh) > _MOST_FRESH:
            self._settle()

    def _settle(self) -> None:
        for number, times in self._fresh.items():
            self._buckets[math.ceil(math.log(number) / _LOG_GAMMA) if number else -1] += times
        self._fresh.clear()

    def spread(self) -> Spread | None:
        """Return the percentiles of the numbers counted; None if there are none."""
        if not self._count:
            return None
        self._settle()
        return Spread(
            min=int(self._least),
            p50=self._percentile(0.5),
            p90=self._percentile(0.9),
            p99=self._percentile(0.99),
            max=self._most,
            mean=round(self._total / self._count, 1),
        )

    def _percentile(self, share: float) -> int:
        """Return the least number that `share` of all do not exceed, within ACCURACY."""
        wanted = max(1, math.ceil(share * self._count))
        seen = 0
        for index in sorted(self._buckets):
            seen += self._buckets[index]
            if seen >= wanted:
                break
        middle = 0 if index < 0 else round(2 * _GAMMA**index / (_GAMMA + 1))
        return min(max(middle, int(self._least)), self._most)
