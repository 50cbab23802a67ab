"""The views of results of commands that start, stop or remove services. Nothing here writes."""

from collections.abc import Iterable, Iterator, Sequence

from pawsctl.cli.output.table import Line
from pawsctl.stack.engine.protocol import ServiceUp, Thing
from pawsctl.stack.events import EngineName
from pawsctl.stack.lifecycle import Dev, Stop, Up
from pawsctl.stack.project import layout
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.remove import Down, Reset

_ACTIONS = {"running": "already running"}
_ENGINES = {"docker": "Docker", "embedded": "the embedded server"}


def up(result: Up) -> Iterator[Line]:
    """Render the action for each service with its time, and the URL of Redis."""
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
    """Render the things that were removed, and the URL of the empty Redis.

    The export was told before the data was deleted, with the command that restores it.
    """
    yield from _removed(result.removed, "removed")
    yield from _services(result.services)
    yield _answers(result.engine, result.url)


def _services(services: Sequence[ServiceUp]) -> Iterator[Line]:
    texts = [
        (_ACTIONS.get(each.action, each.action))
        + (f" (changed: {', '.join(each.changed)})" if each.changed else "")
        for each in services
    ]
    names = max((len(each.service) for each in services), default=0)
    for each, text in zip(services, texts, strict=True):
        yield [
            ("✓ ", "green"),
            (f"{each.service:<{names}} ", "bold"),
            (f"{text:<{max(map(len, texts))}}", ""),
            (f"  {each.seconds:.2f} s", "dim"),
        ]


def _answers(engine: EngineName, url: str) -> Line:
    return [("Redis answers at ", ""), (url, "cyan"), (f" on {_ENGINES[engine]}.", "")]


def _removed(things: Iterable[Thing], verb: str) -> Iterator[Line]:
    for each in things:
        yield [(f"{verb} {each.kind} ", ""), (each.name, "cyan")]


def next_steps(result: Up, topology: Topology, url: str) -> Iterator[Line]:
    """Render the three commands that usually follow `up`; `url` is the URL that commands use."""
    option = layout.option(topology)
    elsewhere = "" if url == result.url else f" --url {result.url}"
    steps = [
        (f"pawsctl redis status{option}", "see its nodes"),
        (f"pawsctl redis status{option} -o env", "REDIS_URL for the bot's .env"),
        (f"pawsctl redis failover{option}", "measure an outage"),
    ]
    if topology == "single":
        steps = [
            (f"pawsctl session seed 20{elsewhere}", "write made-up sessions"),
            (f"pawsctl session list{elsewhere}", "see them"),
            ("pawsctl redis status -o env", "REDIS_URL for the bot's .env"),
        ]
    width = max(len(command) for command, _ in steps)
    yield [("Next:", "bold")]
    for command, purpose in steps:
        yield [(f"  {command:<{width}}", "cyan"), (f"  {purpose}", "dim")]
