"""The guard before a Redis that may be production's."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from pawsctl.cli.confirm.prefix import Meant, confirm_prefix
from pawsctl.errors import NotConfirmed, PawsctlError

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.cli.output.table import Line
    from pawsctl.config.target import Address, Target
    from pawsctl.connection import Connection
    from pawsctl.safety.evidence import Seen
    from pawsctl.sessions.store.store import SessionStore


def confirm_on(
    run: Invocation,
    connection: Connection,
    about: Iterable[Line] = (),
    *,
    host: str,
    yes: bool = False,
    question: str = "",
    keys: Sequence[bytes] = (),
    more: Sequence[str] = (),
    meant: Meant | None = None,
) -> list[str]:
    """Guard the Redis behind a connection: show what is about to be done, and have it confirmed.

    If sessions are `meant`, their prefix is to be confirmed too if a file brought it along.

    Looks for evidence that it is production's; `more` has some that is not of this Redis, in
    clauses. If there is some, it is shown, and only a `host` that names the Redis confirms, or its
    name typed on a terminal; `yes` does not suffice. Else the `question` is asked, if there is one.
    Raises NotConfirmed, also if `host` names another Redis; and what looking raises. Then the
    change is recorded, with the `keys` that were named. Returns the evidence.
    """
    from pawsctl.safety import look

    run.announce(connection.target)
    for line in about:
        run.output.say(line)
    if meant is not None:
        question = confirm_prefix(
            run.output, connection, meant, yes=yes, host=host, question=question
        )
    seen = look.at(connection, lambda ports: _own_ports(run, ports))
    target = marked(run, connection.target, seen.addresses)
    found = settle(run, target, seen, host=host, yes=yes, question=question, more=more)
    run.record(target, keys, is_production=bool(found))
    return found


def confirm_sessions(
    run: Invocation,
    store: SessionStore,
    about: Iterable[Line] = (),
    *,
    host: str,
    yes: bool = False,
    question: str = "",
    keys: Sequence[bytes] = (),
    typed: Sequence[str] = (),
    more: Sequence[str] = (),
) -> None:
    """Guard the sessions of a store, and their prefix if a file brought it along.

    The sessions are all, or the `keys` of those that were `typed`. The rest is as in `confirm_on`.
    """
    confirm_on(
        run,
        store.connection,
        about,
        host=host,
        yes=yes,
        question=question,
        keys=keys,
        more=more,
        meant=Meant(run.session_settings, typed),
    )


def marked(run: Invocation, target: Target, addresses: Iterable[Address] = ()) -> Target:
    """Return the target with what the profiles and the bot's own files say of production.

    `addresses` are those of its servers beside the URL's own.
    """
    from msgspec.structs import replace

    from pawsctl.safety import places

    try:
        origin = run.bot_settings().production
        found = [f"NODE_ENV is production ({origin})"] if origin else []
    except PawsctlError as error:
        found = [f"whether NODE_ENV is production can't be told ({error.message.rstrip('.')})"]
    clauses = tuple(dict.fromkeys((*target.production, *found)))
    return places.marked(replace(target, production=clauses), run.profiles, addresses)


def require_no_production(
    run: Invocation,
    connection: Connection,
    what: str,
    hint: str,
    *,
    host: str = "",
    insisting: bool = False,
) -> None:
    """Raise NotConfirmed before what may be production's: `what` must not come there.

    With `insisting`, a `host` that names it confirms that it may.
    """
    from pawsctl.safety import evidence, look

    seen = look.at(connection, lambda ports: _own_ports(run, ports))
    target = marked(run, connection.target, seen.addresses)
    if insisting:
        if evidence.is_named(host, seen):
            return
        hint = f"{hint} If you mean it, say so with --confirm {seen.names[0]}."
    if found := evidence.of(target, seen):
        raise NotConfirmed(f"{what}, and this may be production: {'; '.join(found)}.", hint=hint)


def _own_ports(run: Invocation, ports: Collection[int]) -> Collection[int]:
    from pawsctl.stack import topology_status

    try:
        settings = run.settings.without_url().stack()
    except PawsctlError:
        return ()
    return topology_status.ports_among(settings, ports)


def settle(
    run: Invocation,
    target: Target,
    seen: Seen,
    *,
    host: str,
    yes: bool,
    question: str,
    more: Sequence[str] = (),
) -> list[str]:
    """Ask as strictly as the evidence demands; return the evidence. Raises NotConfirmed."""
    from pawsctl.safety import evidence

    for each in seen.untold:
        run.output.note(f"Not looked at: {each.rstrip('.')}.")
    if host and not evidence.is_named(host, seen):
        raise NotConfirmed(
            f"--confirm names {host}, and the target is {seen.names[0]}.",
            hint="Look again at --url and REDIS_URL.",
        )
    found = [*evidence.of(target, seen), *more]
    if not found:
        if question and not host:
            run.output.confirm(question, yes=yes)
        return found
    if host:
        return found
    hint = f"If you mean it, say so with --confirm {seen.names[0]}."
    if yes or not sys.stdin.isatty():
        no = "--yes does not suffice: this" if yes else "This"
        asked = f"{question} {no} may be production: {'; '.join(found)}.".lstrip()
        raise NotConfirmed(asked, hint=hint)
    for each in found:
        run.output.warn(f"This may be production: {each}.")
    run.output.confirm_by_name(question, seen.names)
    return found
