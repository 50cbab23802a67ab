"""Say if what answers is a replica that may lack what its primary has."""

from contextlib import suppress

from pawsctl.connection import Connection, info_fields
from pawsctl.errors import PawsctlError


def shortfall(connection: Connection) -> str:
    """Return a sentence if reads go to a replica that is not in sync, '' if not, or if untold.

    Such a replica answers with what it had before, or with nothing while it is filled.
    """
    with suppress(PawsctlError):
        node = connection.resolved().reader()
        reply = node.pipeline([("INFO", "replication")])[0]
        told = info_fields(reply) if isinstance(reply, bytes) else {}
        if told.get("role") == "slave" and told.get("master_link_status") == "down":
            return (
                f"{node} is a replica that has lost its primary, or is being filled by it: "
                "sessions may be missing or old."
            )
    return ""
