"""`pawsctl serve` behind Sentinels."""

from tests.cli_runner import Pawsctl
from tests.sentinels import Trio
from tests.serving import DEVELOPMENT, serving


def test_the_primary_that_sentinels_name_is_served(trio: Trio, anywhere: Pawsctl) -> None:
    """Health, sessions and replication are told of it."""
    (phone,) = trio.seed(1)
    with serving(anywhere, "--url", trio.url, env=DEVELOPMENT) as served:
        assert served.ask().json["services"]["redis"] == {"status": "up", "configured": False}
        assert served.ask("POST", body=f'{{"phone":"{phone}"}}').json["session"]
        told = served.ask(path="/metrics").body.decode()
    assert f'pawsctl_redis_replicas{{node="{trio.primary.address}"}} 2.0' in told
