"""Say if what answers is a replica: it may lack what its primary has, and takes no writes."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pawsctl.connection import Connection, Node, info_fields
from pawsctl.connection.replies import has_code
from pawsctl.errors import OperationFailed, PawsctlError


def shortfall(connection: Connection) -> str:
    """Return a sentence if reads go to a replica that is not in sync, '' if not, or if untold.

    Such a replica answers with what it had before, or with nothing while it is filled.
    """
    with suppress(PawsctlError):
        node = connection.resolved().reader()
        told = _replication(node)
        if told.get("role") == "slave" and told.get("master_link_status") == "down":
            return (
                f"{node} is a replica that has lost its primary, or is being filled by it: "
                "sessions may be missing or old."
            )
    return ""


def refusal(connection: Connection) -> str:
    """Return a sentence if writes would go to a replica that takes none, '' if not, or untold."""
    with suppress(PawsctlError):
        node = connection.owner(b"")
        told = _replication(node)
        if told.get("role") == "slave" and told.get("slave_read_only") == "1":
            return f"{node} is a replica, which takes no writes: without --dry-run, it refuses."
    return ""


def require_none(connection: Connection, key: bytes, tried: bytes) -> None:
    """Raise OperationFailed if the server of a key is a replica: its primary may hold more.

    If it does not tell what it is, its answer to the deletion of `tried`, a key of nobody, does.
    """
    # A node of a cluster, such as a replica, leads to all of it once it has told so.
    connection.connect()
    node = connection.owner(key)
    role = _replication(node).get("role")
    if role is None:
        told = node.pipeline([("ROLE",)])[0]
        role = {b"slave": "slave", b"master": "master"}.get(_first(told), "")
    if role == "slave" or (not role and has_code(node.pipeline([("DEL", tried)])[0], "READONLY")):
        raise OperationFailed(
            f"{node} is a replica: it may lack what its primary holds, and nothing was changed.",
            hint="Use the primary's address, or redis+sentinel://.",
        )


def _first(told: Any) -> Any:
    return told[0] if isinstance(told, list) and told and isinstance(told[0], bytes) else b""


def _replication(node: Node) -> Mapping[str, str]:
    reply = node.pipeline([("INFO", "replication")])[0]
    return info_fields(reply) if isinstance(reply, bytes) else {}
