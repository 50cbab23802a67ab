"""One run of a command: its global options, and the settings and connections made from them."""

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pawsctl.cli.output import PRODUCTION, Format

if TYPE_CHECKING:
    from pawsctl.cli.output.stdout import Output
    from pawsctl.config.bot_settings import BotSettings
    from pawsctl.config.profiles.profile import Profile
    from pawsctl.config.session_settings import SessionSettings
    from pawsctl.config.settings import Settings
    from pawsctl.config.target import Target
    from pawsctl.connection import Connection, Timeouts
    from pawsctl.errors import PawsctlError
    from pawsctl.safety.audit.recorder import Recorder
    from pawsctl.sessions.contract.keyspace import Keyspace
    from pawsctl.sessions.contract.mask import Mask
    from pawsctl.sessions.store.reader import SessionReader
    from pawsctl.sessions.store.store import SessionStore


class Invocation:
    """The global options of one run; the parser fills them in, the command reads them.

    Settings are resolved on first use, so that `--help` reads no file.
    """

    def __init__(self) -> None:
        self.format: Format = "text"
        self.url: str | None = None
        self.profile: str | None = None
        self.env_file: Path | None = None
        self.no_color = False
        self.verbose = False
        self.read_only = False
        self.mask = False
        # The command's full name, such as `session list`.
        self.command = ""
        self.connect_timeout: float | None = None
        self.timeout: float | None = None
        self.failover_timeout: float | None = None
        self.db: int | None = None
        self.prefer_replica = False
        # The profiles that were named before something is changed.
        self._announced: set[str] = set()
        # The names of the options on the command line, for the audit log.
        self.options: list[str] = []
        self.recorder: Recorder | None = None
        # The origin of the URL of the last connection.
        self._origin = ""
        # Those through which something may be written.
        self.connections: list[Connection] = []

    @cached_property
    def settings(self) -> "Settings":
        """Every setting, resolved. Raises UsageError if one can't be read."""
        from pawsctl.config import load_settings

        directory = _working_directory()
        found = load_settings.load(
            environ=os.environ,
            directory=directory,
            env_file=self.env_file,
            url=self.url,
            read_only=self.read_only,
            mask=self.mask,
            profile=self.profile,
        )
        if found.mask:
            from pawsctl.safety import masking

            self.output.mask = masking.of(found)
        nowhere = f"Settings: no .env found from {directory} up"
        self.output.detail(f"Settings from {found.file}" if found.file else nowhere)
        return found

    def mask_in_use(self) -> "Mask | None":
        """Return the mask for private data, if it is to be masked. Raises UsageError."""
        # Resolves whether it is.
        _ = self.settings
        return self.output.mask

    def profiles(self) -> "dict[str, Profile]":
        """Return every profile by its name. Raises UsageError for a file that can't be read."""
        from pawsctl.config.load_settings import home
        from pawsctl.config.profiles import files, profile

        return profile.every(files.every(_working_directory(), home(os.environ)))

    def profile_named(self, name: str) -> "Profile":
        """Return the profile of that name. Raises UsageError if there is none."""
        from pawsctl.config.load_settings import home
        from pawsctl.config.profiles import files, profile

        found = files.every(_working_directory(), home(os.environ))
        return profile.named(name, "named on the command line", found)

    def profile_names(self) -> list[str]:
        """Return the names of the profiles for completion; none if a file can't be read."""
        from pawsctl.errors import PawsctlError

        try:
            return sorted(self.profiles())
        except PawsctlError:
            return []

    @cached_property
    def output(self) -> "Output":
        """The writer of stdout and stderr."""
        from pawsctl.cli.output.stdout import Output

        return Output(self.format, no_color=self.no_color, verbose=self.verbose, environ=os.environ)

    @cached_property
    def keyspace(self) -> "Keyspace":
        """The keys of the sessions. Raises UsageError for settings that can't be used."""
        from pawsctl.sessions.contract.keyspace import Keyspace

        found = self.session_settings
        if not found.is_default_prefix:
            self.output.detail(f"Sessions: {found.prefix}* (from {found.origin})")
        return Keyspace(found.prefix, found.ttl, found.format, self.output.mask)

    @cached_property
    def session_settings(self) -> "SessionSettings":
        """The settings on sessions. Raises UsageError if one can't be used."""
        from pawsctl.config import session_settings

        return session_settings.read(self.settings)

    def bot_settings(self) -> "BotSettings":
        """Return what the bot's own settings say. Raises UsageError for a file of no use."""
        from pawsctl.config import bot_settings

        return bot_settings.load(self.settings, environ=os.environ, directory=_working_directory())

    def target(self) -> "Target":
        """Return the Redis to talk to. Raises UsageError for a URL that can't be read."""
        target = self.settings.redis_target()
        return self.held(target if self.db is None else target.with_db(self.db))

    def held(self, target: "Target") -> "Target":
        """Return the target, read-only unless the command is one that changes something."""
        from msgspec.structs import replace

        from pawsctl.safety import guarded

        if target.read_only or guarded.changes_something(self.command):
            return target
        return replace(target, read_only=f"'{self.command}', which changes nothing")

    def connect(self, *, timeouts: "Timeouts | None" = None) -> "Connection":
        """Return a connection to the target; it connects on first use.

        `timeouts` replace those that the options state.
        """
        # Saves 0.1 s for commands that do not talk to Redis.
        from pawsctl.connection import connect

        timeouts = timeouts or self.timeouts()
        target = self.target()
        self.announce(target)
        self._origin = target.origin
        self.output.detail(f"Redis: {target.url} (from {target.origin})")
        if target.unused:
            self.output.detail(f"Not used of the URL: {', '.join(target.unused)}")
        note, replica = self.output.note, self.prefer_replica
        self.connections.append(connect(target, timeouts, notice=note, prefer_replica=replica))
        return self.connections[-1]

    def announce(self, target: "Target") -> None:
        """Name a target's profile and place, once, if the command changes something."""
        from pawsctl.safety import guarded

        is_new = target.profile not in self._announced
        if target.profile and is_new and guarded.changes_data(self.command):
            self._announced.add(target.profile)
            style = PRODUCTION if target.is_production else "bold"
            self.output.say([("profile ", ""), (target.profile, style), (f" at {target.url}", "")])

    def record(
        self,
        target: "Target | None",
        keys: "Sequence[bytes]" = (),
        *,
        is_production: bool = False,
    ) -> None:
        """Record in the audit log that something is about to be changed, once; `keys` are named.

        If it can't be recorded, warns; before production, raises OperationFailed instead.
        """
        from pawsctl.safety.audit.recorder import Recorder

        if self.recorder is None:
            self.recorder = Recorder(self.output.warn)
            phones = [self.keyspace.name_of(key) for key in keys]
            made = (self.command, self.options)
            self.recorder.begin(*made, target, phones, is_production=is_production)

    def count(self, **counts: int) -> None:
        """Add to the audit log how many of what were changed."""
        if self.recorder is not None:
            self.recorder.counts |= counts

    def timeouts(self) -> "Timeouts":
        """Return the timeouts of connections, as the options state them."""
        from msgspec.structs import replace

        from pawsctl.connection import Timeouts

        stated = {
            "connect": self.connect_timeout,
            "reply": self.timeout,
            "failover": self.failover_timeout,
        }
        return replace(Timeouts(), **{name: each for name, each in stated.items() if each})

    def hint_of(self, error: "PawsctlError") -> str:
        """Return the hint of a failure; if Redis was not reached, with the origin of the URL."""
        from pawsctl.errors import RedisUnreachable

        is_told = not self._origin or self._origin in error.hint
        if is_told or not isinstance(error, RedisUnreachable):
            return error.hint
        return f"{error.hint} The URL is from {self._origin}.".strip()

    def reader(self, *, partial: bool = False) -> "SessionReader":
        """Return a reader of the sessions; with `partial`, nodes that do not answer are skipped."""
        from pawsctl.sessions.store.reader import SessionReader

        return SessionReader(self.connect(), keyspace=self.keyspace, partial=partial)

    def require_changeable(self, what: str) -> None:
        """Raise ReadOnly if nothing may be changed; `what` says what would be."""
        if origin := self.settings.read_only:
            from pawsctl.errors import ReadOnly

            raise ReadOnly.of(what, origin)

    def store(self, *, dry_run: bool = False, timeouts: "Timeouts | None" = None) -> "SessionStore":
        """Return a store to change the sessions, or with `dry_run` to see what would change.

        It reads from the primary: a session that a lagging replica lacks would count as deleted.
        `timeouts` are as in `connect`. Raises ReadOnly if nothing may be changed.
        """
        from pawsctl.sessions.store.store import SessionStore

        if not dry_run:
            self.require_changeable("this changes sessions")
        if self.prefer_replica:
            self.output.note("This command writes: it reads from the primary too.")
            self.prefer_replica = False
        store = SessionStore(self.connect(timeouts=timeouts), keyspace=self.keyspace)
        self._warn_of_another_port(store.connection.target)
        return store

    def _warn_of_another_port(self, target: "Target") -> None:
        """Warn if the port is not the one on which `redis up` started this project's Redis.

        That is so after `REDIS_PORT=6380 pawsctl redis up`, for commands that do not know of it.
        """
        if self.url or self.settings.profile or self.settings["REDIS_URL"].value:
            return
        from pawsctl.stack.project import last_port

        project, port = self.settings["PAWSCTL_PROJECT"].value, target.addresses[0].port
        if other := last_port.other_than(port, project):
            self.output.warn(
                f"this acts on port {port} ({target.origin}), and 'pawsctl redis up' started this "
                f"project's Redis on port {other}."
            )

    def refuse(self, options: Mapping[str, str], why: str) -> None:
        """Raise UsageError, with its hint, for the first of the `options` that is given."""
        for option, hint in options.items():
            if getattr(self, option.removeprefix("--").replace("-", "_")) in (None, False):
                continue
            from pawsctl.errors import UsageError

            raise UsageError(f"{option} does not apply: this command {why}.", hint=hint)


def _working_directory() -> Path:
    """Return the working directory. Raises UsageError if it can't be used."""
    try:
        return Path.cwd()
    except OSError as error:
        from pawsctl.errors import UsageError

        raise UsageError(
            f"The working directory can't be used: {error.strerror}.",
            hint="Change to one that exists.",
        ) from error
