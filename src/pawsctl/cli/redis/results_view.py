"""The views of results of commands that start, stop or remove services. Nothing here writes."""

from collections.abc import Iterable, Iterator

from pawsctl.cli.output.table import Line
from pawsctl.stack.engine.protocol import ServiceUp, Thing
from pawsctl.stack.events import EngineName
from pawsctl.stack.lifecycle import Dev, Stop, Up
from pawsctl.stack.remove import Down, Reset

_ENGINES = {"docker": "Docker", "embedded": "the embedded server"}


def up(result: Up) -> Iterator[Line]:
    """Render the action for each service, and the URL of Redis."""
    yield from _services(result.services)
    yield _answers(result.engine, result.url)


def dev(result: Dev) -> Iterator[Line]:
    """Render the same as `up`, and Redis Commander's address and login."""
    yield from _services(result.services)
    yield _answers(result.engine, result.url)
    login = result.commander
    password = login.password or "the password in REDIS_COMMANDER_PASSWORD"
    yield [("Redis Commander: ", ""), (login.url, "cyan"), (f" ({login.user} / {password})", "")]


def down(result: Down) -> Iterator[Line]:
    """Render the things that were removed, or would be with --dry-run."""
    if not result.removed:
        yield [("Nothing to remove.", "")]
    yield from _removed(result.removed, "would remove" if result.dry_run else "removed")


def stop(result: Stop) -> Iterator[Line]:
    """Render the services that were stopped."""
    if not result.stopped:
        yield [("Nothing was running.", "")]
    for name in result.stopped:
        yield [("stopped ", ""), (name, "cyan")]


def reset(result: Reset) -> Iterator[Line]:
    """Render the things that were removed, the export, and the URL of the empty Redis."""
    yield from _removed(result.removed, "removed")
    yield from _services(result.services)
    if result.backup:
        yield [("the sessions are kept in ", ""), (result.backup, "cyan")]
    yield _answers(result.engine, result.url)


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
