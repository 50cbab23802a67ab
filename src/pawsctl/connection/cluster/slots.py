"""Hash slots, and their owners as the cluster's nodes report them. Pure.

A node's own line in its CLUSTER NODES is the best source for the slots it owns, and the only one
for those that are moving away or in at this moment; CLUSTER SLOTS has the addresses for clients.
"""

from binascii import crc_hqx
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from pawsctl.config.target import Address

SLOTS = 16_384


def slot_of(key: bytes) -> int:
    """Return the slot of a key: CRC16 of it, or of the text between the first { and the next }."""
    begin = key.find(b"{")
    if begin >= 0:
        end = key.find(b"}", begin + 1)
        if end > begin + 1:
            key = key[begin + 1 : end]
    return crc_hqx(key, 0) % SLOTS


def ranges(slots: Iterable[int]) -> list[str]:
    """Return slots as ranges, both ends included: `0-5460`, `7000`."""
    found: list[list[int]] = []
    for slot in sorted(slots):
        if found and found[-1][1] == slot - 1:
            found[-1][1] = slot
        else:
            found.append([slot, slot])
    return [str(first) if first == last else f"{first}-{last}" for first, last in found]


def ranges_text(slots: Iterable[int]) -> str:
    """Return slots as ranges in one text: `0-5460, 7000`."""
    return ", ".join(ranges(slots))


class Claim(msgspec.Struct, frozen=True):
    """One primary's own report: its slots, and those moving away or in."""

    id: str
    address: Address
    epoch: int
    slots: frozenset[int]
    leaving: Mapping[int, str]
    coming: Mapping[int, str]


class View(msgspec.Struct, frozen=True):
    """A cluster at one moment: the claims of primaries that answered, and the silent ones."""

    claims: Mapping[str, Claim]
    silent: tuple[Address, ...]

    @property
    def covered(self) -> frozenset[int]:
        """The slots that have an owner among the primaries that answered."""
        return frozenset().union(*(claim.slots for claim in self.claims.values()))

    @property
    def moving(self) -> frozenset[int]:
        """The slots that are moving from one node to another."""
        return frozenset(
            slot for claim in self.claims.values() for slot in (*claim.leaving, *claim.coming)
        )

    def changed_since(self, earlier: "View") -> frozenset[int]:
        """Return the slots whose keys may have moved between primaries since `earlier`.

        A primary that answered then and not now has lost its slots to one that answers, or nobody
        owns them. If a slot moved away and back, only its owner's new epoch shows it, so all slots
        of a primary with a new epoch count. (Every primary that receives a slot takes a new epoch,
        unless it already has the newest.)
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
    """A line of CLUSTER NODES. Only a node's own line has all `slots`, `leaving` and `coming`."""

    id: str
    address: Address
    flags: frozenset[str]
    epoch: int
    slots: frozenset[int]
    leaving: Mapping[int, str]
    coming: Mapping[int, str]

    @property
    def is_primary(self) -> bool:
        """Whether the node is a primary, or was one before it failed."""
        return "master" in self.flags and not self.flags & {"handshake", "noaddr"}


def members(reply: bytes, asked: Address) -> list[Member]:
    """Parse the lines of CLUSTER NODES; a node that does not know its own address gets `asked`.

    A line is `id ip:port@bus[,hostname] flags primary ping pong epoch link slot…`. Raises
    ValueError, IndexError and the like for other text.
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
    """Parse the rows of CLUSTER SLOTS; a host that the node does not know or tell is `asked`'s.

    Raises ValueError, TypeError and the like for other replies.
    """
    return [_shard(row, asked) for row in reply]


def _shard(row: Any, asked: Address) -> Shard:
    first, last, primary, *replicas = row
    slots = _range(first, last)
    nodes = ((_text(node[2]) if len(node) > 2 else "", node) for node in (primary, *replicas))
    return Shard(slots[0], slots[-1], tuple((name, _address(node, asked)) for name, node in nodes))


def _address(node: Any, asked: Address) -> Address:
    host = _text(node[0]) if node[0] else ""
    # An unknown port is `asked`'s too.
    return Address(asked.host if host in ("", "?") else host, int(node[1]) or asked.port)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
