"""Repeat what may fail while a server starts, until it succeeds or its time is over."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from pawsctl.errors import OperationFailed, RedisUnreachable

Result = TypeVar("Result")

_PAUSE_SECONDS = 0.5
_NUMBERS = re.compile(r"[\d.]+")


def until_ok(
    attempt: Callable[[], Result],
    *,
    seconds: float,
    wrong_with: Callable[[Result], str],
    tell: Callable[[str], None],
) -> Result:
    """Call `attempt` until nothing is wrong, and return its last result.

    `wrong_with` says what is wrong with a result, or ''. Attempts begin for `seconds`; with 0 there
    is one. Before each further one, `tell` is called with the reason, if it differs from the one
    before in more than numbers. Raises what the last attempt raised.
    """
    ends = time.monotonic() + seconds
    told = ""
    while True:
        try:
            result = attempt()
            reason = wrong_with(result)
        except (RedisUnreachable, OperationFailed) as error:
            if time.monotonic() >= ends:
                raise
            reason = error.message
        else:
            if not reason or time.monotonic() >= ends:
                return result
        if (words := _NUMBERS.sub("", reason)) != told:
            tell(reason)
            told = words
        time.sleep(min(_PAUSE_SECONDS, max(0.0, ends - time.monotonic())))
