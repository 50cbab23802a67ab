"""SIGKILL between any two steps loses neither a session nor the line that says what was begun."""

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis

from pawsctl.errors import ExitStatus
from pawsctl.safety.guarded import GUARDED
from tests import archives, stepwise
from tests.cli_runner import Pawsctl
from tests.servers import Server

# For each guarded command, a line that changes something, and the lines before it.
LINES = {
    "session touch": ("session touch +1 +2",),
    "session delete": ("session delete +1 +2",),
    "session flush": ("session flush --include-seen --yes",),
    "session repair": ("session repair +1 +2 --yes",),
    "session edit": ("session edit +1",),
    "session erase": (
        "session flush --yes",
        "backup restore --latest",
        "session erase +1 --yes",
    ),
    "session copy": ("session copy --all --to {url}/1",),
    "session seed": ("session seed 3",),
    "session import": ("session import a.jsonl --replace",),
    "backup restore": (
        "session import a.jsonl --replace",
        "backup restore {latest} --yes",
    ),
    "backup purge": (
        "session delete +1",
        "session delete +2",
        "backup purge --yes",
    ),
    "redis maxmemory": ("redis maxmemory 64mb --yes",),
}
KEPT = {"session delete", "session flush", "session repair", "session edit", "session import"}
KEPT |= {"backup restore"}
# tests/faults kills them: they start and stop servers.
ON_THE_STACK = {"redis reset", "redis down"}

BROKEN = b'{"status":"active","messages":[{"role":"user"}],"updatedAt":1}'
VALUES = {
    b"wh:session:+1": BROKEN,
    b"wh:session:+2": BROKEN,
    b"wh:session:+3": b"\xff\x00 no UTF-8",
    b"wh:seen:x": b"1",
    b"temp_image:whatsapp:+1:a": b"picture",
    b"other": b"another application's",
}
LATER_MS = 60_000
_LOG = "pawsctl/audit.jsonl"
_UNFINISHED = re.compile(r"\.part$|\.new$|/\.(editing|unfinished)-")


# Seeded sessions have the time of writing.
_WRITTEN_AT = re.compile(rb'"updatedAt":[0-9]{13}')


class Key(NamedTuple):
    """The content of a key, and when it expires in ms since the epoch (-1 for never)."""

    content: bytes
    expires_at: int

    def is_like(self, other: "Key | None") -> bool:
        """Return whether another key holds the same and expires at about the same time."""
        return (
            other is not None
            and self.content == other.content
            and (self.expires_at < 0) == (other.expires_at < 0)
            and abs(self.expires_at - other.expires_at) <= LATER_MS
        )


Keys = dict[tuple[int, bytes], Key]
"""Every key by its database and name."""


class Whole(NamedTuple):
    """A command's line, the keys before it and after it, and the backups before it."""

    name: str
    words: list[str]
    before: Keys
    after: Keys
    kept: set[str]


class Place:
    """A server and a folder, brought to the same state before each run of a command."""

    def __init__(self, pawsctl: Pawsctl, server: Server) -> None:
        self.pawsctl, self.server = pawsctl, server
        self.state = Path(pawsctl.environment["XDG_STATE_HOME"])
        self._saved = pawsctl.folder.with_name(f"{pawsctl.folder.name}.saved")
        other: Any = redis.Redis(port=server.port, db=1, protocol=2)
        self._databases: tuple[Any, Any] = server.client, other
        self._dumps: dict[bytes, tuple[bytes, int]] = {}

    def close(self) -> None:
        """Close the clients that are not the server's own."""
        self._databases[1].close()

    def keys(self) -> Keys:
        """Return what the server holds; its limit counts as a key."""
        found = {}
        for number, client in enumerate(self._databases):
            for name in client.scan_iter():
                is_text = client.type(name) == b"string"
                content = client.get(name) if is_text else client.dump(name)
                content = _WRITTEN_AT.sub(b"", content)
                found[number, name] = Key(content, client.pexpiretime(name))
        limit = self._databases[0].config_get("maxmemory")["maxmemory"]
        found[0, b"(limit)"] = Key(str(limit).encode(), -1)
        return found

    def files(self) -> list[tuple[str, object]]:
        """Return what can be told apart of the files: their kinds, and how far they are written."""
        found: list[tuple[str, object]] = []
        for path in self.state.rglob("*"):
            name = re.sub(r"[0-9a-fTZ]{5,}|[0-9]+", "N", str(path.relative_to(self.state)))
            written: object = path.is_dir() or path.stat().st_size > 0
            if path.name == "audit.jsonl":
                data = path.read_bytes()
                written = data.count(b"\n"), data.endswith(b"\n")
            elif path.name.endswith(".gz"):
                written = gzip.decompress(path.read_bytes()).count(b"\n")
            found.append((name, written))
        return sorted(found, key=str)

    def look(self) -> tuple[Keys, list[tuple[str, object]]]:
        """Return everything that a kill may leave as it is."""
        # All that was sent to the server before is done when it has answered twice.
        self._databases[0].ping()
        return self.keys(), self.files()

    def save(self) -> None:
        """Keep the state to which `reset` returns."""
        client = self._databases[0]
        for name in client.scan_iter():
            self._dumps[name] = client.dump(name), max(0, client.pexpiretime(name))
        self.state.mkdir(exist_ok=True)
        shutil.copytree(self.state, self._saved)

    def reset(self) -> None:
        """Return to the state that was kept."""
        client = self._databases[0]
        client.flushall()
        client.config_set("maxmemory", 0)
        for name, (dump, expires_at) in self._dumps.items():
            client.restore(name, expires_at, dump, absttl=True)
        shutil.rmtree(self.state)
        shutil.copytree(self._saved, self.state)

    def unfinished(self) -> list[str]:
        """Return what killed commands have left."""
        every = map(str, self.pawsctl.folder.rglob("*"))
        return [each for each in every if _UNFINISHED.search(each)]

    def begun(self) -> list[str]:
        """Return the ids of the changes that whole lines of the audit log say were begun since."""
        known = len((self._saved / _LOG).read_bytes()) if (self._saved / _LOG).exists() else 0
        path = self.state / _LOG
        lines = path.read_bytes()[known:].splitlines(keepends=True) if path.exists() else []
        found = [json.loads(each) for each in lines if each.endswith(b"\n")]
        return [each["id"] for each in found if each["event"] == "begun"]

    def archives(self) -> set[str]:
        """Return the names of the backups' files."""
        return {each.name.removesuffix(".jsonl.gz") for each in self.state.rglob("2*.jsonl.gz")}


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    stepwise.load()


@pytest.fixture
def place(pawsctl: Pawsctl, server: Server) -> Iterator[Place]:
    """A place with sessions of every kind, and an archive to import."""
    for number, (key, value) in enumerate(VALUES.items()):
        server.client.set(key, value, ex=number * 100 + 500)
    server.client.hset("wh:session:+hash", mapping={"a": "b", "c": "d"})
    lines = [archives.entry(f"+{number}", json.dumps({"new": number})) for number in (2, 3, 4)]
    archives.write(pawsctl.folder / "a.jsonl", lines)
    pawsctl.environment["EDITOR"] = "sed -i s/active/gone/"
    with closing(Place(pawsctl, server)) as found:
        yield found
    server.client.config_set("maxmemory", 0)


def test_every_guarded_command_has_a_line_here() -> None:
    """A new one is killed too."""
    assert LINES.keys() == GUARDED.keys() - ON_THE_STACK


@pytest.mark.slow
@pytest.mark.parametrize("name", LINES)
def test_a_kill_between_any_two_steps_loses_nothing(place: Place, name: str) -> None:
    """Nor what it has replaced, and a second run completes it and leaves nothing behind."""
    first, last = LINES[name][:-1], LINES[name][-1]
    if name != "session touch":
        # Else each of them would be killed while it makes the key and the log.
        first = ("session touch +3", *first)
    for line in first:
        assert place.pawsctl(*line.split()).status == ExitStatus.OK
    place.save()
    kept = place.archives()
    words = last.format(url=place.server.url, latest="".join(kept)).split()
    seen = list(stepwise.looks(place.pawsctl, words, place.look))
    whole = Whole(name, words, seen[0][0], place.keys(), kept)
    tried = seen[:1]
    for number, state in enumerate(seen):
        if state not in tried:
            tried.append(state)
            place.reset()
            stepwise.kill_at(number, place.pawsctl, words)
            assert place.files() == state[1]
            _check(place, whole)
    assert len(tried) > 5


def _check(place: Place, whole: Whole) -> None:
    """Check what a kill has left; run the command again, and bring back what both have changed."""
    name, words, before, after, kept = whole
    killed, begun = place.keys(), place.begun()
    for key in before.keys() | after.keys():
        expected = [before.get(key), after.get(key)]
        assert _is_one_of(killed.get(key), expected), (key, killed.get(key))
    assert begun or (killed == before and kept <= place.archives())
    again = place.pawsctl(*words)
    assert again.status in (ExitStatus.OK, ExitStatus.NO_SESSION), again.err
    now = place.keys()
    for key in before.keys() | after.keys():
        assert _is_one_of(now.get(key), [after.get(key)]), (key, now.get(key))
    assert place.unfinished() == []
    recorded = {each["id"]: each for each in place.pawsctl("audit", "list", "--json").json}
    for each in begun:
        assert (recorded[each]["command"], recorded[each]["status"] or 0) == (name, 0)
    if place.archives():
        listed = place.pawsctl("backup", "list", "--json").json
        assert [each["problem"] for each in listed] == [None] * len(listed)
        if name in KEPT and killed != before:
            names = [each["name"] for each in listed]
            _check_undo(place, before, [each for each in names if each not in kept])


def _check_undo(place: Place, before: Keys, kept: list[str]) -> None:
    """Bring back what a killed run and the one after it have kept, the newest first."""
    for name in kept:
        restored = place.pawsctl("backup", "restore", name, "--yes")
        assert restored.status == ExitStatus.OK, restored.err
    now = place.keys()
    for key, held in before.items():
        assert _is_one_of(now.get(key), [held]), (key, now.get(key))


def _is_one_of(found: Key | None, expected: list[Key | None]) -> bool:
    return any(found is each if found is None else found.is_like(each) for each in expected)
