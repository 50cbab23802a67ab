"""Every command on a cluster, by its own scheme or detected, and refused logins."""

from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import clusters, servers
from tests.cli_runner import Pawsctl
from tests.clusters import Cluster
from tests.conftest import GOOD


@pytest.fixture(params=["cluster URL", "URL of a primary", "URL of a replica"])
def url(request: pytest.FixtureRequest, cluster: Cluster) -> str:
    """The cluster by its own scheme, and any of its nodes by a plain URL."""
    if request.param == "cluster URL":
        return cluster.url
    member = cluster.members[0 if request.param == "URL of a primary" else -1]
    return f"redis://{member.address}"


def test_every_command_works(cluster: Cluster, anywhere: Pawsctl, url: str) -> None:
    """One URL is enough, and a detected cluster is reported."""
    phones = cluster.seed(1_000)
    cluster.owner_of(b"wh:session:list").client.rpush("wh:session:list", "x")
    some = sorted(phones)[:5]

    def run(*arguments: str) -> object:
        result = anywhere(*arguments, "--json", "--url", url)
        assert result.status == ExitStatus.OK, result
        assert ("is a cluster, and is used as one" in result.err) == ("+cluster" not in url)
        return result.json

    listed = run("session", "list")
    assert isinstance(listed, list)
    assert {each["phone"] for each in listed} == {*phones, "list"}
    got = run("session", "get", *some)
    assert isinstance(got, list)
    assert [each["phone"] for each in got] == some
    for command in (
        "session stats",
        "session ttl",
        "redis memory",
        "test-session",
        "health",
        "doctor",
    ):
        assert run(*command.split())
    exported = run("session", "export", "a.jsonl")
    assert isinstance(exported, dict)
    assert (exported["sessions"], exported["left_out"]) == (1_000, {"list": 1})
    flushed = run("session", "flush", "--confirm", "127.0.0.1")
    assert isinstance(flushed, dict)
    assert (flushed["deleted"], flushed["others"]) == (1_001, {"list": 1})
    imported = run("session", "import", "a.jsonl")
    assert isinstance(imported, dict)
    assert imported["imported"] == 1_000
    assert sum(primary.client.dbsize() for primary in cluster.primaries) == 1_000
    for phone in some:
        erased = run("session", "erase", phone, "--confirm", "127.0.0.1")
        assert isinstance(erased, dict)
        assert erased["receipt"]["looked_at"][0]["erased"] == 1


def test_a_receipt_names_each_primary_that_had_something_of_the_person(
    cluster: Cluster, anywhere: Pawsctl
) -> None:
    """A picture may be on another primary than the session, in whose files it stays for a time."""
    session = cluster.owner_of(b"wh:session:+1")
    pictures = (f"temp_image:+1:{number}" for number in range(1_000))
    name = next(each for each in pictures if cluster.owner_of(each.encode()) != session)
    picture = cluster.owner_of(name.encode())
    session.client.set("wh:session:+1", GOOD[0].read_bytes(), ex=600)
    picture.client.set(name, "{}", ex=600)
    done = anywhere(
        *("session", "erase", "+1", "--confirm", "127.0.0.1", "--json", "--url", cluster.url)
    )
    told = done.json["receipt"]["not_reached"]
    of_snapshots = [each.split()[2] for each in told if each.startswith("snapshots of")]
    assert of_snapshots == [str(session.address), str(picture.address)]


def test_health_asks_each_primary_for_a_key_of_its_own(cluster: Cluster, anywhere: Pawsctl) -> None:
    """It finds the one primary that is full; nothing is written."""
    full = cluster.primaries[-1]
    full.client.config_set("maxmemory", 1)
    try:
        result = anywhere("health", "--json", "--url", cluster.url)
    finally:
        full.client.config_set("maxmemory", 0)
    assert result.status == ExitStatus.FAILED
    assert [each["name"] for each in result.json["checks"] if not each["ok"]] == [
        f"{full.address} takes writes"
    ]
    assert all(primary.client.dbsize() == 0 for primary in cluster.primaries)


def test_a_hash_tag_in_the_prefix_puts_all_sessions_on_one_primary(
    cluster: Cluster, anywhere: Pawsctl
) -> None:
    """The others have nothing to take, and are healthy all the same."""
    anywhere.environment |= {"SESSION_PREFIX": "{app}:s:", "SESSION_FORMAT": "raw"}
    anywhere.environment["REDIS_URL"] = cluster.url
    owner = cluster.owner_of(b"{app}:s:1")
    owner.client.set("{app}:s:1", "x", ex=600)
    owner.client.set("{app}:t:1", "theirs", ex=600)
    checks = anywhere("health", "--json").json["checks"]
    assert all(each["ok"] for each in checks)
    assert sum("no session belongs here" in each["detail"] for each in checks) == 2
    assert [each["phone"] for each in anywhere("session", "list", "--json").json] == ["1"]
    drill = anywhere("redis", "failover", "--topology", "cluster")
    assert drill.status == ExitStatus.USAGE
    assert "hash tag" in drill.err
    flushed = anywhere("session", "flush", "--yes", "--confirm", "127.0.0.1")
    assert flushed.status == ExitStatus.OK, flushed.err
    assert owner.client.keys() == [b"{app}:t:1"]


def test_production_is_known_by_any_of_its_nodes(
    cluster: Cluster, anywhere: Pawsctl, tmp_path: Path
) -> None:
    """A profile names one node, and the URL another, as a cluster or a single server."""
    cluster.seed(1)
    first, *_, last = cluster.members
    own = tmp_path / ".config" / "pawsctl" / "pawsctl.toml"
    own.parent.mkdir(parents=True)
    own.write_text(f'[profiles.prod]\nproduction = true\nurl = "redis+cluster://{last.address}"\n')
    for scheme in ("redis", "redis+cluster"):
        url = f"{scheme}://{first.address}"
        refused = anywhere("session", "flush", "--yes", "--url", url)
        assert refused.status == ExitStatus.NOT_CONFIRMED
        assert f"at the place of profile prod in {own}:2" in refused.err


def test_a_list_says_how_many_primaries_answered(cluster: Cluster, anywhere: Pawsctl) -> None:
    """The message goes to stderr."""
    cluster.seed(10)
    result = anywhere("session", "list", "-o", "csv", "--url", cluster.url)
    assert "3 of 3 primaries answered." in result.err
    assert len(result.out.splitlines()) == 11


@pytest.mark.parametrize("options", [["-n", "1"], []])
def test_a_cluster_has_one_database(
    cluster: Cluster, anywhere: Pawsctl, options: list[str]
) -> None:
    """Another one may come from an option, or from a plain URL that leads to a cluster."""
    url = cluster.url if options else f"redis://{cluster.members[0].address}/1"
    result = anywhere("session", "list", "--json", "--url", url, *options)
    # Valkey allows more than one if it is configured to.
    assert result.status == ExitStatus.FAILED
    assert "has no database 1." in result.error["message"]


def test_a_cluster_of_redis_never_has_another_database(tmp_path: Path, anywhere: Pawsctl) -> None:
    """Every node says so: it was reached, and what was asked of it is wrong."""
    program = servers.redis_itself()
    with clusters.running(tmp_path, program=program, primaries=2, replicas=0) as cluster:
        for url, option in (
            (cluster.url, "-n1"),
            (f"{cluster.url}/1", ""),
            (f"redis://{cluster.members[0].address}/1", ""),
        ):
            for command in ("session list", "health --wait 60s", "test-session"):
                words = [*command.split(), "--json", "--url", url, *filter(None, [option])]
                result = anywhere(*words)
                assert result.status == ExitStatus.USAGE, (url, command)
                assert result.error["message"].startswith("Redis at redis://127.0.0.1:")
                assert "of a cluster, which has only database 0." in result.error["message"]
                hint = result.error["hint"]
                assert "of the URL (from option --url), and -n out of the command" in hint


def test_databases_of_a_cluster(tmp_path: Path, anywhere: Pawsctl) -> None:
    """Valkey 9 has them if cluster-databases is set; each command uses only its own."""
    with clusters.running(tmp_path, "--cluster-databases", "4", replicas=0) as cluster:
        phones = cluster.seed(30)
        for url in (f"{cluster.url}/2", f"redis://{cluster.members[0].address}/2"):
            assert anywhere("session", "list", "--json", "--url", url).json == []
            assert anywhere("test-session", "--url", url).status == ExitStatus.OK
            seeded = anywhere("session", "seed", "20", "--url", url)
            assert seeded.status == ExitStatus.OK, seeded.err
            assert len(anywhere("session", "list", "--json", "--url", url).json) == 20
            flushed = anywhere("session", "flush", "--yes", "--json", "--url", url)
            assert flushed.json["deleted"] == 20
            assert anywhere("health", "--url", url).status == ExitStatus.OK
        assert len(anywhere("session", "list", "--json", "--url", cluster.url).json) == len(phones)
        beyond = anywhere("session", "list", "--json", "--url", cluster.url, "-n", "4")
        assert beyond.status == ExitStatus.FAILED
        assert "has no database 4." in beyond.error["message"]


def test_a_single_server_is_no_cluster(cluster: Cluster, pawsctl: Pawsctl) -> None:
    """redis+cluster:// is used instead of redis://."""
    url = pawsctl.environment["REDIS_URL"].replace("redis://", "redis+cluster://")
    result = pawsctl("session", "list", "--json", "--url", url)
    assert result.status == ExitStatus.UNREACHABLE
    assert "is no node of a cluster" in result.error["message"]


def test_a_password_that_one_node_refuses(tmp_path: Path, anywhere: Pawsctl) -> None:
    """The node is named, and no partial result is printed as whole."""
    options = ("--requirepass", "s3cret", "--masterauth", "s3cret")
    with clusters.running(tmp_path, *options, replicas=0, password="s3cret") as cluster:
        cluster.seed(100)
        url = cluster.url.replace("://", "://:s3cret@")
        assert len(anywhere("session", "list", "--json", "--url", url).json) == 100
        wrong = anywhere("session", "list", "--json", "--url", url.replace("s3cret", "wr0ng"))
        assert (wrong.status, wrong.error["code"]) == (ExitStatus.UNREACHABLE, "login-refused")
        odd = cluster.primaries[1]
        odd.client.config_set("requirepass", "other")
        result = anywhere("session", "list", "--json", "--url", url)
        assert (result.status, result.error["code"]) == (ExitStatus.UNREACHABLE, "login-refused")
        assert odd.address in result.error["message"]
        for each in (wrong, result):
            assert "s3cret" not in each.err
            assert "wr0ng" not in each.err


def test_a_password_that_no_node_asks_for(cluster: Cluster, anywhere: Pawsctl) -> None:
    """Each node is named once, and the nodes are used."""
    cluster.seed(10)
    url = cluster.url.replace("://", "://:s3cret@")
    result = anywhere("session", "list", "--json", "--url", url)
    assert (result.status, len(result.json)) == (ExitStatus.OK, 10)
    assert "asks for no password" in result.err


def test_a_cluster_is_read_by_commands_that_read(cluster: Cluster, anywhere: Pawsctl) -> None:
    """With --read-only, its nodes, slots and keys are still found, and no write is sent."""
    cluster.seed(20)
    for url in (cluster.url, f"redis://{cluster.members[0].address}"):
        read = anywhere("session", "list", "--json", "--url", url, "--read-only")
        assert (read.status, len(read.json)) == (ExitStatus.OK, 20), read.err
        assert anywhere("health", "--url", url, "--read-only").status == ExitStatus.OK
        flush = anywhere("session", "flush", "--yes", "--url", url, "--read-only")
        assert flush.status == ExitStatus.NOT_CONFIRMED


def test_a_replica_is_preferred_by_sentinels_only(cluster: Cluster, anywhere: Pawsctl) -> None:
    """An option without effect is reported."""
    result = anywhere("session", "list", "--json", "--url", cluster.url, "--prefer-replica")
    assert (result.status, result.json) == (ExitStatus.OK, [])
    assert "--prefer-replica needs redis+sentinel://" in result.err
