"""The volumes that hold a project's data: its own, and those of a Redis that was taken over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pawsctl.files.state_dir import usable
from pawsctl.stack.engine.docker.objects import labels

if TYPE_CHECKING:
    from docker.api import APIClient

    from pawsctl.stack.project.services import Stack

# Names, one per line, of volumes whose keys were taken over and that were not removed.
_FILE = "volumes-before"


def all_of(
    api: APIClient, stack: Stack, containers: Iterable[Mapping[str, Any]], directory: Path
) -> list[str]:
    """Return the project's volumes, those its containers mount, and those taken over from."""
    ours = {volume.name for service in stack.services for volume in service.volumes}
    listed = api.volumes()["Volumes"] or ()
    mine = {
        each["Name"]
        for each in listed
        if each["Name"] in ours and (each["Labels"] or {}).get(labels.PROJECT) == stack.project
    }
    mounted = {
        mount["Name"]
        for each in containers
        for mount in each["Mounts"]
        if mount["Type"] == "volume"
    }
    before = {*_before(directory)} & {each["Name"] for each in listed}
    return sorted(mine | mounted | before)


def remember(directory: Path, name: str) -> None:
    """Note down a volume that is kept after its keys were taken over."""
    names = dict.fromkeys([*_before(directory), name])
    with usable(directory):
        (directory / _FILE).write_text("".join(f"{each}\n" for each in names), "utf-8")


def forget(directory: Path) -> None:
    """Delete the list of volumes that were taken over from."""
    with usable(directory):
        (directory / _FILE).unlink(missing_ok=True)


def _before(directory: Path) -> list[str]:
    with usable(directory), suppress(FileNotFoundError):
        return (directory / _FILE).read_text("utf-8").splitlines()
    return []
