"""The server that receives the copy: a container on the volume of the project's Redis.

If pawsctl is killed, its name tells the next `up` how far the copy was: `_look` while it only loads
the volume, `_copy` once the volume is being written.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
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
# Full synchronisations after which the copy counts as unable to read the data.
_ATTEMPTS = 2
# Seconds that it has to shut down.
_GRACE = 10
# Seconds in which it loads what it is to forget, and seconds between two looks whether it has.
_LOADED = 60
_PAUSE = 0.05


class Copy:
    """A server that gets the data of the container `source`; it is started with more `options`."""

    def __init__(
        self,
        api: APIClient,
        stack: Stack,
        service: Service,
        source: dict[str, Any],
        *,
        image: str,
        password: str | None,
        options: Sequence[str] = (),
    ) -> None:
        self._options = options
        self._api = api
        self._stack = stack
        self._service = service
        self._source = source
        self._image = image
        self._password = password
        self._id = ""
        self._port = 0
        self._attempts = 0
        self._is_committed = False

    def start(self, port: int, undo: Undo) -> None:
        """Run it in the network of the source; on the host's network it listens on `port`."""
        remove_all(self._api, self._service)
        name = names(self._service)[self._is_committed]
        with uninterrupted():
            made = self._api.create_container_from_config(self._definition(port), name)
            self._id = made["Id"]
            undo.callback(self._discard)
        self._api.start(self._id)
        self._find_port(port)

    def commit(self) -> None:
        """Rename it to show that the volume is being written from now on."""
        _, copying = names(self._service)
        self._is_committed = True
        self._api.rename(self._id, copying)

    def _discard(self) -> None:
        """Remove it, unless its name tells that the volume may hold a part of the data."""
        if not self._is_committed:
            self.remove()

    def follow(self, source_port: int, password: str | None) -> None:
        """Make it a replica of the source, which has `password`."""
        if probe.ping(source_port, None) == "":
            # A source without a password would refuse a login.
            password = None
        self._attempts = _attempts(probe.info(source_port, password))
        host, port = self._address()
        self._ask("CONFIG", "SET", "masterauth", password or "")
        self._ask("REPLICAOF", host, port)

    def has_failed(self, source: Mapping[str, str]) -> bool:
        """Whether it got the data and could not read it, by the fields of the source's INFO."""
        return _attempts(source) - self._attempts > _ATTEMPTS

    def empty(self, port: int, undo: Undo) -> None:
        """Delete all its keys; on the host's network it listens on `port` meanwhile.

        Its container is made anew: a request that was interrupted may have removed it, or be about
        to.
        """
        self.remove()
        self.start(port, undo)
        ends = time.monotonic() + _LOADED
        while not self.answers() and not self.has_ended() and time.monotonic() < ends:
            time.sleep(_PAUSE)
        self.delete_keys()

    def delete_keys(self) -> None:
        """Delete all its keys."""
        self._ask("FLUSHALL")

    def append(self) -> None:
        """Switch its append-only file on, into which it then writes all data."""
        self._ask("CONFIG", "SET", "appendonly", "yes")

    def lead(self) -> None:
        """Stop replication."""
        self._ask("REPLICAOF", "NO", "ONE")

    def restart(self) -> None:
        """Restart it, so that it loads the data that it has written."""
        self._api.stop(self._id, timeout=_GRACE)
        self._api.start(self._id)
        self._find_port(self._port)

    def kill(self) -> None:
        """Kill it; no failure if it does not run."""
        from docker.errors import APIError

        with suppress(APIError):
            self._api.kill(self._id)

    def stop(self) -> None:
        """Shut it down; its data stays in the volume."""
        self._api.stop(self._id, timeout=_GRACE)

    def remove(self) -> None:
        """Remove its container."""
        remove(self._api, self._id)

    def answers(self) -> bool:
        """Whether it answers, and so has loaded the volume's data."""
        return probe.ping(self._port, self._password) == ""

    def info(self) -> dict[str, str]:
        """Return the fields of its INFO."""
        return probe.info(self._port, self._password)

    def holds_keys(self) -> bool:
        """Whether it holds a key that has not expired."""
        for name in info_reply.databases(self.info()):
            number = name.removeprefix("db")
            _, key = probe.ask(self._port, self._password, ("SELECT", number), ("RANDOMKEY",))
            if key is not None:
                return True
        return False

    def has_ended(self) -> bool:
        """Whether its container no longer runs."""
        return not container_definition.is_running(self._api.inspect_container(self._id))

    def log_tail(self) -> tuple[str, ...]:
        """Return the last lines of its log."""
        text = self._api.logs(self._id, tail=_TAIL_LINES)
        return tuple(text.decode("utf-8", "replace").splitlines())

    def _ask(self, *command: str | int) -> None:
        probe.ask(self._port, self._password, command)

    def _definition(self, port: int) -> dict[str, Any]:
        definition = container_definition.definition(self._stack, self._service, self._image)
        definition["Labels"] = labels.of_one_off(self._stack)
        definition["Cmd"] += self._options
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
        """Look up the port of this machine that leads to it; each start may choose another."""
        self._port = port
        bound = self._api.inspect_container(self._id)["NetworkSettings"].get("Ports") or {}
        for each in bound.get(f"{self._service.ports[0].target}/tcp") or ():
            self._port = int(each["HostPort"])

    def _address(self) -> tuple[str, int]:
        """Return the address and port at which it reaches the source."""
        port = inner_port(self._service, self._source)
        networks = self._source["NetworkSettings"]["Networks"].values()
        found = [each["IPAddress"] for each in networks if each.get("IPAddress")]
        return (found[0] if found else probe.HOST), port


def names(service: Service) -> tuple[str, str]:
    """Return the container's names: while it only loads the volume, and once it writes."""
    return f"{service.container}_look", f"{service.container}_copy"


def is_half_done(api: APIClient, service: Service) -> bool:
    """Whether a copy was begun and not completed: the volume then holds a part of the data."""
    from docker.errors import NotFound

    try:
        api.inspect_container(names(service)[1])
    except NotFound:
        return False
    return True


def remove_all(api: APIClient, service: Service) -> None:
    """Remove the copy and probe containers that a killed pawsctl has left."""
    for name in (*names(service), probe_container.name(service)):
        remove(api, name)


def remove(api: APIClient, container: str) -> None:
    """Remove a copy's container by its id or name, if it is there; return when it is gone."""
    from docker.errors import APIError, NotFound

    try:
        api.remove_container(container, v=True, force=True)
    except APIError as error:
        if error.status_code == 409:
            # A request that was interrupted removes it.
            with suppress(NotFound):
                api.wait(container, timeout=_GRACE, condition="removed")
        elif error.status_code != 404:
            raise


def _attempts(info: Mapping[str, str]) -> int:
    return int(info.get("sync_full", "0"))
