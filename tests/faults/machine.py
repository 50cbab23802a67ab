"""Faults of the machine: full, read-only and broken disks, wrong clocks, little memory.

The disks are small file systems in memory, which need root and Linux; the clocks are libfaketime's.
The quota is that of a Btrfs file system in a file: with ext4, a kernel has to be built for quotas.
"""

import gzip
import os
import random
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path

import redis

from tests.faults.commands import READS, Attacked, exports, prepare, writes
from tests.faults.lab import LIMITS, PREFIX, Lab, Run, judge, until
from tests.faults.stacks import SESSIONS, Stack
from tests.faults.tally import Tally

_DAY = 86_400
MEMORY_BYTES = 128 << 20
_MANY = 20_000
"""Sessions of 1 KB, of which a command that held them all would need more than it may have."""


def attacks(lab: Lab, _rng: random.Random) -> Iterator[Tally]:
    """Try each fault of the machine with each command that it may affect."""
    chosen = [exports(lab.folder), *READS, *writes(lab)]
    yield from _disks(lab, chosen)
    yield _stack_without_room(lab)
    yield from _clocks(lab, chosen)
    yield _no_time_zone(lab, chosen)
    yield _little_memory(lab)


def _attack(
    lab: Lab, command: Attacked, tally: Tally, how: str, environment: dict[str, str]
) -> Run:
    prepare(lab, command)
    run = lab.run("--url", lab.url, *LIMITS, *command.arguments, environment=environment)
    tally.tried()
    judge(run, tally, how)
    if wrong := command.verdict(lab, run) or lab.foreign_loss():
        tally.found("lost", f"{how}: {wrong}: {run}")
    return run


# --- Disks --------------------------------------------------------------------------------------


def _disks(lab: Lab, chosen: Sequence[Attacked]) -> Iterator[Tally]:
    for name, mounted in _DISKS.items():
        tally = Tally(name)
        if missing := _missing(name):
            tally.skipped = missing
            yield tally
            continue
        with mounted(lab.folder / "disk") as disk:
            before = _files(disk)
            # All writes go there: files, state, temporary files.
            places = {"XDG_STATE_HOME": str(disk), "HOME": str(disk), "TMPDIR": str(disk)}
            for command in (_moved(chosen[0], disk), *chosen[1:]):
                run = _attack(lab, command, tally, name, places)
                if command.arguments[1] == "export" and run.status == 0:
                    tally.found("lost", f"an archive of 100 KB was written: {run}")
            if left := _files(disk) - before:
                tally.found("leftovers", f"{sorted(left)}")
        yield tally


# The record of changes and its key stay, and so do backups, which are removed later.
_KEPT = re.compile(r"pawsctl/(audit\.jsonl|hash\.key|undo\.archives/[^/]+\.jsonl\.gz)")


def _files(disk: Path) -> set[str]:
    """Return the files on a disk, but for those that pawsctl keeps; a backup counts if broken."""
    found = set()
    for path in (each for each in disk.rglob("*") if each.is_file()):
        name = str(path.relative_to(disk))
        if not _KEPT.fullmatch(name) or (name.endswith(".gz") and not _is_whole(path)):
            found.add(name)
    return found


def _is_whole(archive: Path) -> bool:
    try:
        gzip.decompress(archive.read_bytes())
    except (OSError, EOFError, zlib.error):
        return False
    return True


def _stack_without_room(lab: Lab) -> Tally:
    """Redis itself uses up the quota: every command says so, and only --volumes deletes data."""
    tally = Tally("disk quota used up by Redis")
    if missing := _missing(tally.attack):
        tally.skipped = missing
        return tally
    with _with_quota(lab.folder / "disk", room=2_000) as disk:
        place = Stack(lab.folder / "stack", "embedded", "pawsctl-test-faults-quota")
        place.environment["XDG_STATE_HOME"] = str(disk)
        with suppress(redis.RedisError):
            _ran(place, tally, 0, "redis", "up")
            place.write()
            for number in range(10_000):
                place.client.set(f"filling:{number}", os.urandom(2_000))
        # It runs, and can't save: it refuses each write, and PING.
        _ran(place, tally, 1, "redis", "status", "--json")
        _ran(place, tally, 1, "redis", "reset", "--yes")
        if set(place.stored()) != set(SESSIONS):
            tally.found("lost", "sessions are gone after a refused reset")
        _ran(place, tally, 0, "redis", "down", "--volumes", "--yes")
        _ran(place, tally, 0, "redis", "up")
        _ran(place, tally, 0, "redis", "down", "--volumes", "--yes")
        if left := place.servers():
            tally.found("leftovers", str(left))
        place.client.close()
    return tally


def _ran(place: Stack, tally: Tally, status: int, *words: str) -> None:
    run = place.run(*words)
    tally.tried()
    judge(run, tally, tally.attack)
    if run.status != status:
        tally.found("lost", f"expected {status}: {run}")


def _missing(name: str) -> str:
    """Return what this machine lacks for that disk; '' if nothing."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root, on Linux"
    has_quotas = shutil.which("mkfs.btrfs") and Path("/dev/loop-control").exists()
    return "" if has_quotas or "quota" not in name else "needs btrfs-progs and loop devices"


def _moved(export: Attacked, disk: Path) -> Attacked:
    path = disk / Path(export.arguments[-1]).name
    return Attacked((*export.arguments[:-1], str(path)), export.verdict)


@contextmanager
def _in_memory(options: str, folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
    try:
        yield folder
    finally:
        _unmount(folder)
        folder.rmdir()


@contextmanager
def _full(folder: Path) -> Iterator[Path]:
    with _in_memory("size=64k", folder) as disk:
        _fill(disk)
        yield disk


@contextmanager
def _with_quota(folder: Path, *, room: int) -> Iterator[Path]:
    """Yield a directory with a quota of which about `room` KB are left; its disk has more room."""
    image, disk = folder.with_suffix(".image"), folder / "limited"
    folder.mkdir()
    with image.open("wb") as stream:
        stream.truncate(128 << 20)
    subprocess.run(["mkfs.btrfs", "-q", image], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    image.unlink()  # It exists until it is unmounted.
    try:
        _btrfs("quota", "enable", folder)
        _btrfs("subvolume", "create", disk)
        _btrfs("qgroup", "limit", "1M", disk)
        _fill(disk)
        _btrfs("qgroup", "limit", f"{1_024 + room}K", disk)
        yield disk
    finally:
        _unmount(folder)
        folder.rmdir()


def _unmount(folder: Path) -> None:
    """Unmount a disk; what has just ended on it, or the kernel, may still use it for a moment."""
    if not until(lambda: _is_done("umount", folder)):
        subprocess.run(["umount", folder], check=True)


def _is_done(*words: str | Path) -> bool:
    return subprocess.run(words, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _btrfs(*words: str | Path) -> None:
    subprocess.run(["btrfs", *words], check=True, stdout=subprocess.DEVNULL)


def _fill(disk: Path) -> None:
    with (disk / "filling").open("wb", buffering=0) as stream, suppress(OSError):
        while stream.write(b"x" * 4096):
            pass


_DISKS: dict[str, Callable[[Path], AbstractContextManager[Path]]] = {
    "disk full": _full,
    "disk quota used up": partial(_with_quota, room=0),
    "disk quota reached by a write": partial(_with_quota, room=64),
    "disk without a free inode": partial(_in_memory, "size=1m,nr_inodes=1"),
    "disk read-only": partial(_in_memory, "size=1m,ro"),
}


# --- Time ---------------------------------------------------------------------------------------


def _clocks(lab: Lab, chosen: Sequence[Attacked]) -> Iterator[Tally]:
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    for name, offset in (("clock a day behind", -_DAY), ("clock a day ahead", _DAY)):
        tally = Tally(name)
        if library is None:
            tally.skipped = "needs libfaketime"
            yield tally
            continue
        clock = {
            "LD_PRELOAD": str(library),
            "FAKETIME": f"{offset:+d}",
            # Setting a clock does not affect the monotonic clock.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        for command in chosen:
            # With that last setting, libfaketime refuses to sleep, and the flow has to sleep.
            if command.arguments[0] != "test-session":
                _attack(lab, command, tally, name, clock)
        yield tally


def _no_time_zone(lab: Lab, chosen: Sequence[Attacked]) -> Tally:
    """Use a time zone of which the machine has no data, or an invalid one."""
    tally = Tally("time zone without data")
    for zone in ("Nowhere/Atlantis", ":/dev/null", "\x1b[31m", "UTC+99999"):
        for command in chosen[:4]:
            _attack(lab, command, tally, repr(zone), {"TZ": zone})
    return tally


# --- Memory -------------------------------------------------------------------------------------


def _little_memory(lab: Lab) -> Tally:
    """Limit pawsctl's data to 128 MB, with sessions larger than that."""
    tally = Tally("128 MB of memory for pawsctl")
    if not shutil.which("prlimit"):
        tally.skipped = "needs prlimit"
        return tally
    client, value = lab.client, b'{"status":"active","messages":[],"x":"' + b"y" * 7_000 + b'"}'
    client.flushall()
    with client.pipeline(transaction=False) as pipe:
        for number in range(_MANY):
            pipe.set(f"{PREFIX}+{number}", value, ex=20_000)
        pipe.execute()
    archive = str(lab.folder / "large.jsonl.gz")
    # `verify` is left out: the Redis that it starts needs more.
    for words in (
        ("session", "export", archive),
        ("session", "list", "-o", "jsonl"),
        ("session", "list", "--sort", "phone", "-o", "csv"),
        ("session", "stats", "--json"),
        ("session", "lint", "--json"),
        ("session", "import", "--replace", archive),
        ("session", "flush", "--yes"),
    ):
        run = _limited(lab, words)
        tally.tried()
        judge(run, tally, "128 MB")
        # lint reports sessions that have unknown fields.
        if run.status != (1 if "lint" in words else 0):
            tally.found("lost", f"128 MB: {run}")
        if "list" in words and len(run.out.splitlines()) - ("csv" in words) != _MANY:
            tally.found("lost", f"128 MB: {len(run.out.splitlines())} of {_MANY} rows")
    if left := client.dbsize():
        tally.found("lost", f"128 MB: {left} keys are left after the flush")
    Path(archive).unlink(missing_ok=True)
    return tally


def _limited(lab: Lab, words: tuple[str, ...]) -> Run:
    command = ["prlimit", f"--data={MEMORY_BYTES}", sys.executable, "-m", "pawsctl"]
    process = subprocess.Popen(
        [*command, "--url", lab.url, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=lab.folder,
        env=lab.environment,
        start_new_session=True,
    )
    return lab.end(process, words)
