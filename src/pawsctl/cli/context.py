"""One run of a command: what the global options say, and what is made from them."""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pawsctl.cli.output import Format

if TYPE_CHECKING:
    from pawsctl.cli.output.stdout import Output
    from pawsctl.config.settings import Settings
    from pawsctl.config.target import Target
    from pawsctl.connection import Connection
    from pawsctl.errors import PawsctlError
    from pawsctl.sessions.store.reader import SessionReader
    from pawsctl.sessions.store.store import SessionStore


class Invocation:
    """What the global options say; made as they are parsed, read by the command.

    Settings are resolved when a command first asks: `--help` reads no file.
    """

    def __init__(self) -> None:
        self.format: Format = "text"
        self.url: str | None = None
        self.env_file: Path | None = None
        self.no_color = False
        self.verbose = False
        self.connect_timeout: float | None = None
        self.timeout: float | None = None
        self.failover_timeout: float | None = None
        self.db: int | None = None
        self.prefer_replica = False
        # Where the URL came from that was last connected to.
        self._origin = ""

    @cached_property
    def settings(self) -> "Settings":
        """Every setting, resolved. Raises UsageError where one can't be read."""
        from pawsctl.config import settings
        from pawsctl.errors import UsageError

        try:
            directory = Path.cwd()
        except OSError as error:
            raise UsageError(
                f"The working directory can't be used: {error.strerror}.",
                hint="Change to one that exists.",
            ) from error
        found = settings.load(
            environ=os.environ,
            directory=directory,
            env_file=self.env_file,
            url=self.url,
        )
        if found.file is not None:
            self.output.detail(f"Settings from {found.file}")
        return found

    @cached_property
    def output(self) -> "Output":
        """The only writer."""
        from pawsctl.cli.output.stdout import Output

        return Output(self.format, no_color=self.no_color, verbose=self.verbose, environ=os.environ)

    def target(self) -> "Target":
        """The Redis that this command talks to. Raises UsageError for a URL that can't be read."""
        target = self.settings.redis_target()
        return target if self.db is None else target.with_db(self.db)

    def connect(self, *, one_deadline: bool = False) -> "Connection":
        """A connection to it, made when first used.

        With `one_deadline`, the time for a reply is the time for all of them together.
        """
        # 0.1 s: only a command that talks to Redis pays for it.
        from pawsctl.connection import Timeouts, connect

        stated = {
            "connect": self.connect_timeout,
            "reply": self.timeout,
            "failover": self.failover_timeout,
        }
        timeouts = Timeouts(**{name: value for name, value in stated.items() if value is not None})
        target = self.target()
        self._origin = target.origin
        self.output.detail(f"Redis: {target.url} (from {target.origin})")
        if target.unused:
            self.output.detail(f"Not used of the URL: {', '.join(target.unused)}")
        if one_deadline:
            timeouts = timeouts.for_all()
        return connect(
            target, timeouts, notice=self.output.note, prefer_replica=self.prefer_replica
        )

    def hint_of(self, error: "PawsctlError") -> str:
        """The hint of a failure; of one to reach Redis, also where the URL came from."""
        from pawsctl.errors import RedisUnreachable

        is_told = not self._origin or self._origin in error.hint
        if is_told or not isinstance(error, RedisUnreachable):
            return error.hint
        return f"{error.hint} The URL is from {self._origin}.".strip()

    def confirm_stack(self, question: str, *, yes: bool) -> None:
        """Ask about this project's own stack, naming the `.env` that says which it is.

        Raises NotConfirmed.
        """
        if self.settings.file is not None:
            self.output.note(f"Settings from {self.settings.file}")
        self.output.confirm(question, yes=yes)

    def reader(self, *, partial: bool = False) -> "SessionReader":
        """The sessions in it, to look at; `partial` to show those of the nodes that answer."""
        from pawsctl.sessions.store.reader import SessionReader

        return SessionReader(self.connect(), partial=partial)

    def store(self) -> "SessionStore":
        """The sessions in it, to change.

        They are read from the primary: what a replica has not heard of would be taken for gone.
        """
        from pawsctl.sessions.store.store import SessionStore

        if self.prefer_replica:
            self.output.note("This command writes: it reads from the primary too.")
            self.prefer_replica = False
        return SessionStore(self.connect())

    def refuse_connection_options(self) -> None:
        """For commands on this project's own stack, which follow no URL.

        Raises UsageError where an option says how to reach a Redis.
        """
        for name, hint in _ABOUT_CONNECTIONS.items():
            if getattr(self, name) in (None, False):
                continue
            from pawsctl.errors import UsageError

            raise UsageError(
                f"--{name.replace('_', '-')} does not apply: this command acts on this project's "
                "own containers.",
                hint=hint,
            )


_ABOUT_CONNECTIONS = {
    "url": "Leave it out; REDIS_PORT and PAWSCTL_PROJECT say which they are.",
    "db": "Leave it out; redis-cli's own options stand behind --: pawsctl redis cli -- -n 3.",
    "prefer_replica": "Leave it out.",
    "connect_timeout": "Leave it out.",
    "timeout": "Leave it out; a command's own --timeout stands behind its name.",
    "failover_timeout": "Leave it out.",
}
