"""How a command keeps what it changes, and what it asks if that can't be done as usual."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from pawsctl.errors import NotConfirmed

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.safety.backups.keep import Undo


def undo_of(run: Invocation, before: str, *, no_backup: bool, yes: bool) -> Undo | None:
    """Return how the command `before` keeps what it changes; None if it is to keep nothing.

    If a backup can't be kept as usual, it asks; with `yes`, or without a terminal, this is
    NotConfirmed.
    """
    if no_backup:
        return None
    # Saves 10 ms with --no-backup.
    from pawsctl.safety.backups.keep import Undo

    def ask(problem: str, question: str) -> None:
        if yes or not sys.stdin.isatty():
            raise NotConfirmed(
                problem, hint="Nothing was changed. --no-backup goes on without one."
            )
        run.output.warn(problem)
        run.output.confirm(question, yes=False)

    return Undo(
        before,
        run.settings.backup_hours(),
        ask,
        run.output.note,
        restoring=lambda name: _restoring(run, name),
        swept=lambda count: run.count(expired_backups=count),
    )


def _restoring(run: Invocation, name: str) -> str:
    """Return the command that restores a backup into the Redis that the command line names.

    A password of its URL is not repeated.
    """
    words = ["pawsctl"]
    if run.env_file is not None:
        words += ["--env-file", str(run.env_file)]
    if run.profile:
        words += ["--profile", run.profile]
    has_login = False
    if run.url:
        from pawsctl.config.redis_url import parse

        found = parse(run.url, origin="option --url")
        has_login = any((found.username, found.password, found.sentinel_password))
        words += ["--url", found.url if has_login else run.url]
    if run.db is not None:
        words += ["--db", str(run.db)]
    line = shlex.join([*words, "backup", "restore", name])
    return f"{line} (with the password in REDISCLI_AUTH)" if has_login else line
