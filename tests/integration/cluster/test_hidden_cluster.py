"""Clusters that hide that they are one: some of the keys must not be reported as all."""

from collections.abc import Iterator

import pytest

from pawsctl.errors import ExitStatus
from tests import clusters
from tests.cli_runner import Pawsctl
from tests.clusters import Cluster
from tests.processes import wait_until

SESSIONS = 90
LOOKS = (
    *("session list", "session ttl", "session stats", "session lint", "session export all.jsonl"),
    *("session flush --dry-run", "health"),
)
USERS = {
    "operator": ("~*", "+@all", "-@dangerous"),
    "reader": ("~wh:session:*", "+scan", "+get", "+mget", "+pttl", "+ttl", "+type", "+ping"),
    "plain": ("~*", "+@all", "-@dangerous", "-cluster"),
    "guest": ("~*", "+@all", "-@dangerous", "-mget", "-exists"),
}


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster without HELLO, whose users may not run INFO; its first node has no session."""
    folder = tmp_path_factory.mktemp("hidden")
    with clusters.running(folder, "--rename-command", "HELLO", "", replicas=0) as cluster:
        for primary in cluster.primaries:
            for name, rules in USERS.items():
                primary.client.execute_command("ACL", "SETUSER", name, "reset", "on", ">pw", *rules)
        yield cluster


@pytest.mark.parametrize("name", USERS)
def test_a_node_that_holds_nothing_is_not_the_whole(
    name: str, hidden: Cluster, bare_pawsctl: Pawsctl
) -> None:
    """The others' sessions are all seen, or reported as not seen."""
    hidden.seed(SESSIONS)
    hidden.primaries[0].client.flushall()
    held = sum(primary.client.dbsize() for primary in hidden.primaries)
    url = f"redis://{name}:pw@127.0.0.1:{hidden.primaries[0].port}"
    for words in LOOKS:
        result = bare_pawsctl(*words.split(), "--json", "--url", url)
        where = (name, words, result.text, result.err)
        if result.status != ExitStatus.OK:
            assert name in ("plain", "reader"), where
            # A user who may only read may not delete, wherever the keys are.
            is_refused = (name, words) == ("reader", "session flush --dry-run")
            reason = "NOPERM" if is_refused else "does not tell where the others are"
            told = "'cluster|" if words == "health" else reason
            assert told in (result.text + result.err), where
        elif words == "health":
            assert len(result.json["checks"]) == 9, where
        elif words == "session lint":
            assert result.json["checked"] == held, where
        elif words == "session list":
            assert len(result.json) == held, where
        else:
            assert result.json["sessions"] == held, where
    flushed = bare_pawsctl("session", "flush", "--yes", "--json", "--url", url)
    left = sum(primary.client.dbsize() for primary in hidden.primaries)
    if flushed.status == ExitStatus.OK:
        assert (flushed.json["deleted"], left) == (held, 0)
    else:
        assert left == held, flushed.err


def test_a_cluster_is_found_out_with_keys_of_the_prefix(
    hidden: Cluster, bare_pawsctl: Pawsctl
) -> None:
    """A user who may read no others learns nothing from the bot's."""
    for primary in hidden.primaries:
        rules = ("reset", "on", ">pw", "~sess:*", *USERS["reader"][1:])
        primary.client.execute_command("ACL", "SETUSER", "app", *rules)
    url = f"redis://app:pw@127.0.0.1:{hidden.primaries[0].port}"
    env = {"SESSION_PREFIX": "sess:"}
    for words in ("session list", "session stats"):
        result = bare_pawsctl(*words.split(), "--url", url, env=env)
        assert result.status != ExitStatus.OK
        assert "does not tell where the others are" in result.err


def test_a_node_whose_keys_are_all_its_own_is_not_the_whole(
    hidden: Cluster, bare_pawsctl: Pawsctl
) -> None:
    """A script over its own keys does not reveal the cluster."""
    hidden.seed(SESSIONS)
    url = f"redis://operator:pw@127.0.0.1:{hidden.primaries[0].port}"
    found = bare_pawsctl("session", "ttl", "--json", "--url", url)
    assert found.json["sessions"] == SESSIONS, found.err


def test_slots_that_nobody_serves_are_no_health(bare_pawsctl: Pawsctl, hidden: Cluster) -> None:
    """This holds though each node reports its own slots as fine."""
    lost = hidden.slots_of(2)
    for member in hidden.members:
        member.client.config_set("cluster-require-full-coverage", "no")
        member.client.execute_command("CLUSTER", "DELSLOTSRANGE", lost[0], lost[-1])

    def failed() -> dict[str, str]:
        result = bare_pawsctl("health", "--json", "--url", hidden.url)
        assert result.status == ExitStatus.FAILED
        return {each["name"]: each["detail"] for each in result.json["checks"] if not each["ok"]}

    # Until all nodes have heard of it, some may report the whole cluster as down.
    try:
        wait_until(lambda: list(failed()) == ["every slot is served"], "one failure")
        assert f"{lost[0]}-{lost[-1]}" in failed()["every slot is served"]
        alone = bare_pawsctl("health", "--only", "slots", "--url", hidden.url)
        assert alone.status == ExitStatus.FAILED
        assert alone.text.startswith("✗ every slot is served")
    finally:
        hidden.primaries[2].cluster("ADDSLOTSRANGE", lost[0], lost[-1])
        wait_until(hidden.is_sound, "the cluster as it was")
