"""Words on Sentinels: a hint names a URL that parses to what it says, a fault is counted right."""

import re

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import sentinel_failures
from pawsctl.errors import RedisUnreachable


@pytest.mark.parametrize("redis_has", [True, False])
@pytest.mark.parametrize("sentinels_have", [True, False])
@pytest.mark.parametrize("of_sentinel", [True, False])
def test_the_way_switches_the_tls_of_one(
    redis_has: bool, sentinels_have: bool, of_sentinel: bool
) -> None:
    """The other's stays as it is, whatever the scheme says of both."""
    scheme = "rediss" if redis_has else "redis"
    url = f"{scheme}+sentinel://h:1/svc?sentinel_ssl={str(sentinels_have).lower()}"
    failure = RedisUnreachable("It hung up.", hint="Try rediss:// instead.")
    found = sentinel_failures.with_way(failure, parse(url, origin="--url"), of_sentinel=of_sentinel)
    assert found.message == failure.message
    assert found.hint is not None
    assert ("Redis as it is now" in found.hint) == of_sentinel
    (way,) = re.findall(r"write (\S+)\.$", found.hint)
    target = parse(way.replace("…", "h:1"), origin="--url")
    expected = (redis_has != (not of_sentinel), sentinels_have != of_sentinel)
    assert (target.tls is not None, target.sentinel_tls is not None) == expected
    assert ("?" in way) == (expected[0] != expected[1])


def test_what_tls_does_not_explain_stays_as_it_is() -> None:
    """Its own hint is the better one."""
    failure = RedisUnreachable("It hung up.", hint="See its log.")
    target = parse("redis+sentinel://h:1/svc", origin="--url")
    assert sentinel_failures.with_way(failure, target, of_sentinel=True) is failure


@pytest.mark.parametrize(("known", "told"), [(set(), "none"), ({"b", "a"}, "a, b")])
def test_the_services_that_are_known_are_named(known: set[str], told: str) -> None:
    """That there is none is said, too."""
    target = parse("redis+sentinel://h:1/svc", origin="--url")
    found = sentinel_failures.unknown_service("svc", known, target)
    assert "knows a service 'svc'" in found.message
    assert (found.hint or "").startswith(f"They know: {told}. ")


@pytest.mark.parametrize(
    ("flags", "quorum", "fault"),
    [
        (["sentinel", "sentinel"], 2, ""),
        (["s_down,sentinel", "sentinel"], 2, ""),
        (["s_down,sentinel", "s_down,sentinel"], 1, "1 usable Sentinel of 3, and 2 are needed"),
        (["s_down,sentinel", "sentinel"], 3, "2 usable Sentinels of 3, and 3 are needed"),
        (["sentinel", "s_down,sentinel", "s_down,sentinel"], 1, "2 usable Sentinels of 4, and 3"),
        ([], 1, ""),
        ([], 2, "1 usable Sentinel of 1, and 2 are needed"),
    ],
)
def test_a_failover_needs_a_quorum_and_a_majority(
    flags: list[str], quorum: int, fault: str
) -> None:
    """Of all Sentinels that are known, the one that is asked among them."""
    said = sentinel_failures.too_few([{"flags": each} for each in flags], quorum)
    assert said.startswith(fault)
    assert bool(said) == bool(fault)
