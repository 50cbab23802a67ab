"""`pawsctl serve` on a cluster."""

from pathlib import Path

from tests.cli_runner import Pawsctl
from tests.clusters import Cluster
from tests.serving import DEVELOPMENT, serving


def test_a_cluster_is_served_as_a_whole(cluster: Cluster, tmp_path: Path) -> None:
    """Health is that of every primary; sessions are found, and counted, wherever they are."""
    phones = sorted(cluster.seed(20))
    pawsctl = Pawsctl(tmp_path, f"redis://{cluster.primaries[0].address}")
    with serving(pawsctl, env=DEVELOPMENT) as served:
        assert served.ask().json["services"]["redis"]["status"] == "up"
        for phone in phones:
            assert served.ask("POST", body=f'{{"phone":"{phone}"}}').json["session"], phone
        told = served.ask(path="/metrics").body.decode()
    assert 'pawsctl_redis_check_ok{check="slots"} 1.0' in told
    assert "pawsctl_sessions 20.0" in told
    assert told.count("pawsctl_redis_replicas_online{") == 3
