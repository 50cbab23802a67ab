"""`pawsctl session copy`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from pawsctl.cli import lookups
from pawsctl.cli.arguments import Confirm, DryRun, OptionalPhones, duration_option, phone_keys
from pawsctl.cli.confirm.dry_run import warn_of_refusal
from pawsctl.cli.confirm.guard import confirm_on, marked
from pawsctl.cli.confirm.prefix import Meant
from pawsctl.cli.global_options import invocation
from pawsctl.cli.session.filter_options import FilteringCommand, chosen_filter
from pawsctl.cli.session.group import app
from pawsctl.errors import UsageError
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.cli.output.table import Line
    from pawsctl.config.session_settings import SessionSettings
    from pawsctl.config.target import Target
    from pawsctl.sessions.contract.keyspace import Keyspace
    from pawsctl.workflows.copy import Copied, What


@app.command(cls=FilteringCommand)
def copy(
    ctx: typer.Context,
    phones: OptionalPhones = None,
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="URL|PROFILE",
            autocompletion=lookups.profiles,
            help="Redis to copy into.",
        ),
    ],
    every: Annotated[bool, typer.Option("--all", help="Copy every session.")] = False,
    mask: Annotated[bool, typer.Option("--mask", help="Mask phones and text.")] = False,
    no_mask: Annotated[
        bool,
        typer.Option("--no-mask", help="Do not mask them, even out of production."),
    ] = False,
    ttl: Annotated[
        str | None,
        typer.Option("--ttl", metavar="TIME", help="TTL of the copies, such as 1h."),
    ] = None,
    dry_run: DryRun = False,
    confirm: Confirm = "",
) -> None:
    """Copy sessions into another Redis, such as from production to a laptop.

    Copies expire when the originals do, or after --ttl. A session that exists in the target is left
    as it is. Sessions out of the Redis of a production profile are masked, unless you say
    --no-mask.
    """
    from pawsctl.connection import connect
    from pawsctl.safety import masking, places
    from pawsctl.sessions.query import absent, replica
    from pawsctl.sessions.store.reader import SessionReader
    from pawsctl.sessions.store.store import SessionStore
    from pawsctl.workflows import copy as operation

    run = invocation(ctx)
    if mask and no_mask:
        raise UsageError("--mask and --no-mask exclude each other.", hint="Leave one of them out.")
    what = _chosen(ctx, run, phones or [], every=every)
    seconds = None if ttl is None else duration_option(ttl, option="--ttl")
    origin, there = _only_read(run.target()), _there(run, to, dry_run=dry_run)
    if no_mask:
        masking.require_none(
            run.settings, "--no-mask copies sessions as they are", "Leave --no-mask out."
        )
    is_masked = bool(mask or run.settings.mask)
    if not is_masked and not no_mask:
        is_masked = origin.is_production or places.is_productions(origin, run.profiles)
    _require_right(origin, there.target, masked=is_masked)
    source = SessionReader(
        connect(origin, run.timeouts(), notice=run.output.note, prefer_replica=run.prefer_replica),
        keyspace=run.keyspace,
    )
    target = SessionStore(
        connect(there.target, run.timeouts(), notice=run.output.note), keyspace=there.keyspace
    )
    run.connections.append(target.connection)
    how = operation.How(
        mask=(run.output.mask or masking.of(run.settings)) if is_masked else None,
        ttl=seconds,
        dry_run=dry_run,
    )
    with source, target:
        copying = operation.Copy(source, target, how)
        production: Sequence[str] = there.target.production
        if not dry_run:
            meant = Meant(there.settings)
            production = confirm_on(
                run, target.connection, host=confirm, keys=what.names or (), meant=meant
            )
        with run.output.progress("copying", None) as progress:
            copied = copying.copy(what, progress, production=() if no_mask else production)
        if copying.met_masked:
            run.output.warn(
                "The source holds masked sessions: their phones and texts are nobody's."
            )
        if shortfall := replica.shortfall(source.connection):
            run.output.warn(shortfall)
        if dry_run:
            warn_of_refusal(run, target)
        run.count(copied=copied.copied)
        run.output.show(copied, copied_view)
        is_nothing = what.names is None and not copied.copied + copied.kept
        run.output.advise(lambda: absent.lead(source, what.wanted) if is_nothing else "")
        copying.require_all(what)


def _chosen(ctx: typer.Context, run: Invocation, phones: list[str], *, every: bool) -> What:
    from pawsctl.workflows.copy import What

    wanted = chosen_filter(ctx)
    given = [bool(phones), not wanted.is_empty, every]
    if sum(given) != 1:
        raise UsageError(
            "Phones, filters and --all each say what to copy, and only one of them can."
            if any(given)
            else "Nothing says what to copy.",
            hint="Name phones, or give filters, or --all.",
        )
    return What(phone_keys(phones, run.keyspace) if phones else None, wanted)


_FOR_ANY_HOST = ("REDISCLI_AUTH", "REDIS_PASSWORD_FILE")


def _only_read(target: Target) -> Target:
    from msgspec.structs import replace

    return replace(target, read_only=target.read_only or "'session copy', of its source")


class _There(NamedTuple):
    """The Redis to copy into, and what is known of the sessions there."""

    target: Target
    keyspace: Keyspace
    settings: SessionSettings


def _there(run: Invocation, to: str, *, dry_run: bool) -> _There:
    """Return the Redis that --to names, with its login, and the keys of the sessions there.

    Raises ReadOnly if it may not be written.
    """
    from msgspec.structs import replace

    from pawsctl.config import session_settings
    from pawsctl.config.setting_specs import Setting
    from pawsctl.errors import ReadOnly

    own, keyspace, sessions = run.settings.profile, run.keyspace, run.session_settings
    setting = run.settings["PAWSCTL_READ_ONLY"]
    # A read-only profile of the source does not make the target read-only.
    is_sources = own is not None and own.setting("PAWSCTL_READ_ONLY") == setting
    read_only = "" if is_sources else run.settings.read_only
    # No profile's name has a colon, as localhost:6379 has.
    if ":" in to:
        # The password of this project's own Redis goes there if it is on this machine; one for any
        # host is the source's.
        named = Setting("REDIS_URL", to, "option --to")
        none = {name: Setting(name, "", "default") for name in _FOR_ANY_HOST}
        values = {**run.settings.values, **none, "REDIS_URL": named}
        target = replace(run.settings, values=values, profile=None).redis_target()
    else:
        profile = run.profile_named(to)
        session_settings.require_usable(profile.session_settings())
        target = profile.target()
        if prefix := profile.setting("SESSION_PREFIX"):
            keyspace = replace(keyspace, prefix=prefix.value)
            sessions = sessions.with_prefix(prefix, is_found=profile.is_found)
        read_only = read_only or profile.read_only
    if read_only and not dry_run:
        raise ReadOnly.of("this writes sessions into the target", read_only)
    target = replace(run.settings.guarded(target), read_only=read_only)
    return _There(marked(run, target), keyspace, sessions)


def _require_right(source: Target, target: Target, *, masked: bool) -> None:
    """Raise NotConfirmed for masked conversations on their way into production."""
    from pawsctl.workflows.copy import not_into_production

    if masked and target.production:
        raise not_into_production(target.production, source.profile)


def copied_view(result: Copied) -> Iterator[Line]:
    """Render how many sessions were copied, and where."""
    verb = "Would copy" if result.dry_run else "Copied"
    masked = ", masked," if result.masked else ""
    yield [
        (f"{verb} {plural(result.copied, 'session')}{masked} ", "bold"),
        (f"from {result.source} to {result.target}; {result.kept} kept as they are there.", ""),
    ]
    for kind, count in result.others.items():
        what = f"{plural(count, 'key')} of type {kind}"
        yield [(f"  left out, since only strings are sessions: {what}", "yellow")]
    if result.evicted:
        evicted = plural(result.evicted, "key")
        yield [(f"! The target evicted {evicted} meanwhile: its memory is full", "red")]
    for key in result.rejected:
        yield [(f"! too large for the target: {key}", "red")]
