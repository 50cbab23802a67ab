"""Resolve every setting from the command line, the environment, a `.env` and the defaults.

A setting is looked up in this order: a command's option, the environment, the `.env` file (found
from the working directory upwards, or named by `--env-file`), the default. An empty value counts
as unset, like `${NAME:-default}` in a compose file. What a profile says stands above all but the
options. A switch that is tightened by any of them stays so (`switches`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pawsctl import escaping
from pawsctl.config import dotenv_file, switches
from pawsctl.config.setting_specs import SETTING_SPECS, Setting, SettingSpec
from pawsctl.config.settings import Settings
from pawsctl.errors import UsageError

if TYPE_CHECKING:
    from pawsctl.config.profiles.profile import Profile


def load(
    *,
    environ: Mapping[str, str],
    directory: Path,
    env_file: Path | None = None,
    url: str | None = None,
    read_only: bool = False,
    mask: bool = False,
    profile: str | None = None,
) -> Settings:
    """Resolve every known setting.

    `url` is the value of --url, `read_only` of --read-only, `mask` of --mask, `profile` of
    --profile; `directory` is where the search for `.env` and `pawsctl.toml` begins. Raises
    UsageError for a file that can't be read (naming the line) or that another user could have
    written, for a setting that is not UTF-8, and for a profile together with `url`.
    """
    path = env_file or dotenv_file.nearest(directory, home(environ))
    file = dotenv_file.read(path) if path else {}
    options = {
        "REDIS_URL": url or "",
        "PAWSCTL_PROFILE": profile or "",
        "PAWSCTL_READ_ONLY": "1" if read_only else "",
        "PAWSCTL_MASK": "1" if mask else "",
    }
    values = {}
    for known in SETTING_SPECS:
        said = []
        if value := options.get(known.name):
            said.append(Setting(known.name, value, f"option {_OPTIONS[known.name]}"))
        if value := environ.get(known.name):
            said.append(Setting(known.name, value, f"{known.name} in the environment"))
        if entry := file.get(known.name):
            said.append(Setting(known.name, entry[0], f"{known.name} in {path}:{entry[1]}"))
        values[known.name] = _chosen(known, said)
    is_found = path is not None and env_file is None
    found = _profile(values["PAWSCTL_PROFILE"], directory, home(environ), url=url)
    if found is not None:
        for known in SETTING_SPECS:
            if (of_profile := found.setting(known.name)) is not None:
                values[known.name] = _tighter(known, of_profile, values[known.name])
    return Settings(values, path, is_found=is_found, profile=found)


def _profile(
    setting: Setting, directory: Path, home: Path | None, *, url: str | None
) -> "Profile | None":
    """Return the profile that is named, or None. Raises UsageError, also if there is a `url`."""
    if not setting.value:
        return None
    if url:
        raise UsageError(
            f"--url and the profile {escaping.setting(setting.value)} ({setting.origin}) name two "
            "places.",
            hint="Leave one of them out.",
        )
    # Only a command with a profile needs them.
    from pawsctl.config.profiles import files, profile

    return profile.named(setting.value, setting.origin, files.every(directory, home))


def _tighter(known: SettingSpec, of_profile: Setting, other: Setting) -> Setting:
    """Return what counts: the profile's, but a switch that another source has on already stays."""
    return switches.tightest([other, of_profile]) if known.is_switch else of_profile


_OPTIONS = {
    "REDIS_URL": "--url",
    "PAWSCTL_PROFILE": "--profile",
    "PAWSCTL_READ_ONLY": "--read-only",
    "PAWSCTL_MASK": "--mask",
}


def _chosen(known: SettingSpec, said: Sequence[Setting]) -> Setting:
    """Return which of the sources, strongest first, counts. Raises UsageError if it is no text."""
    every = [*said, Setting(known.name, known.default, "default")]
    found = switches.tightest(every) if known.is_switch else every[0]
    if not _is_text(found.value):
        raise UsageError(
            f"{known.name} ({found.origin}) is not UTF-8.", hint="Set it anew, or unset it."
        )
    return found


def home(environ: Mapping[str, str]) -> Path | None:
    """Return the user's home directory, or None if there is none."""
    if named := environ.get("HOME") or environ.get("USERPROFILE"):
        return Path(named).resolve()
    try:
        return Path.home().resolve()
    except (RuntimeError, OSError):
        return None


def _is_text(value: str) -> bool:
    """Return whether a value was UTF-8; if not, Python has put surrogates in it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
