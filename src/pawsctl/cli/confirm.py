"""Confirmation before something is destroyed, stricter where it may be production's."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pawsctl.errors import NotConfirmed, PawsctlError

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.cli.output.stderr import Talk
    from pawsctl.cli.output.table import Line
    from pawsctl.config.session_settings import SessionSettings
    from pawsctl.config.settings import StackSettings
    from pawsctl.config.target import Address, Target
    from pawsctl.connection import Connection
    from pawsctl.safety.backups.keep import Undo
    from pawsctl.safety.evidence import Seen
    from pawsctl.stack.project.layout import Topology


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
) -> None:
    """Guard the Redis behind a connection: show what is about to be done, and have it confirmed.

    Looks for evidence that it is production's; `more` has some that is not of this Redis, in
    clauses. If there is some, it is shown, and only a `host` that names the Redis confirms, or its
    name typed on a terminal; `yes` does not suffice. Else the `question` is asked, if there is one.
    Raises NotConfirmed, also if `host` names another Redis; and what looking raises. Then the
    change is recorded, with the `keys` that were named.
    """
    from pawsctl.safety import look

    run.announce(connection.target)
    for line in about:
        run.output.say(line)
    seen = look.at(connection, lambda ports: _own_ports(run, ports))
    target = marked(run, connection.target, seen.addresses)
    found = _settle(run, target, seen, host=host, yes=yes, question=question, more=more)
    run.record(target, keys, is_production=bool(found))


def confirm_backups(
    run: Invocation,
    sources: Mapping[str, str | None],
    question: str,
    *,
    host: str,
    yes: bool,
) -> None:
    """Guard backups that are about to be removed; `sources` are the URLs they are from, by name.

    They are not connected to: their hosts, the profiles and the settings are the evidence. Raises
    NotConfirmed. Then the removal is recorded.
    """
    from pawsctl.safety import evidence

    targets = []
    for name, source in sources.items():
        found = _target_of_backup(run, source)
        if found is None:
            run.output.note(f"Not looked at: where {name} is from, since it can't be read.")
        elif found not in targets:
            targets.append(found)
    seen = {each: evidence.of_place(each) for each in targets}
    guarded = [each for each in targets if evidence.of(each, seen[each])]
    others = [each.url for each in guarded if not evidence.is_named(host, seen[each])]
    if host and len(guarded) > len(others) > 0:
        raise NotConfirmed(
            f"--confirm names {host}, and backups of {', '.join(others)} would be removed too.",
            hint="Name the backups to remove: pawsctl backup purge NAME...",
        )
    for each in guarded or targets[:1]:
        _settle(run, each, seen[each], host=host, yes=yes, question=question)
    if not targets:
        run.output.confirm(question, yes=yes)
    run.record(targets[0] if len(targets) == 1 else None, is_production=bool(guarded))


def _target_of_backup(run: Invocation, source: str | None) -> Target | None:
    """Return the Redis that a backup is from; None if that can't be read."""
    from pawsctl.config.redis_url import parse

    if source is None:
        return None
    try:
        target = parse(source, origin="the backup")
    except PawsctlError:
        return None
    return marked(run, run.settings.guarded(target))


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


def require_no_production(run: Invocation, connection: Connection, what: str, hint: str) -> None:
    """Raise NotConfirmed before what may be production's: `what` must not come there."""
    from pawsctl.safety import evidence, look

    seen = look.at(connection, lambda ports: _own_ports(run, ports))
    target = marked(run, connection.target, seen.addresses)
    if found := evidence.of(target, seen):
        raise NotConfirmed(f"{what}, and this may be production: {'; '.join(found)}.", hint=hint)


def confirm_prefix(
    output: Talk, connection: Connection, settings: SessionSettings, *, yes: bool, host: str
) -> None:
    """Name the prefix of the keys that are about to be changed, if somebody has set it.

    Raises NotConfirmed if nobody but a file found by search did, and nobody is asked or has
    confirmed the `host`.
    """
    if settings.is_default_prefix:
        return
    output.say([("keys under ", ""), (settings.prefix, "bold"), (f" ({settings.origin})", "")])
    if settings.is_found and yes and not host:
        raise NotConfirmed(
            f"The prefix {settings.prefix} is from a file that was found ({settings.origin}), and "
            "nobody has named it.",
            hint="If you mean these keys, say so with --confirm "
            f"{connection.target.service or connection.target.host}, or name the .env with "
            "--env-file.",
        )


def confirm_stack(
    run: Invocation,
    settings: StackSettings,
    topology: Topology,
    question: str,
    *,
    host: str,
    yes: bool,
) -> None:
    """Guard this project's own Redis, and name the `.env` that selects it.

    A topology is not looked at: it is for trials. Raises NotConfirmed.
    """
    from msgspec.structs import replace

    from pawsctl.safety import look

    if run.settings.file is not None:
        run.output.note(f"Settings from {run.settings.file}")
    target = own_target(run, settings)
    if profile := run.settings.profile:
        target = replace(target, production=(*profile.claims, *target.production))
    if topology == "single":
        seen = look.at_own(settings.redis_port, settings.redis_password)
    else:
        seen = look.nothing_at_own()
    target = marked(run, target)
    found = _settle(run, target, seen, host=host, yes=yes, question=question)
    run.record(target, is_production=bool(found))


def own_target(run: Invocation, settings: StackSettings) -> Target:
    """Return this project's own Redis, without its login."""
    from pawsctl.config.redis_url import parse

    url = f"redis://127.0.0.1:{settings.redis_port}"
    return run.settings.guarded(parse(url, origin="the project's settings"))


def _own_ports(run: Invocation, ports: Collection[int]) -> Collection[int]:
    from pawsctl.stack import topology_status

    try:
        settings = run.settings.without_url().stack()
    except PawsctlError:
        return ()
    return topology_status.ports_among(settings, ports)


def _settle(
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
