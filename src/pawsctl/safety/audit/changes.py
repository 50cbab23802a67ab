"""The changes in the audit log, each with its end."""

from datetime import datetime
from itertools import islice

import msgspec

from pawsctl.files import keyed_hash
from pawsctl.safety.audit import log
from pawsctl.safety.audit.log import ChangeBegun, ChangeEnded


class Recorded(msgspec.Struct, frozen=True):
    """A change in the audit log.

    `ended_at` and `status` are null if it has no end: it is under way, or was killed. `options` are
    names without values; `phones` are keyed hashes of those that were named, the first thousand of
    `named` ones.
    """

    id: str
    at: datetime
    ended_at: datetime | None
    command: str
    options: list[str]
    url: str
    host: str
    profile: str | None
    user: str
    machine: str
    status: int | None
    counts: dict[str, int]
    named: int
    phones: list[str]


def recorded(*, name: str = "", limit: int | None = None) -> list[Recorded]:
    """Return the changes, the newest first, at most `limit`; with `name`, those that name it.

    They are in the order in which they were recorded, whatever the clock said. Raises
    OperationFailed if the log can't be read.
    """
    wanted = keyed_hash.hashed(name) if name else ""
    begun: dict[str, ChangeBegun] = {}
    ended: dict[str, ChangeEnded] = {}
    for line in log.lines():
        if isinstance(line, ChangeBegun):
            if not wanted or wanted in line.phones:
                begun[line.id] = line
        elif line.id in begun:
            ended[line.id] = line
    newest = islice(reversed(begun.values()), limit)
    return [_recorded(each, ended.get(each.id)) for each in newest]


def _recorded(begun: ChangeBegun, ended: ChangeEnded | None) -> Recorded:
    return Recorded(
        id=begun.id,
        at=begun.at,
        ended_at=ended.at if ended else None,
        command=begun.command,
        options=begun.options,
        url=begun.url,
        host=begun.host,
        profile=begun.profile,
        user=begun.user,
        machine=begun.machine,
        status=ended.status if ended else None,
        counts=ended.counts if ended else {},
        named=begun.named,
        phones=begun.phones,
    )
