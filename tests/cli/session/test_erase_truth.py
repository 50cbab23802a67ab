"""`pawsctl session erase` tells the truth of what it could not do, and asks before what it does."""

import hashlib
import os
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import between
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.servers import NewUser, Server, store_session

VALUE = (SAMPLES / "greeting.json").read_bytes()
# No process has it: the largest one has seven digits.
DEAD = 99_999_999


def _state(pawsctl: Pawsctl) -> Path:
    folder = pawsctl.folder / "state" / "pawsctl"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_what_is_saved_after_the_look_is_not_deleted_without_a_question(
    bare_pawsctl: Pawsctl, server: Server
) -> None:
    """Nothing was found, so nothing was confirmed or recorded; the second look tells of it."""

    def save(command: list[bytes]) -> bool:
        if command[0] == b"SCAN":
            store_session(server, "+1", VALUE)
        return False

    with between.standing(server, refuses=save) as url:
        done = bare_pawsctl(
            *("session", "erase", "+1", "--json", "--url", url), env={"NODE_ENV": "production"}
        )
    assert done.status == ExitStatus.FAILED
    assert "is there now: session" in done.error["message"]
    assert server.client.exists("wh:session:+1")
    receipt = done.json["receipt"]
    assert receipt["complete"] is False
    assert receipt["looked_at"][0] == {"place": "session", "found": 0, "erased": 0, "left": 1}


def test_drafts_of_killed_edits_are_erased_and_open_ones_told(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A swap file counts too; those of other phones stay."""
    edits = _state(pawsctl) / "session.edits"
    drafts = {
        f".editing-{DEAD}-{1:016x}": "+1.json",
        f".editing-{DEAD}-{2:016x}": ".+1.json.swp",
        f".editing-{DEAD}-{3:016x}": "+12.json",
        f".editing-{os.getpid()}-{4:016x}": "+1.json",
    }
    for folder, name in drafts.items():
        (edits / folder).mkdir(parents=True)
        (edits / folder / name).write_text("half")
    done = pawsctl("session", "erase", "+1", "--yes", "--json")
    assert done.status == ExitStatus.PARTIAL
    assert [each.name for each in sorted(edits.iterdir())] == sorted(list(drafts)[2:])
    (told,) = done.json["receipt"]["not_looked_at"]
    assert f"! not looked at: {told}" in done.err
    assert told.endswith("is open in an editor")
    assert done.json["receipt"]["looked_at"][2]["erased"] == 2


def test_kept_edits_of_others_without_digits_stay(pawsctl: Pawsctl, server: Server) -> None:
    """Names that differ in letters only have files of their own."""
    for name in ("abc", "xyz"):
        store_session(server, name, VALUE)
        bad = {"EDITOR": "sh -c ': >\"$1\"' sh"}
        edited = pawsctl("session", "edit", f"wh:session:{name}", env=bad)
        assert edited.status == ExitStatus.FAILED
    done = pawsctl("session", "erase", "wh:session:abc", "--yes", "--json")
    assert done.json["receipt"]["looked_at"][2]["erased"] == 1
    assert len(list((_state(pawsctl) / "session.edits").iterdir())) == 1


def test_a_failure_after_the_deletion_says_what_was_erased(
    bare_pawsctl: Pawsctl, server: Server
) -> None:
    """The second look fails here; the audit log has the count too."""
    store_session(server, "+1", VALUE)
    looks: list[bytes] = []

    def refuse(command: list[bytes]) -> bool:
        if command == [b"EXISTS", b"wh:session:+1"]:
            looks.append(command[0])
        return len(looks) > 1

    with between.standing(server, refuses=refuse) as url:
        failed = bare_pawsctl("session", "erase", "+1", "--yes", "--json", "--url", url)
    assert failed.status == ExitStatus.FAILED
    said = "Before that, 1 key in Redis and 0 copies on this machine were erased."
    assert failed.error["message"].endswith(said)
    (recorded,) = bare_pawsctl("audit", "list", "--json").json
    assert recorded["counts"]["erased"] == 1


def test_archives_behind_links_are_looked_at_as_backups_are(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A link to another disk; a link that leads nowhere may be one to a disk that is away."""
    state, disk = _state(pawsctl), pawsctl.folder / "disk"
    disk.mkdir(mode=0o700)
    (state / "undo.archives").symlink_to(disk)
    (state / "round").symlink_to(state)
    store_session(server, "+1", VALUE)
    assert pawsctl("session", "delete", "+1").status == ExitStatus.OK
    assert len(list(disk.iterdir())) == 1
    done = pawsctl("session", "erase", "+1", "--yes", "--json")
    assert done.status == ExitStatus.OK, done.err
    assert done.json["receipt"]["looked_at"][2]["erased"] == 1
    assert list(disk.iterdir()) == []
    disk.rmdir()
    away = pawsctl("session", "erase", "+1", "--yes", "--json")
    assert away.status == ExitStatus.PARTIAL
    assert "undo.archives is a link that leads nowhere" in away.error["message"]


def test_copies_stay_if_redis_refuses(pawsctl: Pawsctl, server: Server) -> None:
    """The message and the audit log say that nothing was erased."""
    store_session(server, "+1", VALUE)
    archive = _state(pawsctl) / "a.jsonl"
    assert pawsctl("session", "export", str(archive)).status == ExitStatus.OK
    before = archive.read_bytes()
    server.client.execute_command("ACL SETUSER lim on >pw ~* +@all -del")
    url = server.url.replace("://", "://lim:pw@")
    refused = pawsctl("session", "erase", "+1", "--yes", "--json", "--url", url)
    server.client.acl_deluser("lim")
    assert refused.status == ExitStatus.FAILED
    said = "Before that, 0 keys in Redis and 0 copies on this machine were erased."
    assert refused.error["message"].endswith(said)
    assert archive.read_bytes() == before
    (recorded,) = pawsctl("audit", "list", "--json").json
    assert recorded["counts"] == {"erased": 0, "unknown": 0}


def test_backups_of_production_are_named_and_not_erased_by_yes(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Neither those from another machine, nor those of a profile that says production."""
    store_session(server, "+1", VALUE)
    state = _state(pawsctl)
    other, far = "redis://127.0.0.1:1", "rediss://prod.example.com:6380"
    assert pawsctl("session", "export", str(state / "a.jsonl")).status == ExitStatus.OK
    exported = (state / "a.jsonl").read_bytes()
    line, body = exported.splitlines(keepends=True)[:2]
    for name, url in (("b", other), ("c", far)):
        header = line.replace(server.url.encode(), url.encode())
        digest = hashlib.sha256(header + body).hexdigest()
        trailer = f'{{"count":1,"checksum":"sha256:{digest}"}}\n'.encode()
        (state / f"{name}.jsonl").write_bytes(header + body + trailer)
    erase = ("session", "erase", "+1", "--yes", "--json")
    refused = pawsctl(*erase)
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert f"among them, 1 line from {far}" in refused.err
    assert (
        f"copies are from {far}: prod.example.com is not this machine" in refused.error["message"]
    )
    assert server.client.exists("wh:session:+1")
    (state / "c.jsonl").unlink()
    profiles = pawsctl.folder / "pawsctl.toml"
    profiles.write_text(f'[profiles.prod]\nurl = "{other}"\nproduction = true\n')
    refused = pawsctl(*erase)
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert (
        f"copies are from {other}: it is at the place of profile prod" in refused.error["message"]
    )
    profiles.unlink()
    done = pawsctl(*erase)
    assert done.status == ExitStatus.OK, done.err
    assert f"among them, 1 line from {other}" in done.err
    assert done.json["receipt"]["elsewhere"] == [{"url": other, "found": 1, "erased": 1, "left": 0}]
    assert done.json["receipt"]["looked_at"][2]["erased"] == 2


def test_a_session_of_the_number_without_its_plus_is_told(pawsctl: Pawsctl, server: Server) -> None:
    """It is another phone to the bot, and the same person; the receipt does not name it."""
    for phone in ("+59899000001", "59899000001"):
        store_session(server, phone, VALUE)
    done = pawsctl("session", "erase", "+59899000001", "--yes", "--json")
    assert done.status == ExitStatus.OK, done.err
    assert "has a session as 59899000001: erase that by its name." in done.err
    told = done.json["receipt"]["not_reached"][0]
    assert told.startswith("1 session of the same number written otherwise")
    assert server.client.keys("wh:session:*") == [b"wh:session:59899000001"]
    other = pawsctl("session", "erase", "59899000001", "--yes", "--json")
    assert "written otherwise" not in other.text + other.err


@pytest.mark.parametrize("writable", [False, True])
@pytest.mark.parametrize("tells", [False, True])
def test_nothing_is_erased_by_way_of_a_replica(
    pawsctl: Pawsctl, server: Server, user: NewUser, *, writable: bool, tells: bool
) -> None:
    """Its primary may have what it lacks, which a receipt of completeness would deny."""
    store_session(server, "+1", VALUE)
    assert pawsctl("session", "delete", "+1").status == ExitStatus.OK
    url = user("~*", "+@all", *([] if tells else ["-info"]))
    server.client.config_set("replica-read-only", "no" if writable else "yes")
    server.client.replicaof("127.0.0.1", 1)
    try:
        done = pawsctl(
            "session", "erase", "+1", "--yes", "--receipt", "r.json", "--json", "--url", url
        )
    finally:
        server.client.replicaof("NO", "ONE")
        server.client.config_set("replica-read-only", "yes")
    assert done.status == ExitStatus.FAILED, done.out
    assert "is a replica" in done.error["message"]
    assert not done.out
    assert not (pawsctl.folder / "r.json").exists()
    restored = pawsctl("backup", "restore", "--latest", "--json")
    assert restored.json["restored"] == 1, restored.out
