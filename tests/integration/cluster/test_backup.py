"""A backup of a cluster is made without scripts, and comes back through any of its nodes."""

import signal
import sys

import pytest

from tests.cli_runner import Pawsctl
from tests.clusters import Cluster


def test_a_backup_knows_its_cluster_by_any_of_its_nodes(
    cluster: Cluster, anywhere: Pawsctl
) -> None:
    """Each of several slots in a transaction of its own; a replica's name will do."""
    first, *_, last = cluster.members
    keys = cluster.seed(60)
    for member in cluster.members:
        rights = ("on", ">pw", "~*", "+@all", "-@scripting")
        member.client.execute_command("ACL", "SETUSER", "lim", *rights)
    login = "redis+cluster://lim:pw@127.0.0.1"
    anywhere.environment["REDIS_URL"] = f"{login}:{first.port}"
    try:
        flushed = anywhere("session", "flush", "--confirm", "127.0.0.1", "--json")
        assert (flushed.status, flushed.json["deleted"]) == (0, len(keys)), flushed.err
        assert "Scripts and transactions" not in flushed.err
        anywhere.environment["REDIS_URL"] = f"{login}:{last.port}"
        restored = anywhere("backup", "restore", "--latest", "--json")
        assert (restored.status, restored.json["restored"]) == (0, len(keys)), restored.err
        replaced = anywhere(
            "backup", "restore", "--latest", "--replace", "--confirm", "127.0.0.1", "--json"
        )
        assert (replaced.json["restored"], replaced.json["changed"]) == (len(keys), 0)
    finally:
        for member in cluster.members:
            member.client.acl_deluser("lim")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")
def test_a_pass_that_is_interrupted_ends_without_a_word_of_python(
    cluster: Cluster, anywhere: Pawsctl
) -> None:
    """It is dropped when all of its connections have been closed already."""
    cluster.seed(60)
    anywhere.environment["REDIS_URL"] = cluster.url
    words = ("session", "flush", "--confirm", "127.0.0.1")
    process = anywhere.signalled(signal.SIGINT, ".part", *words)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "error: Interrupted: 0 keys were deleted." in err.decode()
    assert "Exception ignored" not in err.decode()
