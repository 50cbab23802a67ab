"""The next step for a health check that failed."""

from pawsctl.server import health

# Words of a check's detail → the next step; the first that fit count.
_STEPS = (
    (
        "its memory is full",
        "'pawsctl session stats' and 'pawsctl redis memory' show what takes it; "
        "'pawsctl redis maxmemory SIZE' raises the limit.",
    ),
    ("this user may not", "Ask for the permission, or use another user in the URL."),
    ("it is a replica", "Use the primary's address, or redis+sentinel://."),
    (
        "MISCONF",
        "Redis can't save to disk: make room, or see its log ('pawsctl redis logs' for this "
        "project's own).",
    ),
    ("NOREPLICAS", "Look at its replicas (INFO replication): too few keep up."),
    ("MASTERDOWN", "This replica has lost its primary: use the primary's address."),
    ("LOADING", "Redis is still loading its data: try again in a moment."),
    ("still loading", "Try again in a moment."),
    ("BUSY", "A script keeps Redis from answering: wait for it, or end it with SCRIPT KILL."),
    ("CLUSTERDOWN", "See 'CLUSTER NODES' on any node: a part of the cluster is missing."),
    ("nobody serves", "See 'CLUSTER NODES' on any node: a part of the cluster is missing."),
    ("usable Sentinel", "Start the Sentinels that are missing, until SENTINEL CKQUORUM says OK."),
    (health.SILENT, "See if it runs, and its log; a replica may take its place."),
    ("can't be understood", "Look whether a Redis answers there."),
)


def for_failed(detail: str) -> str:
    """Return the next step for what a failed check tells; empty if it is not known."""
    return next((step for words, step in _STEPS if words in detail), "")
