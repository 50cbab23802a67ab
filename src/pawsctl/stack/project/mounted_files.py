"""The compose files, the files they mount, and where this project's state is kept.

`compose/defaults` holds what redis.conf, redis_password and commander.json are in development.
Where the settings differ, the same three are rendered into a new directory with a random name:
the mount's source then tells that a container has old ones, and no hash of a password is needed.
"""

import json
import secrets
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from pawsctl.config.settings import StackSettings
from pawsctl.files import state_dir
from pawsctl.files.state_dir import usable
from pawsctl.stack.project.layout import Topology

# The image's user has to read them; the directory above keeps everybody else out.
_READABLE = 0o444
_PRIVATE = 0o700


def compose_file(topology: Topology = "single") -> Path:
    """The compose file of a topology: inside the installed package, or in a checkout."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "compose"
    folder = installed if installed.is_dir() else package.parents[1] / "compose"
    return folder / ("compose.yaml" if topology == "single" else f"compose.{topology}.yaml")


def state_path(project: str, topology: Topology = "single") -> Path:
    """Where what this project must remember is kept, whether it is there or not.

    Each topology besides the single Redis has a directory of its own below the project's. Raises
    OperationFailed where nobody could tell, UsageError if another user could have changed it.
    """
    return state_dir.path_of(project, *([] if topology == "single" else [topology]))


def state_directory(project: str, topology: Topology = "single") -> Path:
    """The same, the user's own directory; made where it is missing.

    Raises OperationFailed where it can't be made.
    """
    directory = state_path(project, topology)
    state_dir.made(directory)
    return directory


def is_packaged(directory: Path) -> bool:
    """Whether a directory is that of the defaults, which belongs to pawsctl itself."""
    return directory == _defaults()


def rendered(settings: StackSettings, directory: Path, *, own: bool = False) -> Path:
    """The directory with the three files for these settings.

    It is one below the state `directory` that says the same, or `compose/defaults` if nothing
    differs from them, or else a new one; with `own` it is never `compose/defaults`. Raises
    OperationFailed if it can't be used.
    """
    defaults = _defaults()
    wanted = _contents(settings, defaults)
    folder = directory / "files"
    with usable(folder):
        for version in versions(directory):
            if _holds(version, wanted):
                return version
        if not own and _holds(defaults, wanted):
            return defaults
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        return _write(folder / secrets.token_hex(8), wanted)


def existing(settings: StackSettings, directory: Path) -> Path | None:
    """The directory that `rendered` would return, None if it would have to be made."""
    defaults = _defaults()
    wanted = _contents(settings, defaults)
    with usable(directory):
        places = (*versions(directory), defaults)
        return next((each for each in places if _holds(each, wanted)), None)


def versions(directory: Path) -> frozenset[Path]:
    """The renderings in a state directory. Raises OperationFailed if it can't be read."""
    folder = directory / "files"
    with usable(folder), suppress(FileNotFoundError):
        return frozenset(folder.iterdir())
    return frozenset()


def forget_all_but(kept: Path | None, directory: Path) -> None:
    """Remove the renderings that no container uses any more: they hold old passwords.

    Raises OperationFailed where they can't be removed.
    """
    forget(versions(directory) - {kept}, directory)


def forget(unused: Collection[Path], directory: Path) -> None:
    """Remove these renderings from a state directory. Raises OperationFailed if one stays."""
    folder = directory / "files"
    with usable(folder):
        for version in unused:
            for file in version.iterdir():
                # Windows does not delete what is read-only.
                file.chmod(0o600)
            shutil.rmtree(version)
    remove_if_empty(folder)


def remove_if_empty(directory: Path) -> None:
    """Remove a directory that holds nothing; one that does, or is gone, is left."""
    with suppress(OSError):
        directory.rmdir()


def _defaults() -> Path:
    return compose_file().parent / "defaults"


def _contents(settings: StackSettings, defaults: Path) -> dict[str, str]:
    password = settings.redis_password or ""
    template = (defaults / "commander.json").read_text("utf-8")
    commander = json.loads(template)
    commander["server"]["httpAuth"] |= {
        "username": settings.commander_user,
        "password": settings.commander_password,
    }
    commander["connections"][0]["password"] = password
    is_default = commander == json.loads(template)
    return {
        # The second is what a replica logs in to its primary with.
        "redis.conf": f'requirepass "{password}"\nmasterauth "{password}"\n' if password else "",
        "redis_password": password,
        "commander.json": template if is_default else json.dumps(commander, indent=2) + "\n",
    }


def _holds(directory: Path, wanted: dict[str, str]) -> bool:
    return all(
        (directory / name).is_file() and (directory / name).read_bytes() == text.encode("utf-8")
        for name, text in wanted.items()
    )


def _write(version: Path, wanted: dict[str, str]) -> Path:
    # Renamed when complete: a directory of that name is whole, or it is not there.
    with TemporaryDirectory(dir=version.parent, ignore_cleanup_errors=True) as unfinished:
        complete = Path(unfinished) / version.name
        complete.mkdir(mode=_PRIVATE)
        for name, text in wanted.items():
            file = complete / name
            file.write_bytes(text.encode("utf-8"))
            file.chmod(_READABLE)
        complete.rename(version)
    return version
