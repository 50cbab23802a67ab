"""Real clusters for tests: primaries and replicas, each a process on a free loopback port."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import redis

from pawsctl.config.target import Address
from pawsctl.connection.cluster import slots
from pawsctl.connection.cluster.slots import SLOTS, slot_of
from tests.ports import free_port
from tests.processes import Process, wait_until
from tests.servers import required, store_many

NODE_TIMEOUT_MS = 1_500


class Member(Process):
    """A node of a cluster."""

    def __init__(self, folder: Path, options: Sequence[str], client: Mapping[str, Any]) -> None:
        port = free_port()
        super().__init__(port, folder / f"{port}.log", **client)
        self._options = [
            *("--port", str(port), "--dir", str(folder), "--save", ""),
            *("--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{port}.conf"),
            *("--cluster-node-timeout", str(NODE_TIMEOUT_MS), "--repl-diskless-sync-delay", "0"),
            *("--cluster-allow-replica-migration", "no"),
            *(option.format(port=port) for option in options),
        ]

    def start(self, program: str) -> None:
        """Start the process, without waiting until it answers."""
        path = required(program)
        self.run([path, *self._options])

    @property
    def id(self) -> str:
        """The node's name in the cluster."""
        return str(self.cluster("MYID").decode())

    def cluster(self, *command: str | int) -> bytes:
        """Run a CLUSTER command."""
        # redis-py would parse some of these replies; the tests want them raw.
        reply: bytes = self.client.execute_command("CLUSTER", *command, NEVER_DECODE=True)
        return reply


class Cluster:
    """A cluster; its first `primaries` members started as primaries, the others as replicas."""

    def __init__(self, members: Sequence[Member], primaries: int, scheme: str) -> None:
        self.members = members
        self.primaries = members[:primaries]
        self._scheme = scheme

    @property
    def url(self) -> str:
        """A URL that names every member."""
        hosts = ",".join(member.address for member in self.members)
        return f"{self._scheme}+cluster://{hosts}"

    def slots_of(self, index: int) -> range:
        """Return the slots that a primary started with."""
        count = len(self.primaries)
        return range(index * SLOTS // count, (index + 1) * SLOTS // count)

    def owner_of(self, key: bytes) -> Member:
        """Return the primary that started with the slot of a key."""
        return next(p for i, p in enumerate(self.primaries) if slot_of(key) in self.slots_of(i))

    def seed(self, sessions: int, *, size: int = 200) -> set[str]:
        """Write `count` sessions to the primaries that own them; return their phones."""
        value = b'{"status":"active","messages":[{"role":"user","content":"%s"}],"updatedAt":1}' % (
            b"x" * size
        )
        batches: dict[int, list[bytes]] = {primary.port: [] for primary in self.primaries}
        phones = [f"+{10**10 + number}" for number in range(sessions)]
        for phone in phones:
            key = f"wh:session:{phone}".encode()
            batches[self.owner_of(key).port].append(key)
        for primary in self.primaries:
            store_many(primary.client, batches[primary.port], value)
        self.wait_for_replicas()
        return set(phones)

    def wait_for_replicas(self) -> None:
        """Return when every replica has all the data of its primary."""
        for primary in self.primaries:
            if primary.process.poll() is None and primary.client.info("replication").get(
                "connected_slaves"
            ):
                primary.client.wait(1, 10_000)

    def move_slot(self, slot: int, source: Member, target: Member) -> None:
        """Move a slot with all its keys, in the same steps as redis-cli."""
        self.begin_move(slot, source, target)
        self.move_keys(slot, source, target)
        self.end_move(slot, source, target)

    def end_move(self, slot: int, source: Member, target: Member) -> None:
        """Assign a half-migrated slot, which has no keys left at its source, to the target."""
        others = [each for each in self.primaries if each not in (source, target)]
        for member in (target, source, *others):
            member.cluster("SETSLOT", slot, "NODE", target.id)

    def begin_move(self, slot: int, source: Member, target: Member) -> None:
        """Make a slot half-migrated."""
        target.cluster("SETSLOT", slot, "IMPORTING", source.id)
        source.cluster("SETSLOT", slot, "MIGRATING", target.id)

    def move_keys(
        self, slot: int, source: Member, target: Member, limit: int = 1_000_000
    ) -> list[str]:
        """Migrate up to `limit` keys of a half-migrated slot; return them."""
        keys = source.client.execute_command("CLUSTER GETKEYSINSLOT", slot, limit)
        while keys:
            try:
                source.client.execute_command(
                    *("MIGRATE", "127.0.0.1", target.port, "", 0, 5_000, "KEYS", *keys)
                )
                break
            except redis.ResponseError as error:
                # Earlier gossip has made the target forget that it is importing the slot.
                if "MOVED" not in str(error):
                    raise
                self.begin_move(slot, source, target)
        return list(keys)

    def is_sound(self) -> bool:
        """Return whether every member knows all others, reports state ok, and agrees on slots."""
        # What takes little is asked first.
        known = b"cluster_known_nodes:%d" % len(self.members)
        for info in (member.cluster("INFO") for member in self.members):
            if b"cluster_state:ok" not in info or known not in info:
                return False
        owners = {
            tuple(sorted((each.id, tuple(sorted(each.slots))) for each in self._told_by(member)))
            for member in self.members
        }
        return len(owners) == 1

    def _told_by(self, member: Member) -> list[slots.Member]:
        told = slots.members(member.cluster("NODES"), Address("127.0.0.1", member.port))
        return [each for each in told if each.is_primary]

    def form(self) -> None:
        """Form a cluster of members that do not know each other yet."""
        wait_until(lambda: all(each.client.ping() for each in self.members), "PONG")
        for number, member in enumerate(self.members):
            member.cluster("SET-CONFIG-EPOCH", number + 1)
        wait_until(self._all_met, "members that know each other")
        for index, primary in enumerate(self.primaries):
            own = self.slots_of(index)
            primary.client.execute_command("CLUSTER ADDSLOTSRANGE", own[0], own[-1])
        names = {primary.id: primary for primary in self.primaries}
        replicas = self.members[len(self.primaries) :]
        for number, replica in enumerate(replicas):
            name = list(names)[number % len(names)]
            replica.cluster("REPLICATE", name)
        wait_until(self.is_sound, "a cluster")
        if replicas:
            wait_until(self._all_follow, "replicas that follow")

    def _all_met(self) -> bool:
        """Return whether every member knows all others; send MEET again to any that are missing."""
        names = {each: each.id.encode() for each in self.members}
        first = self.members[0]
        known = first.cluster("NODES")
        for member, name in names.items():
            if name not in known:
                first.cluster("MEET", "127.0.0.1", member.port)
        each_knows = (member.cluster("NODES") for member in self.members)
        return all(name in known for known in each_knows for name in names.values())

    def _all_follow(self) -> bool:
        replicas = self.members[len(self.primaries) :]
        return all(
            replica.client.info("replication").get("master_link_status") == "up"
            for replica in replicas
        )


@contextmanager
def running(
    folder: Path,
    *options: str,
    primaries: int = 3,
    replicas: int = 1,
    program: str = "valkey-server",
    scheme: str = "redis",
    **client: Any,
) -> Iterator[Cluster]:
    """Yield a sound cluster of `primaries` with `replicas` each; kill it at the end.

    `options` are the servers' command line, `client` goes to the SDK's clients.
    """
    with ExitStack() as stack:
        members = []
        for _ in range(primaries * (1 + replicas)):
            member = Member(folder, options, client)
            member.start(program)
            stack.callback(member.close)
            members.append(member)
        cluster = Cluster(members, primaries, scheme)
        cluster.form()
        yield cluster


@contextmanager
def swallowing() -> Iterator[int]:
    """Yield a port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])
