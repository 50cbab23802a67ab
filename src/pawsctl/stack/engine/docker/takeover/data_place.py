"""Find where the data of a container lies: by its server's CONFIG, else by `inspect`.

A container with our labels need not be made by us. The bot's own compose file has our project,
service and container name, and keeps the data in an anonymous volume, in one of another name, or in
none; a container that replaces it would start empty, and the data would be lost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from pawsctl.connection import info_reply, probe
from pawsctl.stack.engine import append_only_files
from pawsctl.stack.engine.docker.objects import container_definition, container_file, mounts
from pawsctl.stack.engine.docker.takeover import command_line
from pawsctl.stack.project import layout

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import Service

# Docker names an anonymous volume by 32 random bytes.
_ANONYMOUS = re.compile("[0-9a-f]{64}")
_ASKED = ("dir", *command_line.DEFAULTS)
_UNKNOWN = "in a place that only its own configuration names"


class Server(Struct, frozen=True):
    """A server's settings for its data.

    `port` is the port of this machine that leads to it, or None; `password` is the one that it
    takes; `silence` is the reason that it did not answer, empty if it did; `is_locked` says that it
    has another password. `starts_appending` says that its next start has an append-only file, and
    reads it. `is_guessed` says that the settings may be others: a file or script that was not read
    may change them, and the server did not tell them.
    """

    port: int | None
    settings: Mapping[str, str]
    silence: str
    password: str | None = None
    is_locked: bool = False
    starts_appending: bool = False
    is_guessed: bool = False

    @property
    def appends(self) -> bool:
        """Whether it has an append-only file under the name that our own server reads."""
        return self.is_appending and self.has_our_names

    @property
    def is_appending(self) -> bool:
        """Whether it writes each change to an append-only file."""
        return self.settings["appendonly"] == "yes"

    @property
    def has_our_names(self) -> bool:
        """Whether its append-only file, switched on or off, has the name that our server reads."""
        named = ("appendfilename", "appenddirname")
        return all(self.settings[each] == command_line.DEFAULTS[each] for each in named)


class Place(Struct, frozen=True):
    """The place of data: `volume` is a volume's name, `path` a folder of this machine.

    `words` describes it for messages. `is_ours` says that our own server finds the data there,
    `is_our_folder` that it is at least in the folder where ours looks, `is_switched_off` that a
    client has switched off the file that ours reads, `is_memory` that it ends with its server.
    """

    words: str
    is_ours: bool = False
    is_our_folder: bool = False
    is_switched_off: bool = False
    volume: str | None = None
    path: str | None = None
    is_memory: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether it is an anonymous volume, which is removed with its container."""
        return self.volume is not None and _ANONYMOUS.fullmatch(self.volume) is not None


def has_data(service: Service) -> bool:
    """Whether a service keeps data; a Sentinel's does not count."""
    return bool(service.volumes) and not layout.is_sentinel(service)


def server(service: Service, container: dict[str, Any], password: str | None) -> Server:
    """Return the data settings of the server in `container`, from the server itself if it runs."""
    settings = command_line.settings(container["Config"])
    is_guessed = not command_line.tells_all(container["Config"])
    starts_appending = settings["appendonly"] == "yes"
    port = published(service, container)

    def silent(reason: str) -> Server:
        return Server(
            port,
            settings,
            reason,
            password,
            is_locked=probe.is_locked(reason),
            starts_appending=starts_appending,
            is_guessed=is_guessed,
        )

    if not container_definition.is_running(container):
        return silent("it does not run")
    if container["State"]["Paused"]:
        return silent("it is paused")
    if port is None:
        return silent("it publishes no port on 127.0.0.1")
    # The setting may have changed since its start.
    password = probe.accepted(port, (password, *mounts.passwords(container)))
    if silence := probe.ping(port, password):
        return silent(silence)
    for name in _ASKED:
        # Older servers lack some of these settings; some have no CONFIG command.
        with suppress(probe.Refused, OSError):
            (found,) = probe.ask(port, password, ("CONFIG", "GET", name))
            settings |= {name: info_reply.text(found[1])} if len(found) == 2 else {}
            is_guessed &= name != "dir" or len(found) != 2
    return msgspec.structs.replace(silent(""), settings=settings, is_guessed=is_guessed)


def may_reread(api: APIClient, container: dict[str, Any], told: Server) -> bool:
    """Whether a server that appends nothing may read an append-only file when it starts again.

    There is such a file, and a configuration that was not read may name it. Raises APIError.
    """
    if told.is_appending or command_line.tells_all(container["Config"]):
        return False
    files = append_only_files.begins(
        told.settings["appenddirname"], told.settings["appendfilename"]
    )
    folder = PurePosixPath(told.settings["dir"])
    return any(container_file.exists(api, container["Id"], str(folder / each)) for each in files)


def has_append_only_file(api: APIClient, container: dict[str, Any], told: Server) -> bool:
    """Whether the append-only file of a server is whole where it looks for it. Raises APIError."""
    folder = PurePosixPath(told.settings["dir"])

    def read(name: str) -> bytes | None:
        return container_file.beginning(api, container["Id"], str(folder / name))

    settings = told.settings
    return append_only_files.are_there(settings["appenddirname"], settings["appendfilename"], read)


def published(service: Service, container: dict[str, Any]) -> int | None:
    """Return the port of this machine that leads to the container's server, or None."""
    if container["HostConfig"]["NetworkMode"] == "host":
        # The image declares its own port, too, on which a server with an option does not listen.
        held = container_definition.ports_held(container)
        named = command_line.port(container["Config"])
        return named if named in held else min(held, default=None)
    found = _binding(service, container)
    return int(found[1]) if found else None


def inner_port(service: Service, container: dict[str, Any]) -> int:
    """Return the port that the server listens on inside the container."""
    found = _binding(service, container)
    return found[0] if found else service.ports[0].target


def place(api: APIClient, service: Service, container: dict[str, Any], told: Server) -> Place:
    """Return where the data of a container lies, by its server's settings `told`."""
    folder = PurePosixPath(told.settings["dir"])
    mount = _mount(container, folder)
    name = str(container["Name"]).removeprefix("/")
    if told.is_guessed:
        return Place(_UNKNOWN)
    if mount is None:
        return Place(f"in the container {name} itself ({folder})")
    if mount["Type"] == "tmpfs":
        return Place(f"in the memory of the container {name}", is_memory=True)
    if mount["Type"] != "volume":
        return Place(f"in the folder {mount['Source']} of this machine", path=mount["Source"])
    volume = str(mount["Name"])
    wanted = service.volumes[0]
    is_our_folder = volume == wanted.name and folder == PurePosixPath(mount["Destination"])
    words = f"in the volume {volume}"
    if _ANONYMOUS.fullmatch(volume):
        words = f"in a volume without a name ({volume[:12]})"
    elif is_our_folder and not told.appends:
        words = f"in other files of the volume {volume}"
    elif volume == wanted.name:
        words = f"in another folder of the volume {volume} ({folder})"
    return Place(
        words,
        is_ours=is_our_folder and told.appends,
        is_our_folder=is_our_folder,
        is_switched_off=is_our_folder
        and told.has_our_names
        and told.starts_appending
        and not told.is_appending,
        volume=volume,
        is_memory=_is_memory(api, volume),
    )


def _is_memory(api: APIClient, volume: str) -> bool:
    """Whether a volume is a tmpfs, which ends with the last container that mounts it."""
    from docker.errors import NotFound

    try:
        return bool((api.inspect_volume(volume).get("Options") or {}).get("type") == "tmpfs")
    except NotFound:
        return False


def _binding(service: Service, container: dict[str, Any]) -> tuple[int, str] | None:
    """Return the port inside, and the port of 127.0.0.1 that leads to it, or None."""
    wanted = f"{service.ports[0].target}/tcp"
    # While it runs, the engine's report counts: the engine may have chosen the port itself.
    found = dict(container["HostConfig"].get("PortBindings") or {})
    found |= {
        port: each
        for port, each in (container["NetworkSettings"].get("Ports") or {}).items()
        if each
    }
    for port in sorted(found, key=lambda each: each != wanted):
        for each in found[port] or ():
            if each.get("HostIp", "") in ("", "0.0.0.0", probe.HOST) and each.get("HostPort"):  # noqa: S104
                return int(port.partition("/")[0]), each["HostPort"]
    return None


def _mount(container: dict[str, Any], folder: PurePosixPath) -> dict[str, Any] | None:
    """Return the mount that contains `folder`; None if it is the container's own file system."""
    in_memory = [
        {"Type": "tmpfs", "Destination": each}
        for each in container["HostConfig"].get("Tmpfs") or ()
    ]
    around = [
        each
        for each in (*container["Mounts"], *in_memory)
        if folder.is_relative_to(PurePosixPath(each["Destination"]))
    ]
    return max(around, key=lambda each: len(each["Destination"]), default=None)
