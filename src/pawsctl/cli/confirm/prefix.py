"""Confirmation of a session prefix or a TTL that a file brought along."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from pawsctl.errors import NotConfirmed

if TYPE_CHECKING:
    from pawsctl.cli.output.stderr import Talk
    from pawsctl.config.session_settings import SessionSettings
    from pawsctl.connection import Connection


class Meant(NamedTuple):
    """The sessions that a command changes: their settings, and those that were `typed`."""

    settings: SessionSettings
    typed: Sequence[str] = ()

    @property
    def is_prefix_named(self) -> bool:
        """Whether a user has named the prefix: in the environment, a named file, or whole keys."""
        whole = [each.startswith(self.settings.prefix) for each in self.typed]
        return not self.settings.is_found or (bool(whole) and all(whole))


def confirm_prefix(
    output: Talk, connection: Connection, meant: Meant, *, yes: bool, host: str, question: str
) -> str:
    """Name the prefix of the keys that are about to be changed, if somebody has set it.

    Returns the question that is to be asked: there is one if nobody but a file found by search has
    set the prefix. Raises NotConfirmed if nobody can be asked then, or the answer is `yes` already,
    and no `host` is confirmed.
    """
    settings = meant.settings
    if settings.is_default_prefix:
        return question
    # Saves 3 ms if nobody has set it.
    from pawsctl.sessions.contract.keys import SESSION_PREFIX

    if settings.is_found and settings.prefix == SESSION_PREFIX:
        # The file sets the default prefix.
        return question
    output.say([("keys under ", ""), (settings.prefix, "bold"), (f" ({settings.origin})", "")])
    if meant.is_prefix_named or host:
        return question
    if yes or not sys.stdin.isatty():
        raise NotConfirmed(
            f"The prefix {settings.prefix} is from a file that was found ({settings.origin}), and "
            "nobody has named it.",
            hint="If you mean these keys, say so with --confirm "
            f"{connection.target.service or connection.target.host}, or {_other_way(meant)}.",
        )
    return question or f"Change keys under {settings.prefix}?"


def confirm_ttl(output: Talk, connection: Connection, settings: SessionSettings) -> None:
    """Ask before a TTL that a found file brought along ends sessions earlier than they do now.

    Raises NotConfirmed, also if nobody can be asked.
    """
    from pawsctl import durations

    ttl = f"A TTL of {durations.text(settings.ttl)} ({settings.found_ttl})"
    earlier = f"{ttl} ends sessions earlier than they do now"
    if not sys.stdin.isatty():
        raise NotConfirmed(
            f"{earlier}, and nobody has named it: it is from a file that was found.",
            hint="If you mean it, say so with --confirm "
            f"{connection.target.service or connection.target.host}.",
        )
    output.confirm(f"{earlier}. Go on?", yes=False)


def _other_way(meant: Meant) -> str:
    if meant.typed:
        return f"name whole keys, like {meant.settings.prefix}…"
    if meant.settings.origin.startswith("profile "):
        return "keep that profile in your own pawsctl.toml"
    return "name the .env with --env-file"
