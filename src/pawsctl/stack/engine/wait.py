"""Wait until a service answers."""

import time
from collections.abc import Callable

from pawsctl.errors import OperationFailed, TimedOut
from pawsctl.stack.engine.protocol import Plan

# Seconds. A server is up within some ten milliseconds; if it is not, it is asked less often.
_FIRST_PAUSE = 0.003
_LONGEST_PAUSE = 0.1
_LOOK_EVERY = 0.25
# Texts in a service's log → hint on why it does not start, or can't reach another service.
_SAID = {
    ("ENOTFOUND", "EAI_AGAIN"): "Containers of this engine do not find each other by name: Podman "
    "needs aardvark-dns (or the dnsname plugin) for that, Docker a restart.",
    ("ETIMEDOUT", "EHOSTUNREACH"): "A firewall keeps this engine's containers from each other: "
    "restart Docker, which makes its rules anew.",
    ("exec format error",): "The image is made for another processor: choose another with "
    "REDIS_IMAGE or REDIS_COMMANDER_IMAGE.",
    ("No space left on device",): "Make room on the disk that has its data.",
}
_OTHER_LOGIN = (
    "What answers asks for another password. Where a client has set it since, 'pawsctl redis "
    "restart' ends that; else unset the one in the image's own configuration, or look whether "
    "another server has this port."
)
# Error prefixes that do not go away by waiting → hint.
_FINAL = {
    "DENIED": "The image turns protected mode on, in which Redis answers nobody outside its "
    "container: turn it off there (protected-mode no), or choose another with REDIS_IMAGE. "
    "Where it was turned on since, 'pawsctl redis restart' turns it off.",
    "MISCONF": "Its log says why. If its disk is full, make room there: Redis then goes on by "
    "itself.",
    "NOAUTH": _OTHER_LOGIN,
    "WRONGPASS": _OTHER_LOGIN,
    "NOPERM": "PING is forbidden. Where a client has forbidden it since, 'pawsctl redis restart' "
    "ends that; else allow it in the image's own configuration, or choose another image with "
    "REDIS_IMAGE.",
}


def until_ready(
    service: str,
    plan: Plan,
    *,
    deadline: float,
    died: Callable[[], str],
    log_tail: Callable[[], tuple[str, ...]],
) -> None:
    """Wait until the service's probe succeeds.

    `died` returns an empty string while the service runs, else how it ended. Raises OperationFailed
    if it ended, and TimedOut at `deadline` (time.monotonic); both carry the tail of its log.
    """
    probe = plan.probes[service]
    pause = _FIRST_PAUSE
    next_look = time.monotonic() + _LOOK_EVERY
    while state := probe():
        if final := refusal(service, state):
            raise OperationFailed(final.message, hint=final.hint, detail=log_tail())
        now = time.monotonic()
        if now > next_look:
            next_look = now + _LOOK_EVERY
            if ended := died():
                log = log_tail()
                raise OperationFailed(
                    f"{service} did not start: {ended}.",
                    hint=_hint(log) or "Its log says why.",
                    detail=log,
                )
        if now > deadline:
            log = log_tail()
            raise TimedOut(
                f"{service} did not answer within {plan.timeout:g} s; the last state was: {state}.",
                hint=_hint(log) or "See its log, or give it more time with --timeout.",
                detail=log,
            )
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    if ended := died():
        raise OperationFailed(
            f"{service} did not start: {ended}. What answers on its port is another server.",
            hint="Stop that, or choose another port with REDIS_PORT.",
            detail=log_tail(),
        )


def _hint(log: tuple[str, ...]) -> str:
    """Return the hint for an error in the log; empty if none is known."""
    said = "\n".join(log)
    return next((hint for words, hint in _SAID.items() if any(w in said for w in words)), "")


def refusal(service: str, state: str) -> OperationFailed | None:
    """Return the error for an answer of `probe.ping` that waiting does not change, or None."""
    words = state.split(maxsplit=1)
    if not words or words[0] not in _FINAL:
        return None
    return OperationFailed(
        f"{service} runs and refuses: {state.partition('. ')[0].rstrip('.')}.",
        hint=_FINAL[words[0]],
    )
