"""Attacks on a Sentinel trio and on a cluster: a failover in the middle of a command."""

import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import starmap
from pathlib import Path
from typing import Any, Self, cast

import redis
from redis.sentinel import Sentinel

from tests import clusters, sentinels
from tests.faults.commands import Attacked, every, prepare
from tests.faults.lab import FIRST, PREFIX, Lab, Place, judge, until
from tests.faults.tally import Tally
from tests.processes import Process
from tests.sentinels import SERVICE, Trio

_LIMITS = ("--timeout", "2", "--connect-timeout", "2", "--failover-timeout", "10")


class _Witness:
    """A plain client that writes meanwhile; what it loses as well is lost by the servers.

    A promoted replica may lack the last writes of all clients, and has all those that come later.
    So it adds numbers to sets, one for each key that it is given.
    """

    def __init__(self, client: redis.Redis, keys: Sequence[str]) -> None:
        self._client = client
        self._acknowledged: dict[str, set[int]] = {key: set() for key in keys}
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
            for key, numbers in self._acknowledged.items():
                with suppress(redis.RedisError):
                    self._client.sadd(key, number)
                    numbers.add(number)
            number += 1

    def has_lost(self, client: redis.Redis) -> bool:
        """Return whether an acknowledged write is missing there; delete the keys."""
        is_lost = False
        for key, numbers in self._acknowledged.items():
            found: Any = client.smembers(key)
            is_lost = is_lost or not numbers <= set(map(int, found))
            client.delete(key)
        return is_lost


class ReplicatedLab(Lab, ABC):
    """The lab's sessions in servers with replicas."""

    def fill(self) -> None:
        """Fill the primaries, and wait until the replicas have everything.

        Servers that are short of processor time fail over on their own: it begins anew then.
        """
        assert until(self._is_filled, 60), "the servers do not settle"

    def _is_filled(self) -> bool:
        self.settle()
        super().fill()
        return until(lambda: all(starmap(_has_all, self.followed().items())), 5)

    @abstractmethod
    def settle(self) -> None:
        """Wait until each primary is followed; start what was killed."""

    @abstractmethod
    def followed(self) -> dict[Process, Process]:
        """Return each replica that is connected to its primary, and that primary."""

    @abstractmethod
    def fail_over(self) -> None:
        """Promote a replica that has all data, as an operator does."""

    @abstractmethod
    def witness(self) -> _Witness:
        """Return a plain client that finds each primary, and writes to it."""


def _has_all(replica: Process, primary: Process) -> bool:
    """Return whether a replica has applied all that its primary has written until now."""
    written = primary.client.info("replication")["master_repl_offset"]
    return bool(replica.client.info("replication").get("slave_repl_offset", -1) >= written)


class TrioLab(ReplicatedLab):
    """The lab's sessions in a Sentinel trio."""

    def __init__(self, trio: Trio, folder: Path) -> None:
        folder.mkdir()
        Place.__init__(self, folder, trio.primary.client)
        self.trio = trio

    @property
    def url(self) -> str:
        """The URL that names the Sentinels."""
        return self.trio.url

    def fail_over(self) -> None:
        """Promote a replica that has all data, as an operator does."""
        primary = self.client
        with suppress(redis.RedisError):
            sentinel = self.trio.sentinels[0].client
            sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE, "COORDINATED")
            # The failover has only begun then. Meanwhile there may be no primary.
            until(lambda: primary.role()[0] != b"master")

    def witness(self) -> _Witness:
        """Return a plain client that asks the Sentinels, and writes."""
        addresses = [("127.0.0.1", each.port) for each in self.trio.sentinels]
        client = Sentinel(addresses).master_for(SERVICE, socket_timeout=2)
        return _Witness(client, ["witness"])

    def settle(self) -> None:
        """Wait until there is one primary, which both others follow."""
        assert until(self._has_settled, 60), "the trio does not recover"

    def followed(self) -> dict[Process, Process]:
        """Return the replicas that are connected to the primary, and it."""
        return _followed(self.trio.servers)

    def _has_settled(self) -> bool:
        followed = self.followed()
        primaries = set(followed.values())
        if len(followed) < len(self.trio.servers) - 1 or len(primaries) > 1:
            return False
        self.client = primaries.pop().client
        return True


class _Client(redis.RedisCluster):
    """A cluster's client with the one command that Lab uses and clusters do not have."""

    def mget(self, keys: Any, *args: Any) -> Any:
        """Return the values of keys, whichever slots they belong to."""
        return self.mget_nonatomic(keys, *args)


class ClusterLab(ReplicatedLab):
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

    def fail_over(self) -> None:
        """Promote a replica that has all data, as an operator does."""
        replica, _ = self._chosen()
        with suppress(redis.RedisError):
            replica.client.execute_command("CLUSTER FAILOVER")
            until(lambda: replica.client.role()[0] == b"master")

    def kill_primary(self) -> None:
        """Kill a primary: its replica is elected in its place."""
        replica, primary = self._chosen()
        primary.kill()
        until(lambda: replica.client.role()[0] == b"master")

    def followed(self) -> dict[Process, Process]:
        """Return each replica that is connected to its primary, and that primary."""
        return _followed(self._nodes.members)

    def witness(self) -> _Witness:
        """Return a plain client that writes to each primary."""
        client = self._connected()
        cluster = cast(redis.RedisCluster, client)
        keys = {
            cluster.get_node_from_key(key).name: key for key in map("witness{}".format, range(64))
        }
        return _Witness(client, list(keys.values()))

    def settle(self) -> None:
        """Start what was killed; wait until each primary is followed, and all agree on slots."""
        for member in self._nodes.members:
            if member.process.poll() is not None:
                member.start("valkey-server")
        assert until(self._is_settled, 60), "the cluster does not recover"
        self.client.close()
        self.client = self._connected()

    def _is_settled(self) -> bool:
        is_followed = len(set(self.followed().values())) == len(self._nodes.primaries)
        return is_followed and self._nodes.is_sound()

    def _chosen(self) -> tuple[Process, Process]:
        """Return a replica and its primary: half of the time those of the first session."""
        followed = self.followed()
        key = PREFIX + FIRST
        port = cast(redis.RedisCluster, self.client).get_node_from_key(key).port
        of_first = [each for each in followed.items() if each[1].port == port]
        return self._rng.choice(self._rng.choice([of_first, list(followed.items())]))

    def _connected(self) -> redis.Redis:
        port = self._nodes.members[0].port
        # This topology has those methods of the other that a lab uses.
        return cast(redis.Redis, _Client(host="127.0.0.1", port=port, protocol=2))


def _followed(servers: Sequence[Process]) -> dict[Process, Process]:
    """Return each replica that is connected to another of these servers, and that one."""
    by_port = {server.port: server for server in servers}
    roles = {server: server.client.role() for server in servers}
    return {
        server: by_port[role[2]]
        for server, role in roles.items()
        if role[0] == b"slave" and role[3] == b"connected"
    }


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


def _confirmed(lab: ReplicatedLab, command: Attacked) -> tuple[str, ...]:
    """Return the option that confirms a command that destroys: replicas look like production."""
    words = command.arguments
    if {"delete", "flush", "--replace"}.isdisjoint(words):
        return ()
    return ("--confirm", SERVICE if isinstance(lab, TrioLab) else "127.0.0.1")


def _strike(
    lab: ReplicatedLab,
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
