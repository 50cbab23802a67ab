"""Whether the engine sees the files of this machine that services mount.

An engine from a snap, in a virtual machine or outside of a development container has directories
of its own, and may have another file at the same path.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pawsctl.stack.engine.docker.objects import probe_container
from pawsctl.stack.engine.docker.sdk.sdk_client import explained
from pawsctl.stack.engine.protocol import FilesNotSeen

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import File, Service, Stack

# What Docker, Docker Desktop and Podman say of a source that they don't have.
_NOT_THERE = ("bind source path does not exist", "mounts denied", "no such file or directory")
# Bytes; what is larger is none of our files.
_LARGEST = 1 << 20


def binds(service: Service) -> list[dict[str, Any]]:
    """The files of a service as Docker's API wants them."""
    return [
        {"Type": "bind", "Source": str(each.source), "Target": each.target, "ReadOnly": True}
        for each in service.files
    ]


def sources(container: dict[str, Any]) -> dict[str, str]:
    """Target → source of the files that a container was asked to mount.

    That is not what its `Mounts` say, which Docker Desktop translates. Podman tells of `Binds`
    alone.
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


def check_seen(api: APIClient, stack: Stack, service: Service, image_id: str) -> None:
    """Raise FilesNotSeen if the engine has not the files of a service as they are here.

    It is asked to make a container with them, which is removed again and never runs.
    """
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
    """Raise FilesNotSeen if `reason`, the engine's, is that a file of the service is not there."""
    if any(each in reason.lower() for each in _NOT_THERE):
        for file in service.files:
            if str(file.source) in reason or str(file.source.parent) in reason:
                raise FilesNotSeen.of(file.source.parent, reason) from error


def _differs(api: APIClient, container: str, file: File) -> bool:
    """Whether the container certainly has other content there than this machine's file."""
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
    # Not every engine opens a container's mounts before it runs.
    except (APIError, tarfile.TarError, LookupError):
        return False
    return found != Path(file.source).read_bytes()
