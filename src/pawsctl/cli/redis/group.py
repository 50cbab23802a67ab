"""The `pawsctl redis` group, and options that several of its commands share."""

import math
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from pawsctl.cli.context import Invocation
from pawsctl.cli.global_options import ABOUT_CONNECTIONS, invocation
from pawsctl.cli.groups import LazyGroup
from pawsctl.errors import UsageError

if TYPE_CHECKING:
    from pawsctl.config.settings import StackSettings
    from pawsctl.stack.engine.protocol import ServiceUp


class RedisGroup(LazyGroup):
    """Every command of `pawsctl redis` by name, in the order of the help."""

    sources: ClassVar = {
        "up": "pawsctl.cli.redis.up",
        "dev": "pawsctl.cli.redis.dev",
        "down": "pawsctl.cli.redis.down",
        "start": "pawsctl.cli.redis.start",
        "stop": "pawsctl.cli.redis.stop",
        "restart": "pawsctl.cli.redis.restart",
        "reset": "pawsctl.cli.redis.reset",
        "failover": "pawsctl.cli.redis.failover",
        "status": "pawsctl.cli.redis.status",
        "logs": "pawsctl.cli.redis.logs",
        "cli": "pawsctl.cli.redis.cli",
        "memory": "pawsctl.cli.redis.memory",
        "maxmemory": "pawsctl.cli.redis.maxmemory",
    }
    untaken = ABOUT_CONNECTIONS


app = typer.Typer(
    cls=RedisGroup,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def redis() -> None:
    """Run this project's own Redis on Docker or embedded."""


LONGEST_TIMEOUT = 86_400


def _number(seconds: float) -> float:
    """Return the seconds unchanged. Raises BadParameter for nan, which no range excludes."""
    if math.isnan(seconds):
        raise typer.BadParameter(f"nan is not in the range 0.1<=x<={LONGEST_TIMEOUT}.")
    return seconds


Timeout = Annotated[
    float,
    typer.Option(
        "--timeout",
        min=0.1,
        max=LONGEST_TIMEOUT,
        callback=_number,
        metavar="SECONDS",
        help="How long to wait for Redis to answer.",
    ),
]
Pull = Annotated[
    Literal["missing", "always", "never"],
    typer.Option("--pull", help="When to pull images."),
]
TIMEOUT = 60.0
Topology = Annotated[
    Literal["single", "sentinel", "cluster"],
    typer.Option("--topology", help="Single Redis, or a Sentinel or Cluster topology for trials."),
]


def actions(services: "Iterable[ServiceUp]") -> dict[str, int]:
    """Return how many services were created, started and so on, for the audit log."""
    return dict(Counter(each.action for each in services if each.action != "running"))


def _others(run: Invocation) -> str:
    """Return what names a Redis that commands on sessions use, and these do not; or ''."""
    # Help and completion read no settings.
    from pawsctl.config import redis_url

    settings = run.settings
    if settings.profile:
        return f"the profile {settings.profile.name}"
    url = settings["REDIS_URL"]
    # A URL that can't be used is no matter of these commands.
    with suppress(UsageError):
        if url.value and not (target := redis_url.parse(url.value, origin=url.origin)).is_local:
            return f"REDIS_URL, {target.url}"
    return ""


def stack_of(
    ctx: typer.Context, *, starts: bool = False, reads: bool = False
) -> "tuple[Invocation, StackSettings]":
    """Return the invocation, and the settings of the project's own containers.

    Pass `starts` for a command that may start Redis: it makes the password that
    REDIS_PASSWORD=random asks for; `reads` for one that changes nothing. Raises ReadOnly
    if nothing may be changed.
    """
    run = invocation(ctx)
    if others := _others(run):
        run.output.note(f"This acts on this project's own Redis, not on that of {others}.")
    if not reads:
        run.require_changeable("this changes this project's own Redis")
    return run, run.settings.stack(starts=starts)
