"""The status of a service, read from its container."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from pawsctl.connection.probe import HOST
from pawsctl.stack.engine.docker.objects import labels
from pawsctl.stack.engine.protocol import ServiceStatus


def of(container: dict[str, Any]) -> ServiceStatus:
    """Return the status of the service that a container runs, by its `inspect` data."""
    state = container["State"]
    uptime = None
    if state["Running"]:
        # Docker writes nanoseconds and "Z"; Python reads microseconds.
        started = datetime.fromisoformat(state["StartedAt"][:19]).replace(tzinfo=UTC)
        uptime = max(0.0, (datetime.now(UTC) - started).total_seconds())
    return ServiceStatus(
        service=str(container["Config"]["Labels"][labels.SERVICE]),
        name=str(container["Name"]).removeprefix("/"),
        state=state["Status"],
        health=(state.get("Health") or {}).get("Status") if state["Running"] else None,
        ports=_ports(container),
        uptime=uptime,
    )


def _ports(container: dict[str, Any]) -> tuple[str, ...]:
    if container["HostConfig"]["NetworkMode"] == "host":
        # On the host network no port is published: its command says where it listens.
        words = container["Config"]["Cmd"] or []
        return tuple(f"{HOST}:{port}" for word, port in pairwise(words) if word == "--port")
    if not container["State"]["Running"]:
        # Podman still reports the ports of a stopped container.
        return ()
    return tuple(
        f"{binding['HostIp']}:{binding['HostPort']}->{port}"
        for port, bindings in (container["NetworkSettings"]["Ports"] or {}).items()
        for binding in bindings or ()
    )
