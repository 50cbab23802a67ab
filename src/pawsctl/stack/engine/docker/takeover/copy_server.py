"""The server that gets a copy: a container of its own on the volume of the project's Redis.

Its name tells the next `up` how far it was, should pawsctl be killed: `_look` while it only loads
what the volume holds, `_copy` from when the volume is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pawsctl.connection import info_reply, probe
from pawsctl.stack.engine.docker.objects import container_definition, labels, probe_container
from pawsctl.stack.engine.docker.takeover.data_place import inner_port
from pawsctl.stack.engine.rollback import Undo, uninterrupted

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import Service, Stack

_TAIL_LINES = 15
# Full synchronisations until it is clear that what came could not be read.
_ATTEMPTS = 2
# Seconds that it has to shut down in.
_GRACE = 10


class Copy:
    """A server beside `source`, the container whose data it is to have."""

    def __init__(
        self,
        api: APIClient,
        stack: Stack,
        service: Service,
        source: dict[str, Any],
        *,
        image: str,
        password: str | None,
    ) -> None:
        self._api = api
        self._stack = stack
        self._service = service
        self._source = source
        self._image = image
        self._password = password
        self._id = ""
        self._port = 0
        self._attempts = 0

    def start(self, port: int, undo: Undo) -> None:
        """Run it in the network of the source; `port` is for one on the host's network."""
        remove_all(self._api, self._service)
        looking, _ = names(self._service)
        with uninterrupted():
            made = self._api.create_container_from_config(self._definition(port), looking)
            self._id = made["Id"]
            undo.callback(remove, self._api, self._id)
        self._api.start(self._id)
        self._find_port(port)

    def commit(self) -> None:
        """Say by its name that the volume is written from now on."""
        _, copying = names(self._service)
        self._api.rename(self._id, copying)

    def follow(self, source_port: int, password: str | None) -> None:
        """Have it become a replica of the source, which asks for `password`."""
        if probe.ping(source_port, None) == "":
            # It would refuse a login that it does not ask for.
            password = None
        self._attempts = _attempts(probe.info(source_port, password))
        host, port = self._address()
        self._ask("CONFIG", "SET", "masterauth", password or "")
        self._ask("REPLICAOF", host, port)

    def has_failed(self, source: Mapping[str, str]) -> bool:
        """Whether all came and could not be read, by the fields of the source's INFO."""
        return _attempts(source) - self._attempts > _ATTEMPTS

    def empty(self) -> None:
        """Delete all that it holds."""
        self._ask("REPLICAOF", "NO", "ONE")
        self._ask("FLUSHALL")

    def lead(self) -> None:
        """Have it be nobody's replica."""
        self._ask("REPLICAOF", "NO", "ONE")

    def restart(self) -> None:
        """Have it load what it has written."""
        self._api.stop(self._id, timeout=_GRACE)
        self._api.start(self._id)
        self._find_port(self._port)

    def stop(self) -> None:
        """Shut it down; what it holds is in the volume."""
        self._api.stop(self._id, timeout=_GRACE)

    def remove(self) -> None:
        """Remove it."""
        remove(self._api, self._id)

    def answers(self) -> bool:
        """Whether it has loaded all that the volume holds."""
        return probe.ping(self._port, self._password) == ""

    def info(self) -> dict[str, str]:
        """The fields of its INFO."""
        return probe.info(self._port, self._password)

    def holds_keys(self) -> bool:
        """Whether a key is there that has not expired."""
        for name in info_reply.databases(self.info()):
            number = name.removeprefix("db")
            _, key = probe.ask(self._port, self._password, ("SELECT", number), ("RANDOMKEY",))
            if key is not None:
                return True
        return False

    def has_ended(self) -> bool:
        """Whether its server gave up."""
        return not container_definition.is_running(self._api.inspect_container(self._id))

    def log_tail(self) -> tuple[str, ...]:
        """The last lines that it wrote."""
        text = self._api.logs(self._id, tail=_TAIL_LINES)
        return tuple(text.decode("utf-8", "replace").splitlines())

    def _ask(self, *command: str | int) -> None:
        probe.ask(self._port, self._password, command)

    def _definition(self, port: int) -> dict[str, Any]:
        definition = container_definition.definition(self._stack, self._service, self._image)
        definition["Labels"] = labels.of_one_off(self._stack)
        definition["Healthcheck"] = {"Test": ["NONE"]}
        definition.pop("NetworkingConfig", None)
        host = definition["HostConfig"]
        host["RestartPolicy"] = {"Name": "no"}
        host["NetworkMode"] = self._source["HostConfig"]["NetworkMode"]
        inside = f"{self._service.ports[0].target}/tcp"
        host["PortBindings"] = {inside: [{"HostIp": probe.HOST, "HostPort": ""}]}
        if port:
            host["PortBindings"] = {}
            definition["Cmd"] += ["--bind", probe.HOST, "--port", str(port)]
        return definition

    def _find_port(self, port: int) -> None:
        """The port of this machine that leads to it; each start may choose another."""
        self._port = port
        bound = self._api.inspect_container(self._id)["NetworkSettings"].get("Ports") or {}
        for each in bound.get(f"{self._service.ports[0].target}/tcp") or ():
            self._port = int(each["HostPort"])

    def _address(self) -> tuple[str, int]:
        """Where it reaches the source."""
        port = inner_port(self._service, self._source)
        networks = self._source["NetworkSettings"]["Networks"].values()
        found = [each["IPAddress"] for each in networks if each.get("IPAddress")]
        return (found[0] if found else probe.HOST), port


def names(service: Service) -> tuple[str, str]:
    """What it is called while it looks, and from when it writes."""
    return f"{service.container}_look", f"{service.container}_copy"


def is_half_done(api: APIClient, service: Service) -> bool:
    """Whether a copy was begun and not completed: the volume holds a part of it, and no more."""
    from docker.errors import NotFound

    try:
        api.inspect_container(names(service)[1])
    except NotFound:
        return False
    return True


def remove_all(api: APIClient, service: Service) -> None:
    """Remove what a pawsctl that was killed has left of copies, and of probes."""
    for name in (*names(service), probe_container.name(service)):
        remove(api, name)


def remove(api: APIClient, container: str) -> None:
    """Remove a copy's container by its id or name, if it is there."""
    from docker.errors import NotFound

    with suppress(NotFound):
        api.remove_container(container, v=True, force=True)


def _attempts(info: Mapping[str, str]) -> int:
    return int(info.get("sync_full", "0"))
