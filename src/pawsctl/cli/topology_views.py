"""What a person sees of a topology. Nothing here writes."""

from collections.abc import Callable, Iterable, Iterator

from pawsctl import redis_url, url_with_password
from pawsctl.cli import stack_views
from pawsctl.cli.text import Column, Line, Span, table
from pawsctl.cli.views import duration, size
from pawsctl.drill.failover import Drill
from pawsctl.stack.results import StackStatus
from pawsctl.stack.topologies import Member, TopologyStatus

_STATES = {"running": "green", "absent": "red", "exited": "red", "restarting": "red"}
_ROLES = {"primary": "cyan", "sentinel": "magenta"}
_WIDTH = 200
_WHY_LOST = {
    "kill": "A primary acknowledges before its replicas have a write; it died in between.",
    "graceful": "Until it was demoted, the old primary took writes that the new one never had.",
}


def status(result: StackStatus | TopologyStatus) -> Iterable[Line]:
    """What runs, of the single Redis or of a topology."""
    return stack_views.status(result) if isinstance(result, StackStatus) else _topology(result)


def env(password: str | None) -> Callable[[StackStatus | TopologyStatus], Iterator[Line]]:
    """How to show where it is as a line of a `.env`, with its password."""

    def view(result: StackStatus | TopologyStatus) -> Iterator[Line]:
        place = redis_url.parse(result.url, origin="the project's settings")
        url = url_with_password.of(place.with_login(None, password))
        yield [(f"REDIS_URL={url}", "")]

    return view


def _topology(result: TopologyStatus) -> Iterator[Line]:
    """Engine and URL, a line per service, the Sentinels' quorum, and what is missing."""
    yield [("engine   ", "bold"), (result.engine, "")]
    yield [("url      ", "bold"), (result.url, "cyan")]
    if result.quorum:
        quorum = result.quorum
        told = f"{quorum.agreeing} of {quorum.sentinels} Sentinels agree, {quorum.needed} needed"
        yield [("quorum   ", "bold"), (told, "green" if result.serves else "red")]
    columns = [each for each in _COLUMNS if any(each.cell(row)[0] for row in result.services)]
    yield from table(result.services, columns, _WIDTH)
    for problem in result.problems:
        yield [("problem: ", "yellow"), (problem, "")]
    if not result.serves:
        up = f"pawsctl redis up --topology {result.topology}"
        yield [(f"It takes no writes; start it with '{up}'.", "red")]


def drill(result: Drill) -> Iterator[Line]:
    """Who failed, who was promoted, and what it cost."""
    how = "was killed" if result.method == "kill" else "gave way"
    yield [
        (f"{result.primary} ", "bold"),
        (f"{how}; ", ""),
        (f"{result.promoted} ", "bold"),
        (f"was the primary after {result.promoted_after:.2f} s.", ""),
    ]
    elsewhere = ""
    if result.outage_elsewhere is not None:
        elsewhere = f" (on the other primaries {result.outage_elsewhere:.2f} s)"
    yield [("outage   ", "bold"), (f"{result.outage:.2f} s without a write{elsewhere}", "")]
    writes = result.writes
    told = f"{writes.acknowledged} acknowledged, {writes.failed} failed, {writes.uncertain} unknown"
    yield [("writes   ", "bold"), (told, "")]
    if result.lost:
        yield [("lost     ", "bold"), (f"{result.lost} acknowledged sessions", "red")]
        yield [(f"         {_WHY_LOST[result.method]}", "")]
    else:
        yield [("lost     ", "bold"), ("no acknowledged session", "green")]
    yield [(f"{result.primary} is a replica now; the test sessions are deleted.", "")]


def _state(row: Member) -> Span:
    return row.state, _STATES.get(row.state, "yellow")


def _role(row: Member) -> Span:
    if row.role == "replica":
        return f"replica of {row.primary or '?'}", ""
    return row.role or "", _ROLES.get(row.role or "", "")


def _lag(row: Member) -> Span:
    if row.lag is None:
        return "", ""
    if row.lag.seconds is None:
        return "not connected", "red"
    return f"{row.lag.bytes} B, heard {row.lag.seconds} s ago", ""


_COLUMNS: tuple[Column[Member], ...] = (
    Column("service", lambda row: (row.service, "bold")),
    Column("state", _state),
    Column("port", lambda row: (" ".join(row.ports), "")),
    Column("uptime", lambda row: (duration(row.uptime) if row.uptime else "", "")),
    Column("role", _role),
    Column("keys", lambda row: ("" if row.keys is None else str(row.keys), ""), right=True),
    Column(
        "memory", lambda row: ("" if row.memory is None else size(row.memory), ""), right=True
    ),
    Column("lag", _lag),
    Column("slots", lambda row: (" ".join(row.slots), "")),
)
