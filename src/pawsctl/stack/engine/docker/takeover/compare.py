"""Compare two servers by their INFO. Pure."""

from collections.abc import Mapping

from pawsctl.connection import info_reply

# Database → how many keys it holds, and how many of them expire.
Databases = Mapping[str, tuple[int, int]]


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
