"""Waiting until a service answers."""

import time
from collections.abc import Callable

from pawsctl.errors import OperationFailed, TimedOut
from pawsctl.stack.engine import Plan

# Seconds. A server is up within some ten milliseconds; where it is not, asking less often is kind.
_FIRST_PAUSE = 0.003
_LONGEST_PAUSE = 0.1
_LOOK_EVERY = 0.25


def until_ready(
    service: str,
    plan: Plan,
    *,
    deadline: float,
    died: Callable[[], str],
    log_tail: Callable[[], tuple[str, ...]],
) -> None:
    """Return as soon as the service's probe is content.

    `died` gives an empty string while the service runs, else how it ended. Raises OperationFailed
    where it ended, and TimedOut at `deadline` (time.monotonic); both carry the tail of its log.
    """
    probe = plan.probes[service]
    pause = _FIRST_PAUSE
    next_look = time.monotonic() + _LOOK_EVERY
    while state := probe():
        now = time.monotonic()
        if now > next_look:
            next_look = now + _LOOK_EVERY
            if ended := died():
                raise OperationFailed(
                    f"{service} did not start: {ended}.",
                    hint="Its log says why.",
                    detail=log_tail(),
                )
        if now > deadline:
            raise TimedOut(
                f"{service} did not answer within {plan.timeout:g} s; the last state was: {state}.",
                hint="See its log, or give it more time with --timeout.",
                detail=log_tail(),
            )
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    if ended := died():
        raise OperationFailed(
            f"{service} did not start: {ended}. What answers on its port is another server.",
            hint="Stop that, or choose another port with REDIS_PORT.",
            detail=log_tail(),
        )
