"""The files that services mount, and the check that the engine sees this machine's files.

An engine from a snap, in a virtual machine or outside of a development container has directories
of its own, and may have another file at the same path.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pawsctl.stack.engine.docker.objects import probe_container
from pawsctl.stack.engine.docker.sdk.sdk_client import explained
from pawsctl.stack.engine.protocol import FilesNotSeen
from pawsctl.stack.project import mounted_files

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import File, Service, Stack

# Errors of Docker, Docker Desktop and Podman about a missing source.
_NOT_THERE = ("bind source path does not exist", "mounts denied", "no such file or directory")
# Bytes; none of our files is larger.
_LARGEST = 1 << 20
_PASSWORD = "/run/secrets/redis_password"  # noqa: S105 - the path of a file


def binds(service: Service) -> list[dict[str, Any]]:
    """Return the files of a service as mounts for Docker's API."""
    return [
        {"Type": "bind", "Source": str(each.source), "Target": each.target, "ReadOnly": True}
        for each in service.files
    ]


def sources(container: dict[str, Any]) -> dict[str, str]:
    """Return target → source of the files that a container was asked to mount.

    The container's own `Mounts` are not used: Docker Desktop translates them. Podman reports
    `Binds` only.
    """
    host = container["HostConfig"]
    found = {
        each["Target"]: each["Source"]
        for each in host.get("Mounts") or ()
        if each["Type"] == "bind"
    }
    for bind in host.get("Binds") or ():
        source, _, rest = bind.partition(":")
        if source.startswith("/"):
            found[rest.partition(":")[0]] = source
    return found


def passwords(container: dict[str, Any]) -> list[str]:
    """Return the password that a container of ours was started with; none if it had none."""
    file = sources(container).get(_PASSWORD)
    found = mounted_files.password_in(Path(file).parent) if file else None
    return [found] if found else []


def check_seen(
    api: APIClient, stack: Stack, services: Sequence[Service], images: Mapping[str, dict[str, Any]]
) -> None:
    """Raise FilesNotSeen if the engine does not see the files of services as they are here.

    To find out, a container that mounts them is created, never started, and removed; it is one for
    all services that mount the same files into the same image.
    """
    distinct = {(images[each.image]["Id"], each.files): each for each in services}
    for (image_id, _), service in distinct.items():
        _check_seen(api, stack, service, image_id)


def _check_seen(api: APIClient, stack: Stack, service: Service, image_id: str) -> None:
    from docker.errors import APIError

    body = {
        "Image": image_id,
        "Cmd": ["true"],
        "HostConfig": {"NetworkMode": "none", "Mounts": binds(service)},
    }
    try:
        with probe_container.probe(api, stack, service, body) as made:
            for file in service.files:
                if _differs(api, made, file):
                    raise FilesNotSeen.of(file.source.parent, "it has another file at that path")
    except APIError as error:
        raise_if_not_seen(service, explained(error), error)
        raise


def raise_if_not_seen(service: Service, reason: str, error: Exception) -> None:
    """Raise FilesNotSeen if the engine's `reason` says that a file of the service is missing."""
    if any(each in reason.lower() for each in _NOT_THERE):
        for file in service.files:
            if str(file.source) in reason or str(file.source.parent) in reason:
                raise FilesNotSeen.of(file.source.parent, reason) from error


def _differs(api: APIClient, container: str, file: File) -> bool:
    """Whether the container has other content than this machine's file; False if unknown."""
    from docker.errors import APIError

    try:
        stream, about = api.get_archive(container, file.target)
        if (about or {}).get("size", 0) > _LARGEST:
            stream.close()
            return True
        with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
            member = next(iter(archive), None)
            content = archive.extractfile(member) if member else None
            found = content.read() if content else b""
    # Some engines open a container's mounts only when it runs.
    except (APIError, tarfile.TarError, LookupError):
        return False
    return found != Path(file.source).read_bytes()
