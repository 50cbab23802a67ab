"""Form the Sentinel topology (a primary, its replicas and Sentinels), and view it.

Redis and Sentinel keep their roles in their data, failovers included: once a Sentinel knows the
primary, its word counts, and nothing here overrides it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from pawsctl.connection import info_reply, probe
from pawsctl.errors import OperationFailed
from pawsctl.stack.project import layout
from pawsctl.stack.project.layout import SENTINEL_SERVICE
from pawsctl.stack.project.project import Project
from pawsctl.stack.topology.view import LOOK_TIMEOUT, Quorum, TopologyNode, TopologyView, of_info

_QUORUM = 2
# Milliseconds until a silent primary counts as dead, and until a failed failover is tried again;
# production has 30000 and 180000.
_DOWN_AFTER = 1500
_FAILOVER_TIMEOUT = 10_000


class _Word(Struct, frozen=True):
    """A Sentinel's report on the primary; `port` is None if it knows none."""

    port: int | None
    flags: str = ""
    replicas: tuple[str, ...] = ()
    sentinels: int = 0


def look(project: Project, asked: Sequence[str]) -> TopologyView:
    """Return the current state of the topology, as the services in `asked` report it."""
    names = layout.redis_ports(project.stack)
    sentinels = layout.sentinel_ports(project.stack)
    places = {port: name for port, name in (names | sentinels).items() if name in asked}
    nodes = _nodes(project, names.keys() & places)
    words = _words(sentinels.keys() & places)
    answering = nodes.keys() | words.keys()
    problems = [f"{name} does not answer" for port, name in places.items() if port not in answering]
    for port, word in words.items():
        problems += _word_problems(sentinels[port], word, names=names, sentinels=len(sentinels))
    named = Counter(word.port for word in words.values() if word.port is not None)
    primary, agreeing = named.most_common(1)[0] if named else (None, 0)
    if len(named) > 1:
        problems.append("the Sentinels do not agree on the primary")
    for port, node in nodes.items():
        if node.refusal:
            problems.append(f"{names[port]} refuses: {node.refusal}")
        if node.role == "primary" and primary and port != primary:
            problems.append(f"{names[port]} is a primary that no Sentinel names")
        elif node.role == "replica" and (
            not node.is_linked or (primary and node.primary_port != primary)
        ):
            problems.append(f"{names[port]} is not connected to the primary")
    top = nodes.get(primary) if primary else None
    if top and top.replicas < len(names) - 1:
        problems.append(f"the primary has {top.replicas} of {len(names) - 1} replicas")
    return TopologyView(
        nodes={names[port]: node for port, node in nodes.items()},
        problems=tuple(problems),
        serves=top is not None
        and top.role == "primary"
        and not top.refusal
        and agreeing >= _QUORUM,
        quorum=Quorum(sentinels=len(words), agreeing=agreeing, needed=_QUORUM),
        primary=names.get(primary) if primary else None,
    )


def _word_problems(name: str, word: _Word, *, names: dict[int, str], sentinels: int) -> list[str]:
    if word.port is None:
        return [f"{name} knows of no primary"]
    problems = []
    if word.flags != "master":
        problems.append(f"{name} says of {names.get(word.port, word.port)}: {word.flags}")
    well = sum(flags == "slave" for flags in word.replicas)
    if well < len(names) - 1:
        problems.append(f"{name} knows {well} of {len(names) - 1} replicas")
    if word.sentinels < sentinels - 1:
        problems.append(f"{name} knows {word.sentinels} of {sentinels - 1} other Sentinels")
    return problems


def join(project: Project) -> None:
    """Do one step of forming the topology.

    Raises OperationFailed if its ports have changed, or if several Redis hold data and no Sentinel
    knows which is the primary.
    """
    ports = list(layout.redis_ports(project.stack))
    nodes, words = _nodes(project, ports), _words(layout.sentinel_ports(project.stack))
    named = {word.port for word in words.values() if word.port is not None}
    if named - {*ports}:
        raise OperationFailed(
            f"The Sentinels watch {layout.HOST}:{min(named - {*ports})}, which is none of "
            f"{ports[0]} to {ports[-1]}.",
            hint="Set REDIS_PORT back to what it was, or delete the data with "
            "'pawsctl redis down --topology sentinel --volumes'.",
        )
    if len(nodes) < len(ports) or len(words) < len(layout.sentinel_ports(project.stack)):
        return
    if len(named) > 1:
        return
    primary = named.pop() if named else _first_primary(nodes)
    is_calm = all(word.port is None or word.flags == "master" for word in words.values())
    if not is_calm:
        # The password may have changed. If a failover is under way, let it go on.
        _tell_password(project, words)
        return
    if nodes[primary].role != "primary":
        return
    for port, node in nodes.items():
        # Sentinels would do the same to a primary that comes back, some ten seconds later.
        if port != primary and node.role == "primary":
            replicaof = ("REPLICAOF", layout.HOST, primary)
            probe.ask(port, project.password, replicaof, ("CONFIG", "REWRITE"))
    # A Sentinel asks a primary for its replicas at once, and then every ten seconds.
    if nodes[primary].replicas == len(ports) - 1:
        for port, word in words.items():
            if word.port is None:
                _watch(port, primary, project.password)


def succeed(project: Project, holders: Sequence[str]) -> bool:
    """Make one of the `holders` the primary, and return whether it is; the others do not run.

    Sentinels that name another node forget it, and are told the new one when all are joined: their
    own failover could take long, since they do not know how far a replica is that has just started.
    """
    names, sentinels = layout.redis_ports(project.stack), layout.sentinel_ports(project.stack)
    nodes = _nodes(project, [port for port, name in names.items() if name in holders])
    words = _words(sentinels)
    if len(nodes) < len(holders) or len(words) < len(sentinels):
        return False
    named = {word.port for word in words.values() if word.port is not None}
    if len(named) == 1 and any(nodes[port].role == "primary" for port in named & nodes.keys()):
        return True
    for port in sentinels:
        with suppress(probe.Refused):
            probe.ask(port, None, ("SENTINEL", "REMOVE", SENTINEL_SERVICE))
    primary = max(nodes, key=lambda port: (nodes[port].role == "primary", nodes[port].keys))
    for port in sorted(nodes, key=lambda port: port != primary):
        leader = ("NO", "ONE") if port == primary else (layout.HOST, primary)
        probe.ask(port, project.password, ("REPLICAOF", *leader), ("CONFIG", "REWRITE"))
    return True


def _first_primary(nodes: dict[int, TopologyNode]) -> int:
    """Choose the primary if no Sentinel knows one: the one with replicas, or with data.

    Raises OperationFailed if there are several.
    """
    followed = {node.primary_port for node in nodes.values() if node.role == "replica"}
    holders = followed.intersection(nodes) or {
        port for port, node in nodes.items() if node.role == "primary" and node.keys
    }
    if len(holders) > 1:
        raise OperationFailed(
            "Several Redis hold data, and no Sentinel knows which of them is the primary.",
            hint="Make one the primary of the others with REPLICAOF, or delete the data with "
            "'pawsctl redis down --topology sentinel --volumes'.",
        )
    return next((port for port in nodes if port in holders), min(nodes))


def _watch(sentinel: int, primary: int, password: str | None) -> None:
    # The new name can be used at once; Redis 7.0 needs a command for each setting.
    probe.ask(
        sentinel,
        None,
        ("SENTINEL", "MONITOR", SENTINEL_SERVICE, layout.HOST, primary, _QUORUM),
        *([_password_command(password)] if password else []),
        ("SENTINEL", "SET", SENTINEL_SERVICE, "down-after-milliseconds", _DOWN_AFTER),
        ("SENTINEL", "SET", SENTINEL_SERVICE, "failover-timeout", _FAILOVER_TIMEOUT),
    )


def _tell_password(project: Project, words: dict[int, _Word]) -> None:
    for port, word in words.items():
        if "s_down" in word.flags:
            with suppress(probe.Refused, OSError):
                probe.ask(port, None, _password_command(project.password or ""))


def _password_command(password: str) -> tuple[str, ...]:
    return ("SENTINEL", "SET", SENTINEL_SERVICE, "auth-pass", password)


def _nodes(project: Project, ports: Iterable[int]) -> dict[int, TopologyNode]:
    found = {}
    for port in sorted(ports):
        with suppress(probe.Refused, OSError):
            (info,) = probe.ask(port, project.password, ("INFO",), timeout=LOOK_TIMEOUT)
            pinged = probe.ping(port, project.password, timeout=LOOK_TIMEOUT)
            found[port] = of_info(info, pinged)
    return found


def _words(ports: Iterable[int]) -> dict[int, _Word]:
    found = {}
    for port in sorted(ports):
        with suppress(OSError):
            found[port] = _word(port)
    return found


def _word(port: int) -> _Word:
    try:
        primary, replicas = probe.ask(
            port,
            None,
            ("SENTINEL", "MASTER", SENTINEL_SERVICE),
            ("SENTINEL", "REPLICAS", SENTINEL_SERVICE),
            timeout=LOOK_TIMEOUT,
        )
    except probe.Refused:
        return _Word(None)
    about = _table(primary)
    return _Word(
        port=int(about["port"]),
        flags=about["flags"],
        replicas=tuple(_table(each)["flags"] for each in replicas),
        sentinels=int(about["num-other-sentinels"]),
    )


def _table(reply: Any) -> dict[str, str]:
    words = [info_reply.text(each) for each in reply]
    return dict(zip(words[::2], words[1::2], strict=True))
