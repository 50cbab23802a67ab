"""Percentiles in bounded memory."""

import math

from hypothesis import given
from hypothesis import strategies as st

from pawsctl.sessions.stats import percentiles
from pawsctl.sessions.stats.percentiles import ACCURACY, Sketch, Spread

SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def spread(numbers: list[int]) -> Spread:
    """Return the percentiles of those numbers."""
    sketch = Sketch()
    middle = len(numbers) // 2
    sketch.add(numbers[:middle])
    sketch.add(numbers[middle:])
    found = sketch.spread()
    assert found is not None
    return found


@given(st.lists(st.integers(0, 2**63), min_size=1))
def test_a_percentile_is_as_near_as_promised(numbers: list[int]) -> None:
    """Within 1% of the number at that place of a sorted list; the extremes are exact."""
    found, in_order = spread(numbers), sorted(numbers)
    assert (found.min, found.max) == (in_order[0], in_order[-1])
    for name, share in SHARES.items():
        true = in_order[max(1, math.ceil(share * len(numbers))) - 1]
        # Half a unit more, since the result is rounded to a whole number.
        assert abs(getattr(found, name) - true) <= true * ACCURACY + 0.5


def test_many_different_numbers_are_counted_in_bounded_memory() -> None:
    """Those that wait for their buckets are put there when they become many."""
    numbers = list(range(1, 50_000, 2))
    sketch = Sketch()
    for begin in range(0, len(numbers), 100):
        sketch.add(numbers[begin : begin + 100])
        assert len(sketch._fresh) <= percentiles._MOST_FRESH + 100
    assert sketch.spread() == spread(numbers)


@given(st.lists(st.integers(0, 49), min_size=1))
def test_small_numbers_are_exact(numbers: list[int]) -> None:
    """For example, the number of messages in a session."""
    found, in_order = spread(numbers), sorted(numbers)
    for name, share in SHARES.items():
        assert getattr(found, name) == in_order[max(1, math.ceil(share * len(numbers))) - 1]


def test_nothing_has_no_spread() -> None:
    """It causes no division by zero."""
    assert Sketch().spread() is None
