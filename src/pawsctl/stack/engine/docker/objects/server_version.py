"""The server version of an image, and whether one version can read another's data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pawsctl.stack.engine import append_only_files
from pawsctl.stack.engine.docker.objects import container_file, probe_container

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import Service, Stack

# Seconds that a server may take to print its version.
_PATIENCE = 10
# Since this version Redis keeps its append-only file in a folder; older versions do not read it.
FOLDERS_SINCE = (7, 0)


class Version(Struct, frozen=True):
    """A server's name, major and minor version (they decide the data format), and full version."""

    name: str
    number: tuple[int, int]
    text: str

    def __str__(self) -> str:
        return f"{self.name} {self.text}"


def of_image(api: APIClient, stack: Stack, service: Service, image_id: str) -> Version | None:
    """Run `redis-server --version` in a container of an image, and return the version.

    None if the image has no such server, or its output is not understood.
    """
    import requests
    from docker.errors import APIError

    body = {
        "Image": image_id,
        "Entrypoint": ["redis-server"],
        "Cmd": ["--version"],
        # The engine may be set up to keep no logs.
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "json-file"}},
    }
    try:
        with probe_container.probe(api, stack, service, body) as made:
            api.start(made)
            api.wait(made, timeout=_PATIENCE)
            return parse(api.logs(made).decode("utf-8", "replace"))
    except (APIError, requests.RequestException):
        return None


def parse(printed: str) -> Version | None:
    """Parse the output of `redis-server --version`; None if it is not understood."""
    found = re.search(r"(\w+) server v=((\d+)\.(\d+)\S*)", printed)
    if not found:
        return None
    return Version(found[1], (int(found[3]), int(found[4])), found[2])


def reads(server: Version | None, written_by: Version | None) -> bool:
    """Whether a server reads all data that another has written; False if either is unknown."""
    if server is None or written_by is None:
        return False
    return server.name == written_by.name and server.number >= written_by.number


def has_run(api: APIClient, container: dict[str, Any]) -> bool:
    """Whether the server of a container got as far as opening its data, by its log.

    If the engine keeps no log, True for every container that was started.
    """
    from docker.errors import APIError

    if str(container["State"]["StartedAt"]).startswith("0001"):
        return False
    try:
        text = api.logs(container["Id"])
    except APIError:
        return True
    return re.search(rb"(?:Redis|Valkey) version=\d", text) is not None


def has_aof_folder(api: APIClient, container_id: str, directory: str) -> bool:
    """Whether a container, started or not, has an append-only folder in `directory`.

    Raises APIError if the engine fails: that is no sign that there is no folder.
    """
    return container_file.exists(api, container_id, f"{directory}/{append_only_files.FOLDER}")
