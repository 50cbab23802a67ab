"""Read a compose file into the structs of `services`.

Pure. It accepts only the keys that this project's own files use: no engine may silently ignore a
key. It is not a full compose implementation.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from pawsctl.errors import OperationFailed
from pawsctl.stack.project import compose_tree
from pawsctl.stack.project.services import File, HealthCheck, Port, Service, Stack, Volume

_SIZES = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_LOOPBACK = "127.0.0.1"
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class _Health(Struct, forbid_unknown_fields=True):
    test: list[str]
    interval: str
    timeout: str
    retries: int


class _SecretUse(Struct, forbid_unknown_fields=True):
    source: str
    target: str


class _Hook(Struct, forbid_unknown_fields=True):
    """A hook for docker compose, which can't form clusters; pawsctl does that itself."""

    command: list[str]


class _Service(Struct, forbid_unknown_fields=True):
    image: str
    container_name: str
    mem_limit: str
    healthcheck: _Health
    restart: str
    ports: list[str] = []
    network_mode: Literal["host"] | None = None
    expose: list[str] = []
    post_start: list[_Hook] = []
    working_dir: str = ""
    entrypoint: list[str] = []
    command: list[str] = []
    volumes: list[str] = []
    secrets: list[str | _SecretUse] = []
    depends_on: list[str] = []


class _Secret(Struct, forbid_unknown_fields=True):
    file: str


class _File(Struct, forbid_unknown_fields=True):
    name: str
    services: dict[str, _Service]
    secrets: dict[str, _Secret] = {}
    volumes: dict[str, None] = {}


def read(path: Path, variables: Mapping[str, str]) -> Stack:
    """Read the compose file at `path`, and replace `${NAME:-default}` from `variables`.

    Raises OperationFailed, which names the place, if the file has something that pawsctl does not
    support.
    """
    try:
        file = msgspec.convert(_interpolated(compose_tree.read(path), variables), _File)
        services = tuple(_service(path, file, key) for key in file.services)
    except (ValueError, KeyError) as error:
        raise OperationFailed(
            f"{path} can't be used: {error}.",
            hint="Take out what pawsctl does not honour, or install pawsctl again.",
        ) from error
    return Stack(path=path, project=file.name, network=f"{file.name}_default", services=services)


def _interpolated(node: object, variables: Mapping[str, str]) -> object:
    if isinstance(node, dict):
        return {key: _interpolated(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_interpolated(each, variables) for each in node]
    if not isinstance(node, str):
        return node

    def replaced(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        if found["name"] is None:
            raise ValueError(f"'{node}' has a '$' that is neither $$ nor ${{NAME:-default}}")
        return variables.get(found["name"]) or found["default"]

    return re.sub(r"\$(?:\$|\{(?P<name>\w+):-(?P<default>[^}]*)\})?", replaced, node)


def _service(path: Path, file: _File, key: str) -> Service:
    raw = file.services[key]
    on_host = raw.network_mode == "host"
    if bool(raw.expose) != on_host or bool(raw.ports) == on_host:
        raise ValueError(f"{key} has neither ports nor network_mode: host with expose, or both")
    return Service(
        key=key,
        image=raw.image,
        container=raw.container_name,
        working_dir=raw.working_dir,
        entrypoint=tuple(raw.entrypoint),
        command=tuple(raw.command),
        memory=int(_quantity(raw.mem_limit, _SIZES)),
        ports=tuple(_port(each) for each in raw.ports)
        + tuple(Port(_LOOPBACK, int(each), int(each)) for each in raw.expose),
        on_host=on_host,
        volumes=tuple(_volume(file, each) for each in raw.volumes),
        files=tuple(_file(path, file, each) for each in raw.secrets),
        health=HealthCheck(
            test=tuple(raw.healthcheck.test),
            interval=_quantity(raw.healthcheck.interval, _SECONDS),
            timeout=_quantity(raw.healthcheck.timeout, _SECONDS),
            retries=raw.healthcheck.retries,
        ),
        restart=raw.restart,
        depends_on=tuple(raw.depends_on),
    )


def _quantity(text: str, units: Mapping[str, float]) -> float:
    found = re.fullmatch(r"(\d+)([a-z]+)", text)
    if not found or found[2] not in units:
        raise ValueError(f"'{text}' is not a number with one of {', '.join(units)}")
    return int(found[1]) * units[found[2]]


def _port(text: str) -> Port:
    host, published, target = text.split(":")
    return Port(host=host, published=int(published), target=int(target))


def _volume(file: _File, text: str) -> Volume:
    key, target = text.split(":")
    if key not in file.volumes:
        raise ValueError(f"the volume of '{text}' is not declared")
    return Volume(key=key, name=f"{file.name}_{key}", target=target)


def _file(path: Path, file: _File, use: str | _SecretUse) -> File:
    if isinstance(use, str):
        use = _SecretUse(source=use, target=f"/run/secrets/{use}")
    return File(source=path.parent / file.secrets[use.source].file, target=use.target)
