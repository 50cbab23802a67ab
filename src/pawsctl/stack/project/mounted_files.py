"""The compose files, the files that services mount, and the project's state directory.

`compose/defaults` holds redis.conf, redis_password and commander.json for development. If the
settings differ, the same three are rendered into a new directory with a random name: a container
with old files is then recognised by the mount's source, without a hash of the password.
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

# The image's user has to read the files; the directory above them keeps other users out.
_READABLE = 0o444
_PRIVATE = 0o700


def compose_file(topology: Topology = "single") -> Path:
    """Return the compose file of a topology: in the installed package, or in a checkout."""
    package = Path(__file__).resolve().parents[2]
    installed = package / "compose"
    folder = installed if installed.is_dir() else package.parents[1] / "compose"
    return folder / ("compose.yaml" if topology == "single" else f"compose.{topology}.yaml")


def state_path(project: str, topology: Topology = "single") -> Path:
    """Return the path of the project's state directory, whether it exists or not.

    Each topology except `single` has its own directory below the project's. Raises OperationFailed
    if the path can't be determined, UsageError if another user could have changed it.
    """
    return state_dir.path_of(project, *([] if topology == "single" else [topology]))


def state_directory(project: str, topology: Topology = "single") -> Path:
    """Return the project's state directory, and create it for this user if it is missing.

    Raises OperationFailed if it can't be created.
    """
    directory = state_path(project, topology)
    state_dir.made(directory)
    return directory


def is_packaged(directory: Path) -> bool:
    """Whether a directory is that of the default files, which belong to pawsctl itself."""
    return directory == _defaults()


def rendered(settings: StackSettings, directory: Path, *, own: bool = False) -> Path:
    """Return a directory with the three files for these settings.

    It is an existing one below the state `directory` with the same content, or `compose/defaults`
    if nothing differs from it, or else a new one; with `own` it is never `compose/defaults`. Raises
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
    """Return the directory that `rendered` would return; None if it does not exist yet."""
    defaults = _defaults()
    wanted = _contents(settings, defaults)
    with usable(directory):
        places = (*versions(directory), defaults)
        return next((each for each in places if _holds(each, wanted)), None)


def password_in(folder: Path) -> str | None:
    """Return the password in a directory of rendered files; None if it has none."""
    try:
        return (folder / "redis_password").read_text("utf-8") or None
    except (OSError, UnicodeError):
        return None


def versions(directory: Path) -> frozenset[Path]:
    """Return the rendered directories in a state directory.

    Raises OperationFailed if it can't be read.
    """
    folder = directory / "files"
    with usable(folder), suppress(FileNotFoundError):
        return frozenset(folder.iterdir())
    return frozenset()


def forget_all_but(kept: Path | None, directory: Path) -> None:
    """Remove the rendered directories other than `kept`: they hold old passwords.

    Raises OperationFailed if they can't be removed.
    """
    forget(versions(directory) - {kept}, directory)


def forget(unused: Collection[Path], directory: Path) -> None:
    """Remove these rendered directories. Raises OperationFailed if one can't be removed."""
    folder = directory / "files"
    with usable(folder):
        for version in unused:
            for file in version.iterdir():
                # Windows does not delete read-only files.
                file.chmod(0o600)
            shutil.rmtree(version)
    remove_if_empty(folder)


def remove_if_empty(directory: Path) -> None:
    """Remove a directory if it exists and is empty."""
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
        # A replica logs in to its primary with masterauth.
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
    # Renamed when complete, so that no directory of that name is incomplete.
    with TemporaryDirectory(dir=version.parent, ignore_cleanup_errors=True) as unfinished:
        complete = Path(unfinished) / version.name
        complete.mkdir(mode=_PRIVATE)
        for name, text in wanted.items():
            file = complete / name
            file.write_bytes(text.encode("utf-8"))
            file.chmod(_READABLE)
        complete.rename(version)
    return version
