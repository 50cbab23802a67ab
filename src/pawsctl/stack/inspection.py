"""What looks at the stack and changes nothing: status, logs, and a redis-cli."""

import os
import subprocess
from collections.abc import Collection, Iterator, Sequence

from pawsctl.errors import UsageError
from pawsctl.settings import StackSettings
from pawsctl.stack import project, wire
from pawsctl.stack.choice import engine_of
from pawsctl.stack.engine import Emit, LogLine, LogQuery, ServiceStatus
from pawsctl.stack.project import REDIS
from pawsctl.stack.results import Keys, Memory, StackStatus


def status(settings: StackSettings, *, emit: Emit) -> StackStatus:
    """What runs. Raises NoEngine where that can't be known."""
    here = project.load(settings)
    engine = engine_of(here, emit)
    services = engine.status()
    port = published(services) or settings.redis_port
    told = info(settings, services)
    return StackStatus(engine.name, url(port), services, _memory(told), keys(told))


def logs(
    settings: StackSettings, services: Collection[str], query: LogQuery, *, emit: Emit
) -> Iterator[LogLine]:
    """Lines of these services, of all where none is named.

    Raises UsageError for a service that does not exist in the compose file, OperationFailed for one
    that has no container.
    """
    here = project.load(settings)
    known = [each.key for each in here.stack.services]
    for each in services:
        if each not in known:
            raise UsageError(
                f"There is no service '{each}'.", hint=f"The services are {' and '.join(known)}."
            )
    return engine_of(here, emit).logs(services, query)


def client(settings: StackSettings, arguments: Sequence[str], *, terminal: bool, emit: Emit) -> int:
    """Run a redis-cli that is logged in to this project's Redis, and return its exit status.

    Its input and output are ours; `terminal` says whether those are a terminal's. Raises
    OperationFailed where Redis does not run or no redis-cli is to be had.
    """
    here = project.load(settings)
    command = engine_of(here, emit).client(arguments, terminal=terminal)
    environment = {**os.environ, **command.environment}
    status = subprocess.run(command.arguments, env=environment, check=False).returncode  # noqa: S603
    # Ended by a signal, as a shell tells it.
    return status if status >= 0 else 128 - status


def url(port: int) -> str:
    """Where a Redis on this port answers."""
    return f"redis://localhost:{port}"


def published(services: Sequence[ServiceStatus]) -> int | None:
    """The port of this machine that leads to Redis: not the settings', should they have changed."""
    for each in services:
        if each.service == REDIS and each.ports:
            return int(each.ports[0].partition("->")[0].rpartition(":")[2])
    return None


def info(settings: StackSettings, services: Sequence[ServiceStatus]) -> dict[str, str]:
    """The fields of INFO of the Redis that `services` tell of; none where it does not answer."""
    port = published(services)
    return wire.info(port, settings.redis_password) if port else {}


def _memory(info: dict[str, str]) -> Memory | None:
    if "used_memory" not in info:
        return None
    return Memory(
        used=int(info["used_memory"]),
        peak=int(info["used_memory_peak"]),
        maximum=int(info["maxmemory"]),
    )


def keys(info: dict[str, str]) -> Keys | None:
    """How many keys there are, by the fields of INFO."""
    if not info:
        return None
    # db0:keys=3,expires=2,avg_ttl=…
    databases = [
        dict(pair.split("=") for pair in value.split(","))
        for name, value in info.items()
        if name.startswith("db") and name[2:].isdigit()
    ]
    return Keys(
        total=sum(int(each["keys"]) for each in databases),
        expiring=sum(int(each["expires"]) for each in databases),
    )
