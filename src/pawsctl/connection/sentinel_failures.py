"""The words for Sentinels that lead nowhere. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pawsctl.config.target import Target
from pawsctl.errors import RedisUnreachable
from pawsctl.plurals import plural


def with_way(error: RedisUnreachable, target: Target, *, of_sentinel: bool) -> RedisUnreachable:
    """Return the failure; if TLS may be the cause, with a hint that names the URL to try.

    In that URL, TLS is switched for the Sentinels if `of_sentinel`, else for Redis.
    """
    if "rediss://" not in error.hint:
        return error
    redis_has, sentinels_have = target.tls is not None, target.sentinel_tls is not None
    if of_sentinel:
        sentinels_have = not sentinels_have
        who = f"the Sentinels speak {'' if sentinels_have else 'no '}TLS"
    else:
        redis_has = not redis_has
        who = f"Redis speaks {'' if redis_has else 'no '}TLS"
    scheme = "rediss" if redis_has else "redis"
    rest = "" if redis_has == sentinels_have else f"?sentinel_ssl={str(sentinels_have).lower()}"
    both = " and Redis as it is now" if of_sentinel else " and the Sentinels as they are now"
    way = f"If {who}{both}, write {scheme}+sentinel://…/{target.service}{rest}."
    return type(error)(error.message, hint=way, detail=error.detail)


def unknown_service(service: str, known: set[str], target: Target) -> RedisUnreachable:
    """Return the failure for a service of which no Sentinel knows, with those that are `known`."""
    names = ", ".join(sorted(known)) or "none"
    return RedisUnreachable(
        f"No Sentinel of {target.url} knows a service '{service}'.",
        hint=f"They know: {names}. Name it in the URL: redis+sentinel://host:26379/SERVICE.",
    )


def too_few(others: Sequence[Mapping[str, str]], quorum: int) -> str:
    """Return why a Sentinel could not begin a failover, by its rows on the others; or ''.

    As SENTINEL CKQUORUM: a quorum has to miss the primary, and a majority to elect who acts.
    """
    usable = 1 + sum("down" not in row["flags"] for row in others)
    voters = 1 + len(others)
    needed = max(quorum, voters // 2 + 1)
    if usable >= needed:
        return ""
    return f"{plural(usable, 'usable Sentinel')} of {voters}, and {needed} are needed"
