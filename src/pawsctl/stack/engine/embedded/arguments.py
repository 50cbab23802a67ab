"""The command line of an embedded server: the container's, with this machine's paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pawsctl.files import state_dir
from pawsctl.stack.engine import diff

if TYPE_CHECKING:
    from pawsctl.stack.project.services import Service

# Log times with their zone, so that `--since` and `--timestamps` need not guess it.
_LOG_FORMAT = ("--log-timestamp-format", "iso8601")
# Option of the server → the compose file's field for it.
_FIELDS = {"port": "ports", "dir": "volumes", "include": diff.SECRETS}


def of_service(service: Service, data: Path) -> tuple[str, ...]:
    """Return the arguments of a service's server that works in the folder `data`."""
    places = {each.target: str(each.source) for each in service.files}
    places |= {each.target: str(data) for each in service.volumes}
    given = [places.get(word, word) for word in service.command[1:]]
    for volume in service.volumes:
        inside = f"{volume.target}/"
        given = [
            str(data / word.removeprefix(inside)) if word.startswith(inside) else word
            for word in given
        ]
    port = ("--port", str(service.ports[0].published), "--bind", service.ports[0].host)
    return (*given, *port, *_LOG_FORMAT)


def prepare(configuration: Path, data: Path) -> None:
    """Create the file in which the server notes its role, as topology/start.sh does."""
    if configuration.parent != data:
        return
    state_dir.made(data)
    with state_dir.usable(data):
        configuration.touch(mode=0o600)
        if configuration.name == "redis.conf":
            lines = configuration.read_text("utf-8").splitlines(keepends=True)
            role = [line for line in lines if line.startswith("replicaof ")]
            configuration.write_text("".join(role), "utf-8")


def changed(before: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the fields that differ between two command lines.

    The first word of each is the path of the configuration file.
    """
    names = [_FIELDS.get(each, each) for each in diff.options(before[1:], wanted[1:])]
    if before[0] != wanted[0]:
        names.insert(0, diff.SECRETS)
    if diff.SECRETS in names:
        paths = ([each for each in words if each.startswith("/")] for words in (before, wanted))
        index = names.index(diff.SECRETS)
        names[index : index + 1] = diff.contents(*paths)
    return tuple(dict.fromkeys(names))
