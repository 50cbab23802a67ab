"""A topology as its engine reports it: which servers run, and from which REDIS_PORT on.

Only servers that run there are asked: on the port of another one, anybody may answer.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from pawsctl.errors import OperationFailed, TimedOut
from pawsctl.stack.engine.protocol import Engine, ServiceStatus
from pawsctl.stack.project import project
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology import form
from pawsctl.stack.topology.view import TopologyView


def of(here: Project, services: Sequence[ServiceStatus]) -> Project:
    """Return the project with the REDIS_PORT that its servers were made with, if they share one.

    If some run, theirs counts.
    """
    running = [each for each in services if each.state == "running"]
    bases = _bases(here, running or services)
    if len(bases) != 1 or bases == {here.settings.redis_port}:
        return here
    return project.load(replace(here.settings, redis_port=bases.pop()), here.topology)


def view(here: Project, services: Sequence[ServiceStatus]) -> TopologyView:
    """Return the state of a topology, with what its engine reports among the problems."""
    running = of(here, services)
    silent = _silent(running, services)
    asked = [each.key for each in here.servers if each.key not in silent]
    found = form.view(running, asked)
    problems = [*_summed_up(silent, asked), *found.problems]
    base, wanted = running.settings.redis_port, here.settings.redis_port
    if base != wanted:
        moved = f"it was made with REDIS_PORT={base}, and the setting is now {wanted}"
        problems.insert(0, f"{moved}: set it back to {base}")
    return replace(found, problems=tuple(problems))


def check_ports(here: Project, services: Sequence[ServiceStatus]) -> None:
    """Raise OperationFailed if servers were made with other ports, which their data names."""
    if here.topology == "single":
        return
    others = _bases(here, services) - {here.settings.redis_port}
    if others:
        base = min(others)
        raise OperationFailed(
            f"The {here.topology} topology was made with REDIS_PORT={base}, and its data names "
            f"these ports: it can't move to those of {here.settings.redis_port}. Nothing was "
            "changed.",
            hint=f"Set REDIS_PORT back to {base}, or delete the data with 'pawsctl redis down"
            f"{here.hint} --volumes'.",
        )


@contextmanager
def told_if_undone(here: Project, engine: Engine) -> Iterator[None]:
    """Add to a failure of `up` on a topology that all is as it was before, if it is."""
    before = _states(engine)
    try:
        yield
    except (OperationFailed, TimedOut) as error:
        if here.topology == "single" or _states(engine) != before:
            raise
        runs = any(state == "running" for _, state, _ in before)
        undone = "All servers are as they were before." if runs else "Nothing of it runs now."
        raise error.with_context(after=undone) from error


def _states(engine: Engine) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(each.service, each.state, each.ports) for each in engine.status()}


def _bases(here: Project, services: Iterable[ServiceStatus]) -> set[int]:
    """Return each REDIS_PORT from which the ports of some existing server follow."""
    known = {each.key: each.ports[0].published for each in here.servers}
    return {
        here.settings.redis_port + each.port - known[each.service]
        for each in services
        if each.port and each.service in known
    }


def _silent(here: Project, services: Iterable[ServiceStatus]) -> dict[str, str]:
    """Return why each server that is not to be asked gives no answer."""
    reports = {each.service: each for each in services}
    silent = {}
    for each in here.servers:
        report, port = reports.get(each.key), each.ports[0].published
        if report is None or report.state == "absent":
            silent[each.key] = "it is not created"
        elif report.state in ("created", "exited"):
            silent[each.key] = "it does not run"
        elif report.state != "running":
            silent[each.key] = f"it is {report.state}"
        elif report.port not in (None, port):
            silent[each.key] = f"it runs on port {report.port}, which should be {port}"
    return silent


def _summed_up(silent: dict[str, str], asked: Sequence[str]) -> list[str]:
    """Return a problem per server, or a single one if none is there for the same reason."""
    if not asked and len(set(silent.values())) == 1:
        return [next(iter(silent.values()))]
    return [f"{name} does not answer: {reason}" for name, reason in silent.items()]
