"""Compare two servers by their INFO. Pure."""

from collections.abc import Mapping

from pawsctl.connection import info_reply

# Database → how many keys it holds, and how many of them expire.
Databases = Mapping[str, tuple[int, int]]


def is_written(info: Mapping[str, str]) -> bool:
    """Whether all data of a server is in its append-only file."""
    return (
        info.get("aof_enabled") == "1"
        and info.get("aof_rewrite_in_progress") == "0"
        and info.get("aof_rewrite_scheduled") == "0"
        and info.get("aof_last_bgrewrite_status") == "ok"
        and info.get("aof_last_write_status", "ok") == "ok"
    )


def missing(wanted: Databases, info: Mapping[str, str]) -> int:
    """Return how many keys a server lacks, not counting those that expired since its start."""
    found = info_reply.databases(info)
    lasting = 0
    for name, (total, expiring) in wanted.items():
        keys, some = found.get(name, (0, 0))
        lasting += max(0, (total - expiring) - (keys - some))
    # Keys are loaded first and expire afterwards, so they are counted in expired_keys.
    total_found = sum(keys for keys, _ in found.values()) + int(info.get("expired_keys", "0"))
    return max(lasting, sum(total for total, _ in wanted.values()) - total_found)
