"""The volumes that hold a project's data: its own, and those of a Redis that was taken over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pawsctl.errors import Conflict
from pawsctl.files.state_dir import usable
from pawsctl.stack.engine.docker.objects import labels
from pawsctl.stack.events import Emit, Kept, Removed

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


def missing(api: APIClient, stack: Stack) -> frozenset[str]:
    """Return the services that keep their data in a volume which does not exist."""
    there = {each["Name"] for each in api.volumes()["Volumes"] or ()}
    return frozenset(
        each.key for each in stack.services if each.volumes and each.volumes[0].name not in there
    )


def users(api: APIClient, name: str, ours: Collection[str] = ()) -> list[str]:
    """Return the names of containers that mount a volume, but for those in `ours`."""
    found = api.containers(all=True, filters={"volume": name})
    names = [str(each["Names"][0]).removeprefix("/") for each in found if each["Names"]]
    return [each for each in names if each not in ours]


def check_deletable(api: APIClient, names: Iterable[str], ours: Collection[str]) -> None:
    """Raise Conflict if another container than those in `ours` mounts one of the volumes."""
    for name in names:
        if others := users(api, name, ours):
            raise in_use(name, others, "Nothing was deleted.")


def in_use(name: str, others: Iterable[str], so_far: str, hint: str = "") -> Conflict:
    """Return the conflict that a volume can't be deleted, since `others` mount it."""
    names = " and ".join(others)
    return Conflict(
        f"The volume {name} can't be deleted: the container {names or 'of somebody else'} uses it, "
        f"too. {so_far}",
        hint=f"Remove what uses it (also if it is stopped), and run this again. {hint}".rstrip(),
    )


def delete(api: APIClient, names: Iterable[str], emit: Emit) -> tuple[list[str], list[str]]:
    """Delete volumes; return the names of those that are gone, and of those in use, which stay.

    Where a volume is a folder of this machine under another name, the folder stays, and the user
    is told so.
    """
    from docker.errors import APIError

    gone, kept = [], []
    for name in names:
        outlives = _outside(api, name)
        try:
            api.remove_volume(name)
        except APIError as error:
            if error.status_code == 409:
                kept.append(name)
                continue
            # An anonymous volume was removed with its container.
            if error.status_code != 404:
                raise
        gone.append(name)
        emit(Removed("volume", name))
        if outlives:
            emit(Kept("data", outlives, f"the volume {name} was but a name for it"))
    return gone, kept


def _outside(api: APIClient, name: str) -> str:
    """Return the place of a volume's data that Docker does not delete with it, or ''."""
    from docker.errors import NotFound

    try:
        options = api.inspect_volume(name).get("Options") or {}
    except NotFound:
        return ""
    return "" if options.get("type") == "tmpfs" else str(options.get("device", ""))


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
