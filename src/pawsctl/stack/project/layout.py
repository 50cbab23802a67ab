"""The topologies in which this project's Redis can run, and their ports. Pure.

`single` is one Redis on REDIS_PORT. The two others are for trying a production topology on one
machine; their ports are offsets from REDIS_PORT and do not overlap:

- `sentinel`: Redis on +1 to +3, Sentinels on +20000 to +20002 (of 6379: 26379 to 26381);
- `cluster`: six nodes on +622 to +627 (of 6379: 7001 to 7006), with their bus 10000 above.
"""

from typing import Literal

from pawsctl.errors import UsageError
from pawsctl.stack.project.services import Service, Stack

Topology = Literal["single", "sentinel", "cluster"]

# The Sentinels' name for the primary.
SENTINEL_SERVICE = "paws"
HOST = "127.0.0.1"

_LARGEST_PORT = 65_535
_BUS = 10_000


def option(topology: Topology) -> str:
    """Return the option that makes a command act on this topology, with a space before it."""
    return "" if topology == "single" else f" --topology {topology}"


def variables(topology: Topology, redis_port: int) -> dict[str, str]:
    """Return the variables for the ports in the topology's compose file.

    Raises UsageError if REDIS_PORT is too high for them.
    """
    ports: dict[str, int] = {}
    if topology == "sentinel":
        for number in (1, 2, 3):
            ports[f"REDIS_{number}_PORT"] = redis_port + number
            ports[f"SENTINEL_{number}_PORT"] = redis_port + 20_000 - 1 + number
    if topology == "cluster":
        for number in range(1, 7):
            port = redis_port + 621 + number
            ports |= {f"NODE_{number}_PORT": port, f"NODE_{number}_BUS": port + _BUS}
    if ports and max(ports.values()) > _LARGEST_PORT:
        raise UsageError(
            f"REDIS_PORT is {redis_port}, and the {topology} topology's ports would go up to "
            f"{max(ports.values())}.",
            hint="Set REDIS_PORT to 45000 or less.",
        )
    return {name: str(port) for name, port in ports.items()}


def offset(service: Service, port: int) -> int | None:
    """Return what is added to REDIS_PORT for a port of a topology's service; None for others."""
    name = service.key.upper().replace("-", "_")
    kind = "PORT" if port == service.ports[0].published else "BUS"
    known = variables("sentinel", 0) | variables("cluster", 0)
    return int(known[f"{name}_{kind}"]) if f"{name}_{kind}" in known else None


def is_sentinel(service: Service) -> bool:
    """Whether a service is a Sentinel, which holds no data and has no password."""
    return service.key.startswith("sentinel-")


def redis_ports(stack: Stack) -> dict[int, str]:
    """Return port → service of all services with data, in the compose file's order."""
    return {each.ports[0].published: each.key for each in stack.services if not is_sentinel(each)}


def sentinel_ports(stack: Stack) -> dict[int, str]:
    """Return port → service of all Sentinels, in the compose file's order."""
    return {each.ports[0].published: each.key for each in stack.services if is_sentinel(each)}


def url(topology: Topology, stack: Stack) -> str:
    """Return the URL for clients, without a password."""
    if topology == "single":
        return f"redis://127.0.0.1:{stack.services[0].ports[0].published}"
    ports = sentinel_ports(stack) if topology == "sentinel" else redis_ports(stack)
    addresses = ",".join(f"{HOST}:{port}" for port in ports)
    if topology == "cluster":
        return f"redis+cluster://{addresses}"
    return f"redis+sentinel://{addresses}/{SENTINEL_SERVICE}"
