"""The guard before backups that are about to be removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pawsctl.cli.confirm.guard import marked, settle
from pawsctl.errors import NotConfirmed, PawsctlError

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.config.target import Target


def confirm_backups(
    run: Invocation,
    sources: Mapping[str, str | None],
    question: str,
    *,
    host: str,
    yes: bool,
) -> None:
    """Guard backups that are about to be removed; `sources` are the URLs they are from, by name.

    They are not connected to: their hosts, the profiles and the settings are the evidence. One that
    can't be read may be of the Redis that the settings name. Raises NotConfirmed. Then the removal
    is recorded.
    """
    from pawsctl.safety import evidence

    places: dict[Target, str] = {}
    for name, source in sources.items():
        found = _target_of_backup(run, source)
        if found is None:
            run.output.note(f"Not looked at: where {name} is from, since it can't be read.")
            own = marked(run, run.settings.guarded(run.settings.redis_place()))
            places.setdefault(own, "an unknown place")
        else:
            places[found] = found.url
    seen = {each: evidence.of_place(each) for each in places}
    guarded = [each for each in places if evidence.of(each, seen[each])]
    others = [places[each] for each in guarded if not evidence.is_named(host, seen[each])]
    if host and len(guarded) > len(others) > 0:
        raise NotConfirmed(
            f"--confirm names {host}, and backups of {', '.join(others)} would be removed too.",
            hint="Name the backups to remove: pawsctl backup purge NAME...",
        )
    for each in guarded or list(places)[:1]:
        settle(run, each, seen[each], host=host, yes=yes, question=question)
    known = [each for each, place in places.items() if place == each.url]
    is_one = len(known) == len(places) == 1
    run.record(known[0] if is_one else None, is_production=bool(guarded))


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
