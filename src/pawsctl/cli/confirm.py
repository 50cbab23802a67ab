"""Confirmation before a Redis is changed, stricter if it is not on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pawsctl.errors import NotConfirmed

if TYPE_CHECKING:
    from pawsctl.cli.output.stderr import Talk
    from pawsctl.cli.output.table import Line
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
