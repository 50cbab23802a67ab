"""The two stand-ins: their contents, and how they become images."""

from __future__ import annotations

import contextlib
import enum
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.standins import engine, machine

LABEL = "pawsctl-tests.standin"
"""Marks an image as a stand-in; its value tells what it was built from."""


@dataclass(frozen=True)
class Standin:
    """An image that is built from this machine's programs.

    `recipe` is the folder beside this file with the Dockerfile; `programs` maps a command to
    its place in the image; `npm` names a package and its version.
    """

    image: str
    recipe: str
    programs: Mapping[str, str]
    npm: tuple[str, str] | None = None


REDIS = Standin(
    image="redis:7.2-alpine",
    recipe="redis",
    programs={
        "redis-server": "/usr/local/bin/redis-server",
        "redis-cli": "/usr/local/bin/redis-cli",
        # The entrypoint uses it to change the user.
        "setpriv": "/usr/local/bin/setpriv",
    },
)
REDIS_COMMANDER = Standin(
    image="ghcr.io/joeferner/redis-commander:latest",
    recipe="redis_commander",
    programs={"node": "/usr/bin/node", "jq": "/usr/bin/jq", "dumb-init": "/usr/bin/dumb-init"},
    npm=("redis-commander", "0.9.0"),
)
STANDINS = (REDIS, REDIS_COMMANDER)


class Outcome(enum.Enum):
    """The result of `ensure`."""

    OFFICIAL = "is the official image, kept"
    CURRENT = "is up to date"
    BUILT = "built"


def ensure(standin: Standin) -> Outcome:
    """Make sure that the image exists, and return how; one process at a time does.

    Takes a quarter of a second if there is nothing to do. Raises CannotBuildError if this machine
    lacks a part of it, and EngineError if Docker refuses.
    """
    with machine.locked(standin.recipe):
        return _ensure(standin)


def _ensure(standin: Standin) -> Outcome:
    existing = engine.find_image(standin.image)
    if existing and LABEL not in existing.labels:
        return Outcome.OFFICIAL
    try:
        files = _files_of(standin)
    except machine.CannotBuildError:
        # Its source files are gone, but the image that was built from them is whole.
        if existing:
            return Outcome.CURRENT
        raise
    fingerprint = _fingerprint(standin, files)
    if existing and existing.labels[LABEL] == fingerprint:
        return Outcome.CURRENT
    with tempfile.TemporaryDirectory(prefix="pawsctl-test-standin-") as folder:
        _stage(standin, files, Path(folder))
        engine.build(standin.image, Path(folder), {LABEL: fingerprint})
    if existing:
        # The image has no name any more. If a container of another test still uses it, it stays.
        with contextlib.suppress(engine.EngineError):
            engine.remove_image(existing.id)
    return Outcome.BUILT


def remove(standin: Standin) -> bool:
    """Delete the image if it is a stand-in; return whether it was one."""
    existing = engine.find_image(standin.image)
    if existing is None or LABEL not in existing.labels:
        return False
    engine.remove_image(standin.image)
    return True


def _recipe_folder(standin: Standin) -> Path:
    return Path(__file__).parent / standin.recipe


def _files_of(standin: Standin) -> dict[str, Path]:
    """Map each path in the build context to the file on this machine that goes there."""
    programs = {name: machine.find_program(name) for name in standin.programs}
    busybox = machine.find_program("busybox")
    libraries = machine.libraries_of([busybox, *programs.values()])
    if "node" in programs:
        libraries += machine.node_builtins(programs["node"])
    return {
        "base/bin/busybox": busybox,
        **{f"libraries{path}": path for path in libraries},
        **{f"programs{standin.programs[name]}": path for name, path in programs.items()},
    }


def _fingerprint(standin: Standin, files: Mapping[str, Path]) -> str:
    """Return a fingerprint of sizes and times, as make does, without reading 100 MB."""
    digest = hashlib.sha256(repr(standin.npm).encode())
    for place, path in sorted(files.items()):
        stat = path.stat()
        digest.update(f"{place} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    for path in sorted([*_recipe_folder(standin).iterdir(), *Path(__file__).parent.glob("*.py")]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _stage(standin: Standin, files: Mapping[str, Path], folder: Path) -> None:
    """Fill a build context: the recipe's files, and the files its Dockerfile copies."""
    shutil.copytree(_recipe_folder(standin), folder, dirs_exist_ok=True)
    # Folders into which busybox installs its commands, and that programs expect.
    for place in ("sbin", "usr/bin", "usr/sbin", "etc", "root", "tmp"):
        (folder / "base" / place).mkdir(parents=True)
    for place, path in files.items():
        target = folder / PurePosixPath(place)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    if standin.npm is not None:
        name, version = standin.npm
        modules = machine.npm_package(name, version)
        # As in the official image, the package is the folder around its dependencies.
        shutil.copytree(modules / name, folder / "package")
        shutil.copytree(
            modules, folder / "node_modules", ignore=shutil.ignore_patterns(name, ".bin")
        )
