"""Attacks on a Sentinel trio and on a cluster: a failover in the middle of a command."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, cast

import redis
from redis.sentinel import Sentinel

from tests import clusters, sentinels
from tests.clusters import Member
from tests.faults.commands import Attacked, every, prepare
from tests.faults.lab import FIRST, PREFIX, Lab, Place, judge, until
from tests.faults.tally import Tally
from tests.sentinels import SERVICE, Trio

_LIMITS = ("--timeout", "2", "--connect-timeout", "2", "--failover-timeout", "10")


class _Witness:
    """A plain client that writes meanwhile; what it loses as well is lost by the servers."""

    # In the slot of the first session.
    _KEY = f"witness{{{PREFIX}{FIRST}}}"

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._acknowledged = -1
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self._client.close()

    def _write(self) -> None:
        number = 0
        while not self._is_over.wait(0.005):
            with suppress(redis.RedisError):
                self._client.set(self._KEY, number)
                self._acknowledged = number
            number += 1

    def has_lost(self, client: redis.Redis) -> bool:
        """Return whether an acknowledged write is missing there; delete the key."""
        found: Any = client.get(self._KEY)
        client.delete(self._KEY)
        return int(found or -1) < self._acknowledged


class TrioLab(Lab):
    """The lab's sessions in a Sentinel trio."""

    def __init__(self, trio: Trio, folder: Path) -> None:
        folder.mkdir()
        Place.__init__(self, folder, trio.primary.client)
        self.trio = trio

    @property
    def url(self) -> str:
        """The URL that names the Sentinels."""
        return self.trio.url

    def fill(self) -> None:
        """Fill the primary, and wait until the replicas have everything."""
        super().fill()
        self.client.wait(len(self.trio.servers) - 1, 5_000)

    def fail_over(self) -> None:
        """Promote a replica that has all data, as an operator does."""
        before = self.trio.primary
        with suppress(redis.RedisError):
            sentinel = self.trio.sentinels[0].client
            sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE, "COORDINATED")
            # The failover has only begun then. Meanwhile there may be no primary.
            until(lambda: before.client.role()[0] != b"master")

    def witness(self) -> _Witness:
        """Return a plain client that asks the Sentinels, and writes."""
        addresses = [("127.0.0.1", each.port) for each in self.trio.sentinels]
        return _Witness(Sentinel(addresses).master_for(SERVICE, socket_timeout=2))

    def settle(self) -> None:
        """Wait until there is one primary, which both others follow."""
        until(self._is_settled)
        self.client = self.trio.primary.client

    def _is_settled(self) -> bool:
        roles = [server.client.role() for server in self.trio.servers]
        following = sum(role[0] == b"slave" and role[3] == b"connected" for role in roles)
        return bool(following == len(roles) - 1)


class _Client(redis.RedisCluster):
    """A cluster's client with the one command that Lab uses and clusters do not have."""

    def mget(self, keys: Any, *args: Any) -> Any:
        """Return the values of keys, whichever slots they belong to."""
        return self.mget_nonatomic(keys, *args)


class ClusterLab(Lab):
    """The lab's sessions in a cluster of three primaries with a replica each."""

    def __init__(self, cluster: clusters.Cluster, folder: Path, rng: random.Random) -> None:
        folder.mkdir()
        self._nodes = cluster
        self._rng = rng
        Place.__init__(self, folder, self._connected())

    @property
    def url(self) -> str:
        """The URL that names every node."""
        return self._nodes.url

    def fill(self) -> None:
        """Fill the primaries, and wait until the replicas have everything."""
        super().fill()
        for primary in set(self._followed().values()):
            primary.client.wait(1, 5_000)

    def fail_over(self) -> None:
        """Promote a replica that has all data, as an operator does."""
        replica, _ = self._chosen()
        with suppress(redis.RedisError):
            replica.cluster("FAILOVER")
            until(lambda: replica.client.role()[0] == b"master")

    def kill_primary(self) -> None:
        """Kill a primary: its replica is elected in its place."""
        replica, primary = self._chosen()
        primary.kill()
        until(lambda: replica.client.role()[0] == b"master")

    def witness(self) -> _Witness:
        """Return a plain client that writes to the first session's primary."""
        return _Witness(self._connected())

    def settle(self) -> None:
        """Start what was killed; wait until each primary is followed, and all agree on slots."""
        for member in self._nodes.members:
            if member.process.poll() is not None:
                member.start("valkey-server")
        assert until(self._is_settled, 60), "the cluster does not recover"
        self.client.close()
        self.client = self._connected()

    def _is_settled(self) -> bool:
        is_followed = len(set(self._followed().values())) == len(self._nodes.primaries)
        return is_followed and self._nodes.is_sound()

    def _chosen(self) -> tuple[Member, Member]:
        """Return a replica and its primary: half of the time those of the first session."""
        followed = self._followed()
        key = PREFIX + FIRST
        port = cast(redis.RedisCluster, self.client).get_node_from_key(key).port
        of_first = [each for each in followed.items() if each[1].port == port]
        return self._rng.choice(self._rng.choice([of_first, list(followed.items())]))

    def _followed(self) -> dict[Member, Member]:
        """Return each replica that is connected to its primary, and that primary."""
        by_port = {member.port: member for member in self._nodes.members}
        roles = {member: member.client.role() for member in self._nodes.members}
        return {
            member: by_port[role[2]]
            for member, role in roles.items()
            if role[0] == b"slave" and role[3] == b"connected"
        }

    def _connected(self) -> redis.Redis:
        port = self._nodes.members[0].port
        # This topology has those methods of the other that a lab uses.
        return cast(redis.Redis, _Client(host="127.0.0.1", port=port, protocol=2))


def trio(folder: Path, rng: random.Random, tries: int) -> Iterator[Tally]:
    """Fail over a Sentinel trio at random moments of each command."""
    folder.mkdir(parents=True)
    with sentinels.running(folder) as made:
        lab = TrioLab(made, folder / "work")
        tally = Tally("primary fails over")
        _strike(lab, every(lab), lab.fail_over, tally, rng=rng, tries=tries)
        yield tally


def cluster(folder: Path, rng: random.Random, *, full: bool) -> Iterator[Tally]:
    """Fail over a cluster, and kill its primaries, at random moments of each command."""
    folder.mkdir(parents=True)
    with clusters.running(folder) as made:
        lab = ClusterLab(made, folder / "work", rng)
        commands = every(lab)
        tally = Tally("primary of a cluster fails over")
        _strike(lab, commands, lab.fail_over, tally, rng=rng, tries=10 if full else 1)
        yield tally
        tally = Tally("primary of a cluster killed")
        # Each takes seconds: the others have to notice, and to elect another.
        chosen = commands if full else rng.sample(commands, 6)
        _strike(lab, chosen, lab.kill_primary, tally, rng=rng, tries=10 if full else 1)
        yield tally
        lab.client.close()


def _confirmed(lab: TrioLab | ClusterLab, command: Attacked) -> tuple[str, ...]:
    """Return the option that confirms a command that destroys: replicas look like production."""
    words = command.arguments
    if {"delete", "flush", "--replace"}.isdisjoint(words):
        return ()
    return ("--confirm", SERVICE if isinstance(lab, TrioLab) else "127.0.0.1")


def _strike(
    lab: TrioLab | ClusterLab,
    commands: Sequence[Attacked],
    fault: Callable[[], None],
    tally: Tally,
    *,
    rng: random.Random,
    tries: int,
) -> None:
    """Run each command with the fault at a random moment of it, and judge it when all is well."""
    for command in commands:
        for _ in range(tries):
            lab.settle()
            prepare(lab, command)
            words = ("--url", lab.url, *_LIMITS, *command.arguments, *_confirmed(lab, command))
            after = rng.random() * 0.5
            with lab.witness() as witness:
                process = lab.start(*words)
                time.sleep(after)
                striking = threading.Thread(target=fault)
                striking.start()
                run = lab.end(process, words)
                striking.join()
            tally.tried()
            how = f"after {after:.3f} s"
            judge(run, tally, how)
            lab.settle()
            is_servers_loss = witness.has_lost(lab.client)
            wrong = command.verdict(lab, run) or lab.foreign_loss()
            if wrong and not is_servers_loss:
                tally.found("lost", f"{how}: {wrong}: {run}")
