"""The run of the bot's session flow, step by step, and its report."""

import time
from collections.abc import Callable, Iterator, Sequence

import msgspec

from pawsctl.errors import Interrupted, PawsctlError, RedisUnreachable
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.smoke.bot import BotSessions
from pawsctl.sessions.smoke.flow import Flow, StepFailed
from pawsctl.sessions.smoke.steps import steps_of
from pawsctl.sessions.store.store import SessionStore


class StepResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of a step. `detail` says what was seen, or what was expected and not seen.

    A step that did not run, since one before it failed, is `skipped`, and not ok.
    """

    name: str
    ok: bool
    seconds: float
    detail: str
    skipped: bool = False


class FlowReport(msgspec.Struct, frozen=True):
    """The result of the flow against `target`, a URL without its password."""

    ok: bool
    target: str
    steps: list[StepResult]


def run(
    store: SessionStore,
    *,
    max_latency: float | None,
    done: Callable[[StepResult], None],
    left: list[bytes],
) -> FlowReport:
    """Run all steps, calling `done` with each result; delete all keys written in any case.

    `max_latency` is in seconds: a step fails if a single round trip took longer. After a failed
    step the rest is not run, since each builds on the one before. `left` has the keys that earlier
    runs could not delete: they are deleted first, and what this run can't delete is added. Raises
    RedisUnreachable.
    """
    flow = Flow(BotSessions(store.connection, keyspace=store.keyspace), left)
    results = []
    store.connection.connect()
    flow.delete_left()
    store.connection.ledger.begin()
    try:
        for result in _results(flow, max_latency):
            results.append(result)
            done(result)
        # Inside, so that one that is interrupted is done again.
        uncleaned = flow.clean_up()
    except PawsctlError as error:
        if uncleaned := flow.clean_up():
            raise error.with_context(
                after=uncleaned.message, hint=uncleaned.hint, counts=uncleaned.counts
            ) from error
        raise
    except KeyboardInterrupt as error:
        if uncleaned := flow.clean_up():
            raise Interrupted(
                f"Interrupted. {uncleaned.message}", hint=uncleaned.hint, counts=uncleaned.counts
            ) from error
        raise
    if uncleaned:
        raise uncleaned
    return FlowReport(all(result.ok for result in results), store.connection.target.url, results)


def cut_short(
    finished: Sequence[StepResult], error: PawsctlError, keyspace: Keyspace
) -> list[StepResult]:
    """Return the results of a flow that `error` ended after the `finished` steps.

    The next step has failed, and the rest is skipped. If all had finished, the clean-up has failed.
    """
    names = [name for name, _ in steps_of(keyspace)][len(finished) :] or [
        "delete the test sessions"
    ]
    failed = StepResult(names[0], ok=False, seconds=0.0, detail=error.message)
    return [*finished, failed, *(_skipped(name, names[0]) for name in names[1:])]


def _results(flow: Flow, max_latency: float | None) -> Iterator[StepResult]:
    failed = ""
    for name, step in steps_of(flow.store.keyspace):
        if failed:
            yield _skipped(name, failed)
            continue
        result = _run_step(flow, name, step, max_latency)
        if not result.ok:
            failed = name
        yield result


def _skipped(name: str, failed: str) -> StepResult:
    detail = f"not run, since '{failed}' failed"
    return StepResult(name, ok=False, seconds=0.0, detail=detail, skipped=True)


def _run_step(
    flow: Flow, name: str, step: Callable[[Flow], str], max_latency: float | None
) -> StepResult:
    connection = flow.store.connection
    connection.slowest = 0.0
    begun = time.perf_counter()
    try:
        detail, ok = step(flow), True
        if max_latency is not None and connection.slowest > max_latency:
            slowest, limit = connection.slowest * 1000, max_latency * 1000
            detail, ok = f"an operation took {slowest:.1f} ms, more than {limit:g} ms", False
    except StepFailed as error:
        detail, ok = str(error), False
    except RedisUnreachable:
        raise
    except PawsctlError as error:
        detail, ok = error.message, False
    except (KeyError, IndexError, TypeError) as error:
        detail, ok = f"the session loaded has another shape ({error!r})", False
    return StepResult(name, ok=ok, seconds=time.perf_counter() - begun, detail=detail)
