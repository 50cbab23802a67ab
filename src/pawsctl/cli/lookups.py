"""Values for completion that the settings and a Redis on this machine know."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from pawsctl.cli.global_options import invocation

if TYPE_CHECKING:
    from pawsctl.sessions.contract.keyspace import Keyspace

# A press of the Tab key may take this long on top of the start of pawsctl.
_SECONDS = 0.05
_MOST = 50
# Names from Redis are hostile: a shell may run what it completes.
_PHONE = re.compile(rb"\+?[0-9]{1,20}")
_BEGUN_PHONE = re.compile(r"\+?[0-9]*")
_ID = re.compile(rb"[A-Za-z0-9_.:@+-]{1,128}")
_BEGUN_ID = re.compile(r"[A-Za-z0-9_.:@+-]*", re.ASCII)
_STATUS = re.compile(rb'"status" ?: ?"([A-Za-z0-9_-]{1,40})"')
_SERVICES = {
    "single": ("redis", "redis-commander"),
    "sentinel": ("redis-1", "redis-2", "redis-3", "sentinel-1", "sentinel-2", "sentinel-3"),
    "cluster": ("node-1", "node-2", "node-3", "node-4", "node-5", "node-6"),
}


def phones(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return phones or ids that begin like this, or whole keys; none without a Redis here."""
    keyspace = _keyspace(ctx)
    # A pseudonym completes to no phone.
    if keyspace is None or keyspace.mask is not None:
        return []
    begun = incomplete.removeprefix(keyspace.prefix)
    if not (_BEGUN_ID if keyspace.is_raw else _BEGUN_PHONE).fullmatch(begun):
        return []
    before = keyspace.prefix if incomplete.startswith(keyspace.prefix) else ""
    names = _glance(ctx, keyspace.pattern(f"{begun}*"), 0)
    wanted = _ID if keyspace.is_raw else _PHONE
    found = (each.removeprefix(keyspace.prefix.encode()) for each in names)
    return sorted(before + each.decode() for each in found if wanted.fullmatch(each))


def statuses(ctx: typer.Context, _words: Sequence[str], _begun: str) -> list[str]:
    """Return the bot's status, and those that sessions have in a Redis on this machine."""
    keyspace = _keyspace(ctx)
    beginnings = _glance(ctx, keyspace.pattern(), 256) if keyspace and not keyspace.is_raw else []
    found = {each[1].decode() for each in map(_STATUS.search, beginnings) if each}
    if keyspace is not None:
        found = {each for each in found if keyspace.shown_status(each) == each}
    return sorted(found | {"active"})


def services(ctx: typer.Context) -> list[str]:
    """Return the services of the topology that the command line names."""
    return list(_SERVICES.get(ctx.params.get("topology") or "single", ()))


def settings() -> list[str]:
    """Return the names of all settings."""
    from pawsctl.config.setting_specs import SETTING_SPECS

    return [each.name for each in SETTING_SPECS]


def profiles(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of profiles that begin like this."""
    return [each for each in invocation(ctx).profile_names() if each.startswith(incomplete)]


def backups(incomplete: str) -> list[str]:
    """Return the names of backups that begin like this, the newest first."""
    from pawsctl.errors import PawsctlError
    from pawsctl.safety.backups import folder

    try:
        return [each.name for each in folder.every() if each.name.startswith(incomplete)]
    except PawsctlError:
        return []


def _keyspace(ctx: typer.Context) -> "Keyspace | None":
    """Return the keys of the sessions; None for settings that can't be used."""
    from pawsctl.errors import PawsctlError

    run = invocation(ctx)
    # A detail on stderr would stand in the command line.
    run.verbose = False
    try:
        return run.keyspace
    except PawsctlError:
        return None


def _glance(ctx: typer.Context, pattern: bytes, count: int) -> list[bytes]:
    """Return keys that match, or the first `count` bytes of their values; none if that fails."""
    from pawsctl.connection.scan.quick import Glance
    from pawsctl.errors import PawsctlError

    run = invocation(ctx)
    try:
        # A press of the Tab key runs no command, which might ask for a PIN.
        if run.settings.profile and run.settings.profile.runs_commands:
            return []
        glance = Glance(run.target(), _SECONDS)
    except PawsctlError:
        return []
    return glance.beginnings(pattern, _MOST, count) if count else glance.keys(pattern, _MOST)
