"""A clock that nobody sets, and that goes on while the machine sleeps."""

import sys
import time
from functools import partial

# Python's `monotonic` stands still meanwhile on Linux and macOS, whose own clocks do not:
# https://docs.python.org/3/library/time.html#time.CLOCK_BOOTTIME, and clock_gettime(3) of macOS.
if sys.platform == "linux":
    now = partial(time.clock_gettime, time.CLOCK_BOOTTIME)
elif sys.platform == "darwin":
    now = partial(time.clock_gettime, time.CLOCK_MONOTONIC)
else:
    now = time.monotonic
