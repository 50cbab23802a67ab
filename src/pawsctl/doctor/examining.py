"""The examination: settings, Redis, this project's own stack, memory, clocks, sessions, the bot.

Each part is looked at even where another is broken, as far as that is possible, and told as soon as
it is known: some of it takes seconds.
"""

import time
from collections.abc import Callable, Iterator

from pawsctl import health, memory
from pawsctl.connection import Connection, Node
from pawsctl.doctor import bot
from pawsctl.doctor.findings import Diagnosis, Finding
from pawsctl.errors import NoEngine, OperationFailed, PawsctlError
from pawsctl.redis_url import parse
from pawsctl.sessions import overview
from pawsctl.sessions.reader import SessionReader
from pawsctl.settings import Settings, StackSettings
from pawsctl.stack import cautions, inspection
from pawsctl.stack.engine import EngineChosen, Event
from pawsctl.stack.results import StackStatus
from pawsctl.target import Target, is_published

# Seconds; beyond that, lint takes an honest `updatedAt` for one in the future.
_MOST_SKEW = 60


def examine(
    load: Callable[[], Settings],
    connect: Callable[[], Connection],
    *,
    done: Callable[[Finding], None],
) -> Diagnosis:
    """Look at everything, telling `done` of each finding.

    `load` resolves the settings, and `connect` gives a connection to the Redis that the session
    commands talk to, not yet made. What they raise is a finding.
    """
    findings = []
    for finding in _findings(load, connect):
        findings.append(finding)
        done(finding)
    return Diagnosis(all(each.state != "failed" for each in findings), findings)


def _findings(load: Callable[[], Settings], connect: Callable[[], Connection]) -> Iterator[Finding]:
    try:
        settings, connection = load(), connect()
    except PawsctlError as error:
        yield _failed("settings", error)
        return
    target = connection.target
    yield Finding("settings", "ok", f"{target.url} (from {target.origin})")
    for address in cautions.two_servers(target):
        yield Finding("localhost", "warning", cautions.told(address), cautions.HINT)
    with connection:
        try:
            checks = health.check(connection).checks
        except PawsctlError as error:
            yield _failed("redis", error)
            yield from _stack(settings, target, answers=False)
        else:
            for each in checks:
                yield Finding(each.name, "ok" if each.ok else "failed", each.detail)
            yield from _stack(settings, target, answers=True)
            yield from _memory(connection)
            yield from _clocks(connection)
            yield _sessions(connection)
    yield bot.examine(settings["APP_URL"])


def _failed(name: str, error: PawsctlError) -> Finding:
    return Finding(name, "failed", error.message, error.hint)


def _unless_refused(name: str, error: PawsctlError) -> Finding:
    """A failure, but where this user may not ask: then nothing is known."""
    if isinstance(error, OperationFailed):
        return Finding(name, "skipped", error.message, error.hint)
    return _failed(name, error)


def _stack(settings: Settings, target: Target, *, answers: bool) -> Iterator[Finding]:
    """This project's own Redis, which has to run only where it is the one that is used."""
    reasons = []

    def note(event: Event) -> None:
        if isinstance(event, EngineChosen):
            reasons.append(event.reason.rstrip("."))

    try:
        own = settings.stack()
        found = inspection.status(own, emit=note)
    except NoEngine as error:
        yield Finding("stack", "skipped" if answers else "failed", error.message, error.hint)
        return
    except PawsctlError as error:
        yield _failed("stack", error)
        return
    engine = f"{found.engine} ({', '.join(reasons)})"
    if found.is_running:
        yield _running(found, engine, target)
        yield _password(own)
    elif not _leads_to(target, own.redis_port):
        yield Finding("stack", "skipped", f"{engine}: does not run, and is not what is used")
    elif answers:
        yield Finding("stack", "skipped", f"{engine}: does not run; another Redis has its port")
    else:
        yield Finding("stack", "failed", f"{engine}: {found.problem}")


def _password(own: StackSettings) -> Finding:
    """Whether others of this machine may use this project's own Redis."""
    if open_to := cautions.unprotected(own):
        return Finding("password", "warning", open_to, cautions.UNPROTECTED_HINT)
    return Finding("password", "ok", "no other user of this machine gets in without one")


def _leads_to(target: Target, port: int) -> bool:
    """Whether the session commands talk to the one server at a port of this machine."""
    ports = [address.port for address in target.addresses]
    hosts = [address.host for address in target.addresses]
    is_here = target.path is None and all(map(is_published, hosts))
    return is_here and target.kind == "standalone" and ports == [port]


def _running(found: StackStatus, engine: str, target: Target) -> Finding:
    states = ", ".join(f"{each.service} {each.health or each.state}" for each in found.services)
    detail = f"{engine}: {states}"
    if any(each.health == "unhealthy" for each in found.services):
        return Finding("stack", "warning", detail, "See 'pawsctl redis logs'.")
    port = parse(found.url, origin=engine).addresses[0].port
    if not _leads_to(target, port):
        return Finding(
            "stack",
            "warning",
            f"{detail}, and the session commands use another Redis",
            f"To use this one, unset REDIS_URL or set it to {found.url}.",
        )
    return Finding("stack", "ok", detail)


def _memory(connection: Connection) -> Iterator[Finding]:
    try:
        found = memory.report(connection)
    except PawsctlError as error:
        yield _unless_refused("memory", error)
        return
    for node in found.nodes:
        name = f"{node.node} memory"
        if node.warnings:
            yield Finding(name, "warning", "; ".join(node.warnings), "See 'pawsctl redis memory'.")
        elif node.used and node.limit:
            yield Finding(name, "ok", f"{node.used / node.limit:.0%} of the limit is used")


def _clocks(connection: Connection) -> Iterator[Finding]:
    """The servers' clocks beside this machine's, which decides what is old or in the future."""
    try:
        for node in connection.primaries():
            yield _clock(node)
    except PawsctlError as error:
        yield _unless_refused("clock", error)


def _clock(node: Node) -> Finding:
    seconds, microseconds = node.call("TIME")
    skew = time.time() - int(seconds) - int(microseconds) / 1e6
    name = f"{node} clock"
    if abs(skew) <= _MOST_SKEW:
        return Finding(name, "ok", "goes with this machine's")
    return Finding(
        name,
        "warning",
        f"{abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} this machine's",
        "Set both by NTP: ages and dates in the future are told by this machine's clock.",
    )


def _sessions(connection: Connection) -> Finding:
    try:
        found = overview.gather(SessionReader(connection))
    except PawsctlError as error:
        return _failed("sessions", error)
    if found.problems:
        detail = f"{found.problems} of {found.sessions} have a problem"
        return Finding("sessions", "warning", detail, "See 'pawsctl session lint'.")
    return Finding("sessions", "ok", f"{found.sessions} stored, all of them sound")
