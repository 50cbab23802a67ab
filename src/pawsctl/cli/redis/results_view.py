"""How a person sees the results of commands that change what runs. Nothing here writes."""

from collections.abc import Iterable, Iterator

from pawsctl.cli.output.table import Line
from pawsctl.stack.engine.protocol import ServiceUp, Thing
from pawsctl.stack.events import EngineName
from pawsctl.stack.lifecycle import Dev, Stop, Up
from pawsctl.stack.remove import Down, Reset

_ENGINES = {"docker": "Docker", "embedded": "the embedded server"}


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
