"""The clock of what expires goes on while the machine sleeps."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from pawsctl import clock
from tests.needs import skip_or_fail

SLEPT = 5_000


def test_it_goes_on() -> None:
    """At the pace of every other clock, if the machine is awake."""
    also, begun = time.monotonic(), clock.now()
    time.sleep(0.05)
    assert 0.049 <= clock.now() - begun <= time.monotonic() - also


def _ahead_of_monotonic(*wrapper: str) -> float:
    """Return by how many seconds the clock is ahead of `time.monotonic` in another process."""
    told = "import time; from pawsctl import clock; print(clock.now() - time.monotonic())"
    return float(subprocess.check_output([*wrapper, sys.executable, "-c", told]))


def test_it_counts_the_time_in_which_the_machine_slept() -> None:
    """Which is what Linux's time since the start has more than its monotonic clock."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        skip_or_fail("a namespace of time needs root, on Linux")
    slept = _ahead_of_monotonic("unshare", "--time", "--boottime", str(SLEPT), "--fork")
    assert slept - _ahead_of_monotonic() == pytest.approx(SLEPT, abs=10)
