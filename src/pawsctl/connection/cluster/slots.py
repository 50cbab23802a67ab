"""Hash slots, and what a cluster's nodes say of who owns them. Pure.

A node's own line in its CLUSTER NODES is the best word on what it owns, and the only one on what it
is giving away or taking in at this moment; CLUSTER SLOTS has the addresses that clients shall use.
"""

from binascii import crc_hqx
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pawsctl.config.target import Address

SLOTS = 16_384


def slot_of(key: bytes) -> int:
    """The slot of a key: CRC16 of it, or of what stands between the first { and the next }."""
    begin = key.find(b"{")
    if begin >= 0:
        end = key.find(b"}", begin + 1)
        if end > begin + 1:
            key = key[begin + 1 : end]
    return crc_hqx(key, 0) % SLOTS


def ranges(slots: Iterable[int]) -> list[str]:
    """Slots as ranges with both their ends: `0-5460`, `7000`."""
    found: list[list[int]] = []
    for slot in sorted(slots):
        if found and found[-1][1] == slot - 1:
            found[-1][1] = slot
        else:
            found.append([slot, slot])
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]


def ranges_text(slots: Iterable[int]) -> str:
    """Slots as a person reads them: `0-5460, 7000`."""
    return ", ".join(ranges(slots))


class Claim(msgspec.Struct, frozen=True):
    """What one primary says of itself: its slots, and those on their way out or in."""

    id: str
    address: Address
    epoch: int
    slots: frozenset[int]
    leaving: Mapping[int, str]
    coming: Mapping[int, str]


class View(msgspec.Struct, frozen=True):
    """A cluster at one moment: the claims of the primaries that answered, and who did not."""

    claims: Mapping[str, Claim]
    silent: tuple[Address, ...]

    @property
    def covered(self) -> frozenset[int]:
        """The slots that a primary which answered says it owns."""
        return frozenset().union(*(claim.slots for claim in self.claims.values()))

    @property
    def moving(self) -> frozenset[int]:
        """The slots that are half here and half there."""
        return frozenset(
            slot for claim in self.claims.values() for slot in (*claim.leaving, *claim.coming)
        )

    def changed_since(self, earlier: "View") -> frozenset[int]:
        """The slots of which keys may have gone from one primary to another meanwhile.

        A primary that answered then and not now has lost its slots to one that answers, or nobody
        owns them. A slot that went away and came back leaves no trace but its owner's new epoch
        (which every primary takes that is given a slot, but for the one that has the newest): of
        such an owner every slot counts.
        """
        changed: set[int] = set()
        for name, now in self.claims.items():
            then = earlier.claims.get(name)
            if then is None:
                changed |= {*now.slots, *now.leaving, *now.coming}
                continue
            changed |= now.slots ^ then.slots
            changed.update(slot for slot, _ in now.leaving.items() ^ then.leaving.items())
            changed.update(slot for slot, _ in now.coming.items() ^ then.coming.items())
            if now.epoch != then.epoch:
                changed |= now.slots
        return frozenset(changed)


class Member(msgspec.Struct, frozen=True):
    """A line of CLUSTER NODES. `slots`, `leaving`, `coming` are whole on a node's own line only."""

    id: str
    address: Address
    flags: frozenset[str]
    epoch: int
    slots: frozenset[int]
    leaving: Mapping[int, str]
    coming: Mapping[int, str]

    @property
    def is_primary(self) -> bool:
        """Whether it is one, or was before it failed."""
        return "master" in self.flags and not self.flags & {"handshake", "noaddr"}


def members(reply: bytes, asked: Address) -> list[Member]:
    """The lines of CLUSTER NODES; a node that does not know its own address has the one `asked`.

    A line is `id ip:port@bus[,hostname] flags primary ping pong epoch link slot…`. Raises
    ValueError and its like for what is none.
    """
    return [_member(line.split(), asked) for line in reply.decode().splitlines() if line.strip()]


def _member(fields: list[str], asked: Address) -> Member:
    slots: set[int] = set()
    leaving: dict[int, str] = {}
    coming: dict[int, str] = {}
    for field in fields[8:]:
        if field.startswith("["):
            # [93-<-node] is coming, [93->-node] is leaving.
            slot, arrow, node = field.strip("[]").partition("-<-")
            if arrow:
                coming[int(slot)] = node
            else:
                slot, _, node = field.strip("[]").partition("->-")
                leaving[int(slot)] = node
        else:
            first, _, last = field.partition("-")
            slots.update(_range(int(first), int(last or first)))
    host, _, port = fields[1].partition("@")[0].partition(",")[0].rpartition(":")
    return Member(
        id=fields[0],
        address=Address(host or asked.host, int(port) or asked.port),
        flags=frozenset(fields[2].split(",")),
        epoch=int(fields[6]),
        slots=frozenset(slots),
        leaving=leaving,
        coming=coming,
    )


def _range(first: int, last: int) -> range:
    if not 0 <= first <= last < SLOTS:
        raise ValueError(f"{first}-{last} are no slots")
    return range(first, last + 1)


class Shard(msgspec.Struct, frozen=True):
    """A range of slots, both ends included, with its primary first and its replicas after it."""

    first: int
    last: int
    nodes: tuple[tuple[str, Address], ...]


def shards(reply: Any, asked: Address) -> list[Shard]:
    """The rows of CLUSTER SLOTS; a host that a node does not know or tell is the one `asked`.

    Raises ValueError and its like for what are none.
    """
    return [_shard(row, asked) for row in reply]


def _shard(row: Any, asked: Address) -> Shard:
    first, last, primary, *replicas = row
    slots = _range(first, last)
    nodes = ((_text(node[2]) if len(node) > 2 else "", node) for node in (primary, *replicas))
    return Shard(slots[0], slots[-1], tuple((name, _address(node, asked)) for name, node in nodes))


def _address(node: Any, asked: Address) -> Address:
    host = _text(node[0]) if node[0] else ""
    # An unknown port is that of who was asked, as the host is.
    return Address(asked.host if host in ("", "?") else host, int(node[1]) or asked.port)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
