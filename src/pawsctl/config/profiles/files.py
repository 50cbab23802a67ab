"""Find and read the two files with profiles: the user's own, and the project's."""

import os
import stat
from pathlib import Path

import msgspec

from pawsctl.config import dotenv_file
from pawsctl.config.profiles import toml_text
from pawsctl.config.profiles.toml_text import Entry
from pawsctl.errors import UsageError
from pawsctl.files import trust

NAME = "pawsctl.toml"
# Bytes. Profiles take some hundreds.
_MOST = 256 << 10


class ProfilesFile(msgspec.Struct, frozen=True):
    """A file with profiles; `is_own` says that it is in the user's configuration directory."""

    path: Path
    is_own: bool
    profiles: dict[str, dict[str, Entry]]


def own_path() -> Path:
    """Return the path of the user's own file, whether it exists or not."""
    # Only a command with a profile needs it.
    from platformdirs import user_config_path

    return user_config_path("pawsctl", appauthor=False) / NAME


def every(directory: Path, home: Path | None) -> list[ProfilesFile]:
    """Return the user's own file and then the nearest from `directory` upwards, those there are.

    Raises UsageError for a file that can't be read, that another user could have written, or that
    has a line that is not understood.
    """
    own = own_path()
    found = dotenv_file.nearest(directory, home, NAME, way_on="Or leave the profile out.")
    files = []
    if own.is_absolute() and os.path.lexists(own):
        _require_trusted(own)
        files.append(_read(own, is_own=True))
    if found is not None and not (files and found.samefile(own)):
        files.append(_read(found, is_own=False))
    return files


def _require_trusted(path: Path) -> None:
    """Raise UsageError for a file that another user could have written: it may name a command."""
    try:
        fault = trust.fault(path)
        if not fault and not stat.S_ISREG(path.stat().st_mode):
            fault = "it is no file"
    except OSError as error:
        fault = error.strerror or str(error)
    if fault:
        raise UsageError(
            f"{path} is not read: {fault}, and what it says could be somebody else's.",
            hint="If it is yours, see to that (chown, chmod). Or leave the profile out.",
        )


def _read(path: Path, *, is_own: bool) -> ProfilesFile:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST + 1)
        text = content.decode("utf-8-sig")
        fault = "it has more than 256 KB" if len(content) > _MOST else ""
    except UnicodeDecodeError:
        fault = "it is not UTF-8"
    except OSError as error:
        fault = error.strerror or str(error)
    if fault:
        raise UsageError(f"{path} can't be read: {fault}.", hint="Fix the file.")
    return ProfilesFile(path, is_own, toml_text.profiles(text, name=str(path), is_own=is_own))
