"""The first line of the benchmark's report, and its ratios."""

from benchmarks.measure import Pair, Run, processor
from benchmarks.report import Report


def pair(*ratios: float) -> Pair:
    """Return two commands whose processor times have these ratios."""
    one = Run(1, 1, 0)
    return Pair([Run(each, each, 0) for each in ratios], [one] * len(ratios), processor)


def test_the_verdict_names_each_bar_that_does_not_hold() -> None:
    """A figure without a bar neither holds nor fails."""
    report = Report()
    assert report.verdict == "No bar was measured."
    report.compare("a list", pair(1, 2, 3), "a script", 2)
    report.compare("a table", pair(9), "a script", None)
    assert (report.holds, report.verdict) == (True, "All 1 bars hold.")
    report.compare("an export", pair(1, 2.5, 3), "a script", 2)
    assert not report.holds
    assert report.verdict == ("**1 of 2 bars do not hold:** an export: 2.50 (1.00 to 3.00) (≤ 2).")


def test_as_fast_is_the_ratio_turned_round() -> None:
    """The spread goes from the slowest pair to the quickest."""
    report = Report()
    report.compare("a load", pair(0.1, 0.2, 0.25), "another", 5, wanted="as fast")
    (row,) = report.rows
    assert (row.ratio, row.bar, row.holds) == ("5.0x as fast (4.0 to 10.0)", "≥ 5x", True)
