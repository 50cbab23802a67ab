"""The report of a failover: what was lost stands before what looks good."""

from datetime import UTC, datetime

from msgspec.structs import replace

from pawsctl.cli.redis.failover import drill_view
from pawsctl.stack.topology.timer import Timer
from pawsctl.workflows.failover import Drill, Writes

DRILL = Drill(
    ok=True,
    begun_at=datetime(2026, 11, 28, 16, 30, tzinfo=UTC),
    server="redis 7.2.4",
    pawsctl="1.2.3",
    engine="docker",
    url="redis+sentinel://127.0.0.1:26379/paws",
    topology="sentinel",
    method="kill",
    primary="redis-1",
    promoted="redis-2",
    promoted_after=2.75,
    outage=2.69,
    outage_elsewhere=None,
    timer=Timer("down-after-milliseconds", 10.0, 30.0),
    writes=Writes(acknowledged=900, failed=0, uncertain=1),
    lost=0,
)


def _lines(drill: Drill, *, knows_timers: bool = False) -> list[str]:
    shown = drill_view(drill, knows_timers=knows_timers)
    return ["".join(text for text, _ in line) for line in shown]


def test_the_report_says_when_and_with_what_it_was_measured() -> None:
    """It is kept, and compared with the next one."""
    assert "drill    2026-11-28T16:30:00Z, redis 7.2.4 on docker, measured by pawsctl 1.2.3" in (
        _lines(DRILL)
    )


def test_lost_sessions_stand_before_the_outage_that_they_shorten() -> None:
    """Writes that the old primary took in vain make the outage look short."""
    lines = _lines(replace(DRILL, ok=False, method="graceful", outage=0.01, lost=8988))

    assert lines[0] == "lost     8988 acknowledged sessions"
    assert "no acknowledged session" not in "".join(lines)
    (outage,) = (line for line in lines if line.startswith("outage"))
    assert "the lost ones count as acknowledged" in outage


def test_the_timer_option_is_not_advertised_to_who_has_used_it() -> None:
    """Production's figure stays."""
    told, known = "\n".join(_lines(DRILL)), "\n".join(_lines(DRILL, knows_timers=True))

    assert "see --down-after 30s" in told
    assert "--down-after" not in known
    assert "production has 30 s" in known


def test_unknown_and_missing_failures_are_explained() -> None:
    """Nothing is said of what did not occur."""
    told = "\n".join(_lines(DRILL))
    quiet = "\n".join(_lines(replace(DRILL, writes=Writes(900, 3, 0))))

    assert "None failed: a write waits for the next primary." in told
    assert "Unknown: the connection broke before the answer" in told
    assert "Unknown:" not in quiet
    assert "None failed" not in quiet
