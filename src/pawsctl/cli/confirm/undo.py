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

    A password of its URL is not repeated, nor a user without one, who may be one.
    """
    words, login = ["pawsctl"], ""
    if run.env_file is not None:
        words += ["--env-file", str(run.env_file)]
    if run.profile:
        words += ["--profile", run.profile]
    if run.url:
        url, login = _without_secrets(run.url)
        words += ["--url", url]
    if run.db is not None:
        words += ["--db", str(run.db)]
    return shlex.join([*words, "backup", "restore", name]) + login


def _without_secrets(url: str) -> tuple[str, str]:
    """Return a URL to repeat on a command line, and what has to be given besides, or ''."""
    from msgspec.structs import replace

    from pawsctl.config import url_with_password
    from pawsctl.config.redis_url import parse

    found = parse(url, origin="option --url")
    if not any((found.username, found.password, found.sentinel_password)):
        return url, ""
    lone = found.username and found.password is None
    user = None if lone else found.username
    kept = replace(found, username=user, password=None, sentinel_password=None)
    needed = ["the user of that URL"] * bool(lone)
    if found.sentinel_password:
        needed.append("its sentinel_password")
    if lone or found.password:
        needed.append("the password in REDISCLI_AUTH")
    return url_with_password.of(kept), f" (with {' and '.join(needed)})" if needed else ""
