"""A profile: one named environment, with where it is and how to log in there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec.structs import replace

from pawsctl import escaping
from pawsctl.config import password_file, redis_url
from pawsctl.config.profiles.files import ProfilesFile, own_path
from pawsctl.config.profiles.toml_text import CERTIFICATES, PASSWORDS, Entry
from pawsctl.config.setting_specs import Setting
from pawsctl.config.target import Target
from pawsctl.errors import UsageError

_SSL = (*CERTIFICATES, "ssl_check_hostname", "ssl_cert_reqs")
_SETTINGS = {"SESSION_PREFIX": "prefix", "SESSION_TTL": "ttl", "SESSION_FORMAT": "format"}


class Profile(msgspec.Struct, frozen=True):
    """A profile of one file; `production`, `read_only` and `mask` are where it says so, or ''.

    `is_found` says that the file was found in the project and is not the user's own.
    """

    name: str
    path: Path
    is_found: bool
    entries: dict[str, Entry]
    production: str
    read_only: str
    mask: str

    @property
    def claims(self) -> tuple[str, ...]:
        """The clauses of the profile by which it is production's."""
        return (f"{self.production} says production",) if self.production else ()

    def origin(self, key: str) -> str:
        """Return where a key of the profile stands, in words."""
        return f"profile {self.name} in {self.path}:{self.entries[key].line}"

    def get(self, key: str) -> Any:
        """Return the value of a key, or None."""
        entry = self.entries.get(key)
        return None if entry is None else entry.value

    def setting(self, name: str) -> Setting | None:
        """Return what the profile says of a setting, such as SESSION_PREFIX; None if nothing."""
        if name == "PAWSCTL_READ_ONLY" and self.read_only:
            return Setting(name, "1", self.read_only)
        if name == "PAWSCTL_MASK" and self.mask:
            return Setting(name, "1", self.mask)
        key = _SETTINGS.get(name, "")
        return Setting(name, self.get(key), self.origin(key)) if key in self.entries else None

    def session_settings(self) -> list[Setting]:
        """Return what the profile says of sessions, not validated."""
        return [found for name in _SETTINGS if (found := self.setting(name)) is not None]

    def place(self) -> Target:
        """Return the Redis of the profile, without a password. Raises UsageError."""
        origin, url = self.origin("url"), str(self.get("url"))
        given = {key: self.get(key) for key in _SSL if key in self.entries}
        for key in CERTIFICATES:
            if key in given:
                given[key] = str(self._beside(given[key]))
        if given:
            written = {
                key: str(value).lower() if value in (True, False) else value
                for key, value in given.items()
            }
            url += ("&" if "?" in url else "?") + urlencode(written)
        target = redis_url.parse(url, origin=origin)
        return replace(
            target, profile=self.name, production=self.claims, is_production=bool(self.production)
        )

    def target(self) -> Target:
        """Return the Redis of the profile with its login: no other source adds a password.

        Raises UsageError if the password can't be read.
        """
        found = self.place()
        password, of_sentinels = (self._password(*keys) for keys in PASSWORDS)
        if of_sentinels:
            found = replace(found, sentinel_password=of_sentinels)
        return found.with_login(found.username, password) if password else found

    def _password(self, file: str, command: str) -> str | None:
        """Return the password of the one or the other key; None if there is neither."""
        if name := self.get(file):
            origin = f"{file} of {self.origin(file)}"
            return password_file.read(str(self._beside(name)), found_in=None, setting=origin)
        if words := self.get(command):
            # Only a profile with a command needs it.
            from pawsctl.config.profiles import password_command

            words = words if isinstance(words, str) else tuple(words)
            origin = f"{command} of {self.origin(command)}"
            return password_command.run(words, origin, self.path.parent)
        return None

    @property
    def runs_commands(self) -> bool:
        """Whether a command gives a password of the profile."""
        return any(command in self.entries for _, command in PASSWORDS)

    def _beside(self, name: str) -> Path:
        """Return the path of a file that the profile names, relative to the profile's own."""
        try:
            return self.path.parent / Path(name).expanduser()
        except RuntimeError:
            return self.path.parent / name


def every(files: Sequence[ProfilesFile]) -> dict[str, Profile]:
    """Return each profile by its name.

    Of two with the same name, the user's own counts; the project's can only tighten it. Raises
    UsageError for a profile without a URL.
    """
    found: dict[str, Profile] = {}
    for file in files:
        for name, entries in file.profiles.items():
            production, read_only, mask = (
                f"profile {name} in {file.path}:{entries[key].line}"
                if key in entries and entries[key].value
                else ""
                for key in ("production", "read_only", "mask")
            )
            if own := found.get(name):
                found[name] = replace(
                    own,
                    production=own.production or production,
                    read_only=own.read_only or read_only,
                    mask=own.mask or mask,
                )
                continue
            if "url" not in entries:
                raise UsageError(
                    f"The profile {name} in {file.path} has no url.",
                    hint='Add a line like url = "rediss://app@redis.example.com:6380".',
                )
            found[name] = Profile(
                name, file.path, not file.is_own, entries, production, read_only, mask
            )
    return found


def named(name: str, origin: str, files: Sequence[ProfilesFile]) -> Profile:
    """Return the profile of that name; `origin` names who asks for it. Raises UsageError."""
    known = every(files)
    if name in known:
        return known[name]
    where = ", ".join(str(each.path) for each in files) or f"{own_path()} or the project"
    names = f"They are {', '.join(sorted(known))}." if known else "None exists yet."
    raise UsageError(
        f"There is no profile '{escaping.setting(name)}' ({origin}) in {where}.",
        hint=f"{names} A profile begins with a line like [profiles.prod] in a pawsctl.toml.",
    )
