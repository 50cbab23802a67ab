"""Run all checks in order: this project's stack, the way to Redis, Redis itself, its sessions.

Each level depends on those before it, so the examination ends at the first failure; the bot is
checked in any case. If the Redis in use is on another machine, or answers all the same, a fault of
this project's own stack is reported but does not end the examination.
"""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from pawsctl.config.settings import Settings
from pawsctl.connection import Connection
from pawsctl.errors import LoginRefused, PawsctlError
from pawsctl.server import health
from pawsctl.sessions.query import replica
from pawsctl.sessions.stats import overview
from pawsctl.sessions.store.reader import SessionReader
from pawsctl.workflows.doctor import (
    bot_health,
    check_network,
    check_servers,
    check_settings,
    check_stack,
    next_steps,
)
from pawsctl.workflows.doctor.finding import Diagnosis, Finding, State, failed, unless_refused

_READ = " may be read"


def examine(
    load: Callable[[], Settings],
    open_reader: Callable[[], SessionReader],
    *,
    done: Callable[[Finding], None],
    patience: float = check_network.PATIENCE,
) -> Diagnosis:
    """Run all checks and return the diagnosis; `done` is called with each finding.

    `load` resolves the settings, and `open_reader` returns a reader of the sessions that the
    session commands use, not yet connected. Their errors become findings. `patience` is the seconds
    for each connection.
    """
    findings = []
    for finding in _told_once(_findings(load, open_reader, patience)):
        findings.append(finding)
        done(finding)
    return Diagnosis(all(each.state != "failed" for each in findings), findings)


def _told_once(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings; one that is skipped as an earlier one was names that in place of the reason.

    A proxy that does not know INFO knows neither TIME nor SCAN.
    """
    reasons: dict[tuple[str, str], str] = {}
    for each in findings:
        first = each.name
        if each.state == "skipped" and each.hint:
            first = reasons.setdefault((each.detail, each.hint), each.name)
        if first == each.name:
            yield each
        else:
            yield replace(each, detail=f"for the same reason as {first}", hint="")


def _findings(
    load: Callable[[], Settings], open_reader: Callable[[], SessionReader], patience: float
) -> Iterator[Finding]:
    try:
        settings, reader = load(), open_reader()
    except PawsctlError as error:
        yield failed("settings", error)
        return
    with reader:
        yield from _floors(settings, reader, patience)
    yield bot_health.examine(settings["APP_URL"])


def _floors(settings: Settings, reader: SessionReader, patience: float) -> Iterator[Finding]:
    connection = reader.connection
    target = connection.target
    fault = check_network.fault(target, patience)
    for finding in check_stack.examine(settings, target, answers=not fault):
        if not target.is_local and finding.state == "failed":
            # A Redis on another machine does not depend on this stack.
            yield replace(finding, state="warning")
            continue
        yield finding
        # If Redis answers all the same, the failure does not affect it.
        if finding.state == "failed" and fault:
            detail = f"{target.url}: {fault}; it was not looked at, nor were its sessions"
            yield Finding("redis", "skipped", detail)
            return
    for finding in _way(settings, connection, patience):
        yield finding
        if finding.state == "failed":
            yield Finding("the rest", "skipped", "Redis and its sessions were not looked at")
            return
    found = []
    for finding in _redis(reader):
        found.append(finding)
        yield finding
    if _is_readable(found):
        yield _sessions(reader)
    else:
        yield Finding("the rest", "skipped", "the sessions were not looked at")


def _is_readable(found: list[Finding]) -> bool:
    """Return whether all sessions can be read; a server that refuses writes and PING can be."""
    may_be_read = {
        each.name.removesuffix(_READ)
        for each in found
        if each.name.endswith(_READ) and each.state == "ok"
    }
    broken = [each.name for each in found if each.state == "failed"]
    allowed = {f"{node}{end}" for node in may_be_read for end in (" answers", " takes writes")}
    # What the Sentinels can't do concerns no reading.
    allowed.add(health.NAMES["failover"])
    return bool(may_be_read) and allowed.issuperset(broken)


def _way(settings: Settings, connection: Connection, patience: float) -> Iterator[Finding]:
    target = connection.target
    yield from check_settings.examine(settings, target)
    for finding in check_network.examine(target, patience):
        yield finding
        if finding.state == "failed":
            return
    try:
        connection.connect()
    except LoginRefused as error:
        yield failed("login", error)
    except PawsctlError as error:
        yield failed("redis", error)
    else:
        user = f" as {target.username}" if target.username else ""
        yield Finding("login", "ok", f"accepted{user}")


def _redis(reader: SessionReader) -> Iterator[Finding]:
    try:
        checks = health.check(reader.connection, reader.keyspace).checks
    except PawsctlError as error:
        yield failed("redis", error)
        return
    for each in checks:
        state: State = "skipped" if each.skipped else "ok" if each.ok else "failed"
        hint = next_steps.for_failed(each.detail) if state == "failed" else ""
        yield Finding(each.name, state, each.detail, hint)
    yield from check_servers.examine(reader.connection)


def _sessions(reader: SessionReader) -> Finding:
    try:
        found = overview.gather(reader)
    except PawsctlError as error:
        return unless_refused("sessions", error)
    detail, hint = f"{found.sessions} stored, all of them sound", ""
    if found.problems:
        detail = f"{found.problems} of {found.sessions} have a problem"
        hint = "See 'pawsctl session lint'."
    if shortfall := replica.shortfall(reader.connection):
        detail = f"{detail}, and {shortfall.rstrip('.')}"
        hint = hint or "Use the primary's address, or redis+sentinel://."
    return Finding("sessions", "warning" if hint else "ok", detail, hint)
