"""Every setting: its value and where it came from, and what follows from them together."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import msgspec
from msgspec.structs import replace

from pawsctl import escaping, sizes
from pawsctl.config import kept_password, password_file, redis_url, setting_specs, switches
from pawsctl.config.setting_specs import EngineChoice, Setting, is_kept, is_production
from pawsctl.config.target import Target, is_published
from pawsctl.errors import UsageError

if TYPE_CHECKING:
    # 3 ms, which only a command with a profile pays.
    from pawsctl.config.profiles.profile import Profile

# Passwords that are sent to whatever host the URL names; the first that is set is used.
_FOR_ANY_HOST = ("REDISCLI_AUTH", "REDIS_PASSWORD_FILE")


class StackSettings(msgspec.Struct, frozen=True):
    """The settings of this project's own containers. Ports are TCP ports on loopback."""

    project: str
    engine: EngineChoice
    redis_port: int
    redis_password: str | None
    redis_image: str
    redis_maxmemory: str
    commander_image: str
    commander_port: int
    commander_user: str
    commander_password: str


class Settings(msgspec.Struct, frozen=True):
    """All settings of one invocation, resolved but not validated.

    `file` is the `.env` that was read; `is_found` says that it was found by search, not named.
    `profile` is the one that is named: its URL and login count instead of those in `values`, which
    are still those of this project's own Redis.
    """

    values: Mapping[str, Setting]
    file: Path | None = None
    is_found: bool = False
    profile: "Profile | None" = None

    def __getitem__(self, name: str) -> Setting:
        return self.values[name]

    def text(self, name: str) -> str:
        """Return the value of a setting."""
        return self.values[name].value

    def redis_target(self) -> Target:
        """Return the Redis that session commands talk to, with its login.

        A password in the URL wins, then REDISCLI_AUTH and REDIS_PASSWORD_FILE (for any host), then
        REDIS_PASSWORD, on loopback only: a development password is never sent over the network.

        A profile has a login of its own. Raises UsageError for a URL or password file that can't
        be read.
        """
        found = self.profile.target() if self.profile else self._logged_in()
        return self.guarded(found)

    def guarded(self, target: Target) -> Target:
        """Return a target with what the settings demand of every one: to be only read, or guarded.

        For a target that a command names beside the settings' own.
        """
        production = dict.fromkeys((*target.production, *self.production))
        return replace(target, read_only=self.read_only, production=tuple(production))

    @property
    def read_only(self) -> str:
        """The origin of the setting by which nothing may be changed; '' if there is none."""
        setting = self["PAWSCTL_READ_ONLY"]
        return setting.origin if switches.is_on(setting) else ""

    @property
    def mask(self) -> str:
        """The origin of the setting by which private data is masked; '' if there is none."""
        setting = self["PAWSCTL_MASK"]
        return setting.origin if switches.is_on(setting) else ""

    @property
    def production(self) -> tuple[str, ...]:
        """The settings by which this is production, in clauses."""
        setting = self["NODE_ENV"]
        if not is_production(setting.value):
            return ()
        return (f"NODE_ENV is production ({setting.origin})",)

    def is_from_found_file(self, setting: Setting) -> bool:
        """Return whether a value is from a file that was found in the project, not named."""
        if self.profile and self.profile.is_found and self.profile.setting(setting.name) == setting:
            return True
        return self.is_found and setting.is_of(self.file)

    def without_url(self) -> Self:
        """Return the settings as they are without a REDIS_URL."""
        return replace(
            self, values={**self.values, "REDIS_URL": Setting("REDIS_URL", "", "default")}
        )

    def _logged_in(self) -> Target:
        found = self.redis_place()
        if found.password is not None:
            return found
        if password := self._password_for_any_host():
            self._require_meant(found)
            return found.with_login(found.username, password)
        if not found.is_local:
            return found
        own = self._own_password(make=False)
        return replace(found.with_login(found.username, own), password_stays=True)

    def redis_place(self) -> Target:
        """Return the Redis of the profile, REDIS_URL or REDIS_PORT, with no login but the URL's.

        Raises UsageError for a URL or port that can't be read.
        """
        if self.profile:
            return self.profile.place()
        url, port = self["REDIS_URL"], self["REDIS_PORT"]
        if url.value:
            return redis_url.parse(url.value, origin=url.origin)
        return redis_url.parse(
            f"redis://127.0.0.1:{self.port('REDIS_PORT')}",
            origin="the default" if port.is_default else port.origin,
        )

    def _require_meant(self, target: Target) -> None:
        """Raise UsageError if a `.env` found by search would send our password to its host."""
        secret = next(self[name] for name in _FOR_ANY_HOST if self.text(name))
        is_found = self.is_found and self["REDIS_URL"].is_of(self.file)
        if is_found and not target.is_local and not secret.is_of(self.file):
            raise UsageError(
                f"{secret.origin} would be sent to {target.host}, which {self.file} names, and "
                "nobody has named that file.",
                hint="If you mean it, name the file with --env-file, or set REDIS_URL in the "
                "environment.",
            )

    def _password_for_any_host(self) -> str | None:
        if password := self.text("REDISCLI_AUTH"):
            return password
        setting = self["REDIS_PASSWORD_FILE"]
        if setting.value:
            found_in = self.file if self.is_found and setting.is_of(self.file) else None
            return password_file.read(setting.value, found_in=found_in)
        return None

    @property
    def has_kept_password(self) -> bool:
        """Whether REDIS_PASSWORD is `random`: pawsctl makes a password and keeps it."""
        return is_kept(self["REDIS_PASSWORD"])

    @property
    def project(self) -> str:
        """The name of the project. Raises UsageError if the name is not valid."""
        return self._matching(
            "PAWSCTL_PROJECT", r"[a-z0-9][a-z0-9_-]*", "lower-case letters, digits, - and _"
        )

    def _own_password(self, *, make: bool) -> str | None:
        if not self.has_kept_password:
            return self.text("REDIS_PASSWORD") or None
        return (kept_password.made if make else kept_password.read)(self.project)

    def backup_hours(self) -> float:
        """Return how long backups are kept; a `.env` found by search can only lengthen it.

        Raises UsageError if that is no number above 0, or one of more than five digits.
        """
        setting = self["PAWSCTL_BACKUP_HOURS"]
        if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", setting.value) or not float(
            setting.value
        ):
            raise _unusable(setting, "a number of hours from 0.001 to 99999, like 24")
        # A file that a repository brings along must not take away what was to be kept.
        least = setting_specs.DEFAULT_BACKUP_HOURS if self.is_from_found_file(setting) else 0
        return max(float(setting.value), float(least))

    def stack(self, *, starts: bool = False) -> StackSettings:
        """Return the settings of this project's own containers, validated.

        Port and password come from REDIS_PORT and REDIS_PASSWORD, else from a REDIS_URL that names
        127.0.0.1 or localhost. If REDIS_PASSWORD is `random`, the password is made when `starts`
        is set, which means that the caller starts Redis; before that it is None.
        Raises UsageError if a setting can't be used, or if settings contradict each other.
        """
        port, password = self._stack_port_and_password()
        for name in ("REDIS_PASSWORD", "REDIS_COMMANDER_USER", "REDIS_COMMANDER_PASSWORD"):
            value = password or "" if name == "REDIS_PASSWORD" else self.text(name)
            if re.search(r'["\\\x00-\x1f\x7f]', value):
                raise UsageError(
                    f"{name} holds a double quote, a backslash or a control character, which "
                    "redis.conf and docker compose read differently.",
                    hint="Choose one without them.",
                )
        commander_port = self.port("REDIS_COMMANDER_PORT")
        if commander_port == port:
            raise UsageError(
                f"Redis and Redis Commander would both listen on port {port}.",
                hint="Give REDIS_PORT or REDIS_COMMANDER_PORT another one.",
            )
        found = StackSettings(
            project=self.project,
            engine=cast(
                EngineChoice,
                self._matching("PAWSCTL_ENGINE", "auto|docker|embedded", "auto, docker, embedded"),
            ),
            redis_port=port,
            redis_password=password,
            redis_image=self.text("REDIS_IMAGE"),
            redis_maxmemory=self._size("REDIS_MAXMEMORY"),
            commander_image=self.text("REDIS_COMMANDER_IMAGE"),
            commander_port=commander_port,
            commander_user=self.text("REDIS_COMMANDER_USER"),
            commander_password=self.text("REDIS_COMMANDER_PASSWORD"),
        )
        if starts and password is None:
            # Only after everything else is validated.
            return replace(found, redis_password=self._own_password(make=True))
        return found

    def _stack_port_and_password(self) -> tuple[int, str | None]:
        port, password = self.port("REDIS_PORT"), self._own_password(make=False)
        url = self["REDIS_URL"]
        if not url.value:
            return port, password
        found = redis_url.parse(url.value, origin=url.origin)
        # An option names another Redis to look at, and 'redis up' takes none.
        if url.origin.startswith("option ") or not _may_be_the_stacks(found):
            return port, password
        url_port = found.addresses[0].port
        if self["REDIS_PORT"].is_default:
            port = url_port
        elif port != url_port:
            raise self._disagreement("REDIS_PORT", "another port")
        if password is None and not self.has_kept_password:
            password = found.password
        elif found.password is not None and password != found.password:
            raise self._disagreement("REDIS_PASSWORD", "another password")
        return port, password

    def _disagreement(self, name: str, what: str) -> UsageError:
        return UsageError(
            f"{name} ({self[name].origin}) and REDIS_URL ({self['REDIS_URL'].origin}) "
            f"disagree: the URL has {what}.",
            hint=f"Make them agree, or unset {name}.",
        )

    def port(self, name: str) -> int:
        """Return a setting as a TCP port. Raises UsageError if it is none."""
        return int(
            self._matching(
                name,
                r"[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]",
                "a port from 1 to 65535",
            )
        )

    def _size(self, name: str) -> str:
        setting = self[name]
        try:
            sizes.in_bytes(setting.value)
        except ValueError as error:
            raise _unusable(setting, "a size like 256mb") from error
        return setting.value

    def _matching(self, name: str, pattern: str, wanted: str) -> str:
        setting = self[name]
        if not re.fullmatch(pattern, setting.value, re.ASCII):
            raise _unusable(setting, wanted)
        return setting.value


def _unusable(setting: Setting, wanted: str) -> UsageError:
    value = escaping.setting(setting.value)
    return UsageError(
        f"{setting.name} ({setting.origin}) is '{value}', which can't be used.",
        hint=f"Set it to {wanted}.",
    )


def _may_be_the_stacks(found: Target) -> bool:
    """Return whether a URL may name this project's own Redis, which has no TLS and no users."""
    if found.kind != "standalone" or found.path is not None or found.tls is not None:
        return False
    is_anybody = found.username in (None, "default")
    return is_anybody and is_published(found.addresses[0].host)
