"""Confirmation before a Redis is changed, stricter if it is not on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pawsctl.errors import NotConfirmed

if TYPE_CHECKING:
    from pawsctl.cli.output.stderr import Talk
    from pawsctl.cli.output.table import Line
    from pawsctl.config.session_settings import SessionSettings
    from pawsctl.connection import Connection


def confirm_on(
    output: Talk,
    connection: Connection,
    about: Iterable[Line],
    *,
    yes: bool,
    host: str,
    question: str = "Delete them?",
) -> None:
    """Show what is about to be done and ask for confirmation.

    Raises NotConfirmed if the answer is no, if the Redis is on another machine and `host` is empty,
    or if `host` names another host than the Redis's.
    """
    for line in about:
        output.say(line)
    foreign = connection.foreign_host()
    if host and host != (foreign or connection.target.host):
        raise NotConfirmed(
            f"--confirm names {host}, and the target is {foreign or connection.target.host}.",
            hint="Look again at --url and REDIS_URL.",
        )
    if foreign and not host:
        raise NotConfirmed(
            f"{foreign} is not this machine; the URL is from {connection.target.origin}.",
            hint=f"If you mean it, say so with --confirm {foreign}.",
        )
    output.confirm(question, yes=yes)


def confirm_prefix(
    output: Talk, connection: Connection, settings: SessionSettings, *, yes: bool, host: str
) -> None:
    """Name the prefix of the keys that are about to be changed, if somebody has set it.

    Raises NotConfirmed if nobody but a `.env` found by search did, and nobody is asked or has
    confirmed the `host`.
    """
    if settings.is_default_prefix:
        return
    output.say([("keys under ", ""), (settings.prefix, "bold"), (f" ({settings.origin})", "")])
    if settings.is_found and yes and not host:
        raise NotConfirmed(
            f"The prefix {settings.prefix} is from a .env that was found, and nobody has named it.",
            hint=f"If you mean these keys, say so with --confirm {connection.target.host}, or name "
            "the file with --env-file.",
        )
