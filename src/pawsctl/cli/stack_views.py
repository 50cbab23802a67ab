"""What a person sees of the stack. Nothing here writes."""

from collections.abc import Callable, Iterable, Iterator

from pawsctl.cli.text import Line, Span
from pawsctl.cli.views import duration, size
from pawsctl.stack.engine import EngineName, LogLine, ServiceUp, Thing
from pawsctl.stack.results import Dev, Down, Reset, StackStatus, Stop, Up

_ENGINES = {"docker": "Docker", "embedded": "the embedded server"}
_STATES = {"running": "green", "absent": "red", "exited": "red", "restarting": "red"}
_HEALTHS = {"healthy": "green", "unhealthy": "red", "starting": "yellow"}
_PREFIX_STYLES = ("cyan", "magenta", "yellow", "green")
# All services' names fit, and the lines of one stand under those of the other.
_PREFIX_WIDTH = len("redis-commander")


def up(result: Up) -> Iterator[Line]:
    """What was done for each service, and where Redis answers."""
    yield from _services(result.services)
    yield _answers(result.engine, result.url)


def dev(result: Dev) -> Iterator[Line]:
    """The same, with Redis Commander's address and login."""
    yield from _services(result.services)
    yield _answers(result.engine, result.url)
    login = result.commander
    password = login.password or "the password in REDIS_COMMANDER_PASSWORD"
    yield [("Redis Commander: ", ""), (login.url, "cyan"), (f" ({login.user} / {password})", "")]


def down(result: Down) -> Iterator[Line]:
    """What was removed, or would be."""
    if not result.removed:
        yield [("Nothing to remove.", "")]
    yield from _removed(result.removed, "would remove" if result.dry_run else "removed")


def stop(result: Stop) -> Iterator[Line]:
    """What was stopped."""
    if not result.stopped:
        yield [("Nothing was running.", "")]
    for name in result.stopped:
        yield [("stopped ", ""), (name, "cyan")]


def reset(result: Reset) -> Iterator[Line]:
    """What was removed, and where an empty Redis answers."""
    yield from _removed(result.removed, "removed")
    yield from _services(result.services)
    if result.backup:
        yield [("the sessions are kept in ", ""), (result.backup, "cyan")]
    yield _answers(result.engine, result.url)


def status(result: StackStatus) -> Iterator[Line]:
    """Engine and URL, a line per service, memory and keys."""
    width = max(map(len, ["engine", *(each.service for each in result.services)])) + 2

    def label(text: str) -> Span:
        return f"{text:{width}}", "bold"

    yield [label("engine"), (result.engine, "")]
    yield [label("url"), (result.url, "cyan")]
    for each in result.services:
        line = [label(each.service), (each.state, _STATES.get(each.state, "yellow"))]
        if each.health:
            line += [(", ", ""), (each.health, _HEALTHS.get(each.health, ""))]
        if each.uptime is not None:
            line.append((f", up {duration(each.uptime)}", ""))
        if each.ports:
            line.append((f", {' '.join(each.ports)}", ""))
        yield line
    if result.memory:
        used, peak, most = result.memory.used, result.memory.peak, result.memory.maximum
        of = f" of {size(most)}" if most else ", no limit"
        yield [label("memory"), (f"{size(used)}{of} (peak {size(peak)})", "")]
    if result.keys:
        keys = result.keys
        yield [label("keys"), (f"{keys.total} ({keys.expiring} with a TTL)", "")]
    if result.problem:
        yield [(result.problem, "red")]


def log_line(*, timestamps: bool, prefix: bool) -> Callable[[LogLine], Line]:
    """How to show a line of a log."""
    styles: dict[str, str] = {}

    def view(line: LogLine) -> Line:
        style = styles.setdefault(line.service, _PREFIX_STYLES[len(styles) % len(_PREFIX_STYLES)])
        spans = [(f"{line.service:{_PREFIX_WIDTH}} | ", style)] if prefix else []
        if timestamps and line.time:
            spans.append((f"{line.time:%Y-%m-%dT%H:%M:%S.%fZ} ", "dim"))
        return [*spans, (line.text, "")]

    return view


def _services(services: Iterable[ServiceUp]) -> Iterator[Line]:
    for each in services:
        changed = f" (changed: {', '.join(each.changed)})" if each.changed else ""
        action = "already running" if each.action == "running" else each.action
        yield [(f"{each.service} ", "bold"), (f"{action}{changed}", "")]


def _answers(engine: EngineName, url: str) -> Line:
    return [("Redis answers at ", ""), (url, "cyan"), (f" on {_ENGINES[engine]}.", "")]


def _removed(things: Iterable[Thing], verb: str) -> Iterator[Line]:
    for each in things:
        yield [(f"{verb} {each.kind} ", ""), (each.name, "cyan")]
