"""Connections to Redis by URL: redis-py's sockets, this project's errors.

A `Connection` is one server, the primary that Sentinels name, or a cluster; it sends each command
to the right server. A `Node` is one server behind one socket.
"""

from pawsctl.config.target import Target
from pawsctl.connection.base import ClusterUntold, Connection, Uncertain
from pawsctl.connection.commands import Command, ttls_of, types_of
from pawsctl.connection.info_reply import fields as info_fields
from pawsctl.connection.ledger import Account, Outcome
from pawsctl.connection.node import Node, Notice
from pawsctl.connection.replies import (
    ASK_FOR_PERMISSION,
    ErrorReply,
    PartlyRefused,
    TooLarge,
    betrays_cluster,
    has_code,
    is_about_a_dump,
    is_about_a_key,
    is_about_the_command,
    is_in_doubt,
    raise_for_error,
    refused,
)
from pawsctl.connection.sockets.timeouts import Timeouts
from pawsctl.connection.substitutes import Substitutes

__all__ = [
    "ASK_FOR_PERMISSION",
    "Account",
    "ClusterUntold",
    "Command",
    "Connection",
    "ErrorReply",
    "Node",
    "Notice",
    "Outcome",
    "PartlyRefused",
    "Substitutes",
    "Timeouts",
    "TooLarge",
    "Uncertain",
    "beside",
    "betrays_cluster",
    "connect",
    "has_code",
    "info_fields",
    "is_about_a_dump",
    "is_about_a_key",
    "is_about_the_command",
    "is_in_doubt",
    "raise_for_error",
    "refused",
    "ttls_of",
    "types_of",
]


def connect(
    target: Target,
    timeouts: Timeouts | None = None,
    *,
    notice: Notice = lambda _sentence: None,
    prefer_replica: bool = False,
) -> Connection:
    """Return a connection to a target, which connects when first used.

    `notice` gets sentences for the user that are no failures. `prefer_replica` sends read-only
    commands to a replica if Sentinels name one.
    """
    timeouts = timeouts or Timeouts()
    tls = target.tls or target.sentinel_tls
    if tls is not None and not tls.verify:
        notice(
            "The URL says ssl_cert_reqs=none: the server's certificate is not looked at, and who "
            "is in between can read and change what is sent. ssl_ca_certs=FILE is better."
        )
    if prefer_replica and target.kind != "sentinel":
        notice("--prefer-replica needs redis+sentinel://; primaries are read.")
    # Imported here: each costs some milliseconds that the other kinds need not pay.
    if target.kind == "sentinel":
        from pawsctl.connection.sentinel import Sentinel

        return Sentinel(target, timeouts, notice, prefer_replica=prefer_replica)
    if target.kind == "cluster":
        from pawsctl.connection.cluster.client import Cluster

        return Cluster(target, timeouts, notice)
    from pawsctl.connection.standalone import Standalone

    return Standalone(target, timeouts, notice)


def beside(connection: Connection) -> Connection:
    """Return another connection to the same Redis, for commands during a pass over its keys.

    It also avoids what that one was refused, and says nothing of its own.
    """
    other = connect(connection.target, connection.timeouts)
    other.substitutes = connection.substitutes
    other.key_prefix = connection.key_prefix
    return other
