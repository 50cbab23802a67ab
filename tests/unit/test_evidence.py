"""Evidence that a Redis is production's."""

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.safety import evidence
from pawsctl.safety.evidence import Seen


@pytest.mark.parametrize(
    ("url", "seen", "found"),
    [
        ("redis://127.0.0.1", Seen(None, {}, (), ()), []),
        ("redis://h", Seen("h", {}, (), ()), ["h is not this machine (the URL is from .env)"]),
        ("rediss://127.0.0.1", Seen(None, {}, (), ()), ["it is reached over TLS"]),
        ("rediss+sentinel://127.0.0.1/s", Seen(None, {}, (), ()), ["it is reached over TLS"]),
        (
            "redis://127.0.0.1",
            Seen(None, {"a:1": 1, "b:2": 2}, (), ()),
            ["1 replica is attached to a:1", "2 replicas are attached to b:2"],
        ),
    ],
)
def test_evidence_is_told_in_clauses(url: str, seen: Seen, found: list[str]) -> None:
    """One for each thing that was seen."""
    assert evidence.of(parse(url, origin=".env"), seen) == found


@pytest.mark.parametrize(
    ("url", "foreign", "names"),
    [
        ("redis://h:1", "h", ("h", "h:1")),
        ("redis://127.0.0.1", None, ("127.0.0.1", "127.0.0.1:6379")),
        ("redis+sentinel://h/Main", "h", ("Main", "h:26379", "h")),
        ("unix:///s", None, ("/s",)),
        ("redis://[fd00::1]", "fd00::1", ("fd00::1", "[fd00::1]:6379")),
    ],
)
def test_a_place_has_names(url: str, foreign: str | None, names: tuple[str, ...]) -> None:
    """The best one first, in any case, and an address with or without brackets."""
    seen = evidence.of_place(parse(url, origin=".env"))
    assert (seen.foreign, tuple(each for each in seen.names if each)) == (foreign, names)
    for name in names:
        assert evidence.is_named(name.upper(), seen)
    assert evidence.is_named(f"[{names[0]}]", seen)
    assert not evidence.is_named("other", seen)
