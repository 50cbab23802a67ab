"""The commands that a read-only connection sends: those that only read. Pure."""

from collections.abc import Sequence

from pawsctl.config.target import Target
from pawsctl.connection.commands import SCRIPTED, Command, as_bytes, name_of
from pawsctl.errors import ReadOnly

_READS = frozenset(
    b"BITCOUNT BITFIELD_RO BITPOS DBSIZE DUMP ECHO EXISTS EXPIRETIME GEODIST GEOHASH GEOPOS GET "
    b"GETBIT GETRANGE HEXISTS HGET HGETALL HKEYS HLEN HMGET HRANDFIELD HSCAN HSTRLEN HVALS INFO "
    b"KEYS LASTSAVE LCS LINDEX LLEN LOLWUT LPOS LRANGE MGET PEXPIRETIME PING PTTL "
    b"RANDOMKEY ROLE SCAN SCARD SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO "
    b"SRANDMEMBER SSCAN STRLEN SUBSTR SUNION TIME TTL TYPE XINFO XLEN XPENDING XRANGE XREVRANGE "
    b"ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE ZRANGEBYLEX "
    b"ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE "
    b"ZUNION".split()
)
# Commands that change the connection alone.
_OF_THE_CONNECTION = frozenset(b"ASKING AUTH HELLO QUIT READONLY READWRITE SELECT".split())
# Their other subcommands change the server, its clients or its settings.
_SUBCOMMANDS = {
    b"ACL": b"CAT GETUSER LIST USERS WHOAMI",
    b"CLIENT": b"GETNAME ID INFO LIST NO-EVICT NO-TOUCH SETINFO SETNAME",
    b"CLUSTER": b"COUNTKEYSINSLOT GETKEYSINSLOT INFO KEYSLOT LINKS MYID MYSHARDID NODES REPLICAS "
    b"SHARDS SLAVES SLOTS",
    b"COMMAND": b"COUNT DOCS GETKEYS INFO LIST",
    b"CONFIG": b"GET",
    b"LATENCY": b"DOCTOR GRAPH HISTOGRAM HISTORY LATEST",
    b"MEMORY": b"DOCTOR MALLOC-STATS STATS USAGE",
    b"MODULE": b"LIST",
    b"OBJECT": b"ENCODING FREQ IDLETIME REFCOUNT",
    b"SCRIPT": b"EXISTS",
    b"SENTINEL": b"CKQUORUM GET-MASTER-ADDR-BY-NAME GET-PRIMARY-ADDR-BY-NAME MASTER MASTERS MYID "
    b"PRIMARIES PRIMARY REPLICAS SENTINELS SLAVES",
    b"SLOWLOG": b"GET LEN",
}


def only_reads(command: Command) -> bool:
    """Return whether a command is on the list; of scripts, only our own are, which read."""
    name = name_of(command)
    if name in _SUBCOMMANDS:
        if len(command) == 1:
            return name == b"COMMAND"
        return as_bytes(command[1]).upper() in _SUBCOMMANDS[name].split()
    if name == b"EVAL":
        return len(command) > 2 and command[1] in SCRIPTED and not int(command[2])
    return name in _READS or name in _OF_THE_CONNECTION


def require(commands: Sequence[Command], target: Target) -> None:
    """Raise ReadOnly if the target may only be read and one of the commands could change it."""
    if not target.read_only:
        return
    for command in commands:
        if not only_reads(command):
            name = name_of(command).decode(errors="backslashreplace")
            raise ReadOnly.of(f"{name} is not sent to {target.url}", target.read_only)
