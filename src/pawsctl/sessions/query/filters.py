"""Filters for sessions: conditions that combine, each checked on one session alone. Pure."""

from collections.abc import Iterator

import msgspec

from pawsctl.sessions.contract.model import Block, Message, Session
from pawsctl.sessions.query import grep
from pawsctl.sessions.query.rows import Listed


class Filter(msgspec.Struct, frozen=True):
    """Conditions that must all hold; None and False stand for no condition.

    `expiring_within`, `idle` and `updated_within` are in seconds, the latter two since `updatedAt`.
    `match` is a glob on the phone, as in Redis; Redis itself applies it, so `matches` ignores it.
    """

    status: str | None = None
    expiring_within: float | None = None
    idle: float | None = None
    updated_within: float | None = None
    never_expires: bool = False
    waiting: bool = False
    has_tool: str | None = None
    grep: str | None = None
    problem: bool = False
    match: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no condition, so that every session matches."""
        return self == _EVERY

    @property
    def reads_values(self) -> bool:
        """Whether the filter needs the session's value; a glob alone needs only its key."""
        return msgspec.structs.replace(self, match=None) != _EVERY

    def matches(self, listed: Listed, now_ms: float) -> bool:
        """Return whether every condition but `match` holds; `now_ms` is ms since the epoch.

        A session that can't be read has neither messages nor a status.
        """
        item, session = listed.item, listed.session
        return (
            (not self.problem or item.problem is not None)
            and (not self.never_expires or item.ttl < 0)
            and (self.expiring_within is None or 0 <= item.ttl <= self.expiring_within)
            and (self.status is None or item.status == self.status)
            and (self.idle is None or _is_idle(session, now_ms - self.idle * 1000))
            and (
                self.updated_within is None
                or _is_updated(session, now_ms - self.updated_within * 1000)
            )
            and (not self.waiting or (session is not None and session.is_waiting))
            and (self.has_tool is None or _uses_tool(session, self.has_tool))
            and (self.grep is None or grep.says(session, self.grep))
        )


_EVERY = Filter()


def _is_idle(session: Session | None, since_ms: float) -> bool:
    updated_at = session.updated_at if session else None
    return updated_at is not None and updated_at <= since_ms


def _is_updated(session: Session | None, since_ms: float) -> bool:
    updated_at = session.updated_at if session else None
    return updated_at is not None and updated_at >= since_ms


def _uses_tool(session: Session | None, name: str) -> bool:
    """Return whether a tool `name` was called: the bot's, the API's own, or an older bot's."""
    return session is not None and name in tools_of(session)


def tools_of(session: Session) -> Iterator[str]:
    """Yield the names of the tools that were called, as often as they were."""
    for message in session.messages:
        names = (message.tool_name, *(block.name for block in _blocks(message)))
        yield from filter(None, names)


def _blocks(message: Message) -> list[Block]:
    return message.content if isinstance(message.content, list) else []
