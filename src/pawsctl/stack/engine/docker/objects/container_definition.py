"""A service as a body for Docker's API, and the differences of an existing container from it.

Differences are found by comparing with `inspect`, never by imitating compose's hash; fields have
the names of the compose file.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pawsctl.stack.engine import diff
from pawsctl.stack.engine.docker.objects import labels, mounts
from pawsctl.stack.project.services import Port, Service, Stack

Inspected = dict[str, Any]
_HOST = "host"
_NANOSECONDS = 1_000_000_000


class Facts(Struct, frozen=True):
    """The fields of a container that are compared, by the compose file's names."""

    image: str
    working_dir: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    mem_limit: int
    ports: tuple[tuple[str, str, str], ...]
    volumes: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, str], ...]
    healthcheck: tuple[tuple[str, ...], int, int, int]
    restart: str
    networks: tuple[str, ...]


def definition(stack: Stack, service: Service, image_id: str) -> dict[str, Any]:
    """Return the body of `POST /containers/create` for a service."""
    network: dict[str, Any] = {}
    if not service.on_host:
        aliases = {"Aliases": [service.container, service.key]}
        network = {"NetworkingConfig": {"EndpointsConfig": {stack.network: aliases}}}
    test, interval, timeout, retries = _health(service)
    return {
        "Image": service.image,
        "WorkingDir": service.working_dir,
        "Entrypoint": list(service.entrypoint) or None,
        "Cmd": list(service.command) or None,
        "Labels": labels.of_container(stack, service, image_id),
        "ExposedPorts": {f"{port.target}/tcp": {} for port in service.ports},
        "Healthcheck": {
            "Test": list(test),
            "Interval": interval,
            "Timeout": timeout,
            "Retries": retries,
        },
        "HostConfig": {
            "Binds": [f"{each.name}:{each.target}:rw" for each in service.volumes],
            "Mounts": mounts.binds(service),
            "PortBindings": {
                f"{port.target}/tcp": [{"HostIp": port.host, "HostPort": str(port.published)}]
                for port in _published(service)
            },
            "Memory": service.memory,
            "RestartPolicy": {"Name": service.restart},
            "NetworkMode": _network(stack, service),
        },
        **network,
    }


def changed(
    stack: Stack,
    service: Service,
    container: Inspected,
    *,
    image: Inspected,
    network_id: str,
    limits_memory: Callable[[], bool],
) -> tuple[str, ...]:
    """Return the fields in which `container` differs from the service.

    For the command the differing options are named, for the secrets the contents of the files. An
    engine that can't limit memory does not keep the limit, so that is no difference.
    """
    wanted, found = (
        _facts_of_service(stack, service, image),
        _facts_of_container(container, network_id),
    )
    names = [
        name for name in Facts.__struct_fields__ if getattr(wanted, name) != getattr(found, name)
    ]
    if "mem_limit" in names and not found.mem_limit and not limits_memory():
        names.remove("mem_limit")
    if "image" in names:
        # Fields that the service leaves to its image change with it: no change of their own.
        left = {
            "working_dir": not service.working_dir,
            "entrypoint": not service.entrypoint,
            "command": not service.command,
        }
        names = [name for name in names if not left.get(name)]
    found_files, wanted_files = ([path for path, _ in each.secrets] for each in (found, wanted))
    parts = {
        diff.COMMAND: diff.options(found.command, wanted.command),
        diff.SECRETS: diff.contents(found_files, wanted_files),
    }
    if container["Name"] != f"/{service.container}":
        names.append("container_name")
    return tuple(part for name in names for part in parts.get(name, (name,)))


def is_running(container: Inspected) -> bool:
    """Whether its process runs; Docker's `Running` is also true between two restarts."""
    state = container["State"]
    return bool(state["Running"] and not state["Restarting"])


def ports_held(container: Inspected) -> set[int]:
    """Return the ports of this machine that a container holds; none if it does not run."""
    if not container["State"]["Running"]:
        return set()
    host = container["HostConfig"]
    if host["NetworkMode"] == _HOST:
        # On the host network no port is published; those it listens on are declared.
        return {int(each.partition("/")[0]) for each in container["Config"]["ExposedPorts"] or {}}
    bindings = (host.get("PortBindings") or {}).values()
    return {int(each["HostPort"]) for some in bindings for each in some or ()}


def name_aside(service: Service, container: Inspected) -> str:
    """Return the name that a container gets when another takes its place."""
    return f"{service.container}_{container['Id'][:12]}"


def _facts_of_service(stack: Stack, service: Service, image: Inspected) -> Facts:
    # An image may have no config.
    config = image.get("Config") or {}
    return Facts(
        image=image["Id"],
        working_dir=service.working_dir or config.get("WorkingDir", ""),
        entrypoint=service.entrypoint or tuple(config.get("Entrypoint") or ()),
        command=service.command or tuple(config.get("Cmd") or ()),
        mem_limit=service.memory,
        ports=tuple(
            sorted(
                (f"{port.target}/tcp", port.host, str(port.published))
                for port in _published(service)
            )
        ),
        volumes=tuple(sorted((each.name, each.target) for each in service.volumes)),
        secrets=tuple(sorted((str(each.source), each.target) for each in service.files)),
        healthcheck=_health(service),
        restart=service.restart,
        networks=(_network(stack, service),),
    )


def _facts_of_container(container: Inspected, network_id: str) -> Facts:
    config, host = container["Config"], container["HostConfig"]
    check = config.get("Healthcheck") or {}
    return Facts(
        image=container["Image"],
        working_dir=config.get("WorkingDir", ""),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        mem_limit=host.get("Memory", 0),
        ports=tuple(
            sorted(
                (port, binding.get("HostIp", ""), binding.get("HostPort", ""))
                for port, bindings in (host.get("PortBindings") or {}).items()
                for binding in bindings or ()
            )
        ),
        volumes=tuple(
            sorted(
                (each["Name"], each["Destination"])
                for each in container["Mounts"]
                if each["Type"] == "volume"
            )
        ),
        secrets=tuple(
            sorted((source, target) for target, source in mounts.sources(container).items())
        ),
        healthcheck=(
            tuple(check.get("Test") or ()),
            check.get("Interval", 0),
            check.get("Timeout", 0),
            check.get("Retries", 0),
        ),
        restart=(host.get("RestartPolicy") or {}).get("Name", ""),
        # A network that was removed and made again has the same name and another id. A container
        # that never ran has no network id yet, and Podman uses names as ids.
        networks=tuple(
            sorted(
                name
                for name, each in container["NetworkSettings"]["Networks"].items()
                if name == _HOST or each["NetworkID"] in ("", name, network_id)
            )
        ),
    )


def _network(stack: Stack, service: Service) -> str:
    return _HOST if service.on_host else stack.network


def _published(service: Service) -> tuple[Port, ...]:
    return () if service.on_host else service.ports


def _health(service: Service) -> tuple[tuple[str, ...], int, int, int]:
    check = service.health
    return (
        check.test,
        round(check.interval * _NANOSECONDS),
        round(check.timeout * _NANOSECONDS),
        check.retries,
    )
