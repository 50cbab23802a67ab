"""Sessions that a command deletes are kept first, and come back byte for byte."""

import gzip
import os
import re
import shlex
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import ExitStatus, NotConfirmed
from pawsctl.safety.backups import delete, replace
from pawsctl.safety.backups.keep import LARGE, Undo
from pawsctl.sessions.archive import read
from pawsctl.sessions.archive.restore import How
from pawsctl.sessions.edit import flush
from pawsctl.sessions.query.filters import Filter
from pawsctl.sessions.store.store import SessionStore
from tests import archives as archives_
from tests.archives import assert_same, held
from tests.cli_runner import Pawsctl
from tests.servers import Server, store_session

# Scripts compare and change; else transactions; else the keys are read again.
REFUSED = ((), ("-@scripting",), ("-@scripting", "-@transaction"))
VALUES = {
    "wh:session:+1": b'{"status":"active","messages":[]}',
    "wh:session:+2": b'{ "n": 1.0, "n": 12345678901234567890 }',
    "wh:session:+3": b"\xff\x00 no UTF-8",
    "wh:session:\udcff": b"",
    "wh:seen:x": b"1",
    "other": b"another application's",
}


def fill(server: Server) -> None:
    """Store values of every kind: with a TTL and without, no UTF-8, and a hash."""
    for number, (key, value) in enumerate(VALUES.items()):
        server.client.set(key.encode("utf-8", "surrogateescape"), value, ex=number * 100 or None)
    server.client.hset("wh:session:+hash", mapping={"a": "b", "c": "d"})
    server.client.expire("wh:session:+hash", 1_000)


def archives(pawsctl: Pawsctl) -> list[Path]:
    """Return the files of all backups."""
    return sorted(Path(pawsctl.environment["XDG_STATE_HOME"]).rglob("*.jsonl.gz"))


def test_what_a_flush_has_deleted_comes_back(any_server: Server, anywhere: Pawsctl) -> None:
    """Values, expiry times and other types too; only the owner can read the backup."""
    pawsctl, url = anywhere, ("--url", any_server.url)
    any_server.client.flushall()
    fill(any_server)
    before = held(any_server)
    flushed = pawsctl("session", "flush", "--include-seen", "--yes", "--json", *url)
    assert (flushed.status, flushed.json["deleted"]) == (0, 6), flushed.err
    assert flushed.json["others"] == {"hash": 1}
    assert any_server.client.keys() == [b"other"]
    assert f" backup restore {flushed.json['backup']}" in flushed.err
    (archive,) = archives(pawsctl)
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    (listed,) = pawsctl("backup", "list", "--json").json
    assert (listed["name"], listed["before"]) == (flushed.json["backup"], "flush")
    assert (listed["sessions"], listed["problem"]) == (6, None)
    shown = pawsctl("backup", "show", "--latest", "--json").json
    assert {each["key"]: each["ttl"] > 0 for each in shown}["wh:session:+2"]
    any_server.client.set("wh:session:+1", "newer")
    restored = pawsctl("backup", "restore", "--latest", "--json", *url).json
    assert (restored["restored"], restored["kept"], restored["rejected"]) == (5, 1, 0)
    assert any_server.client.getdel("wh:session:+1") == b"newer"
    assert pawsctl("backup", "restore", "--latest", "--json", *url).json["restored"] == 1
    assert_same(before, held(any_server))
    assert any_server.client.hgetall("wh:session:+hash") == {b"a": b"b", b"c": b"d"}
    assert 900 < any_server.client.ttl("wh:session:+hash") <= 1_000


def test_delete_keeps_what_it_deletes(pawsctl: Pawsctl, server: Server) -> None:
    """Nothing is kept if there is nothing, or with --no-backup."""
    fill(server)
    before = held(server)
    assert pawsctl("session", "delete", "+9").status == ExitStatus.NO_SESSION
    assert archives(pawsctl) == []
    assert pawsctl("session", "delete", "+1", "+2", "wh:session:+hash").status == ExitStatus.OK
    assert pawsctl("backup", "restore", "--latest").status == ExitStatus.OK
    assert_same(before, held(server))
    assert pawsctl("session", "delete", "+1", "--no-backup").status == ExitStatus.OK
    assert len(archives(pawsctl)) == 1


@contextmanager
def _quiet(_doing: str, _total: int | None) -> Iterator[Callable[[int], None]]:
    yield lambda _count: None


def _undo(large: int = LARGE) -> Undo:
    def ask(problem: str, question: str) -> None:
        raise NotConfirmed(f"{problem} {question}", hint="")

    return Undo("flush", 24, ask, lambda _said: None, large)


@pytest.mark.parametrize("refused", REFUSED)
@pytest.mark.usefixtures("pawsctl")
def test_what_changes_after_it_was_kept_is_left(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: tuple[str, ...]
) -> None:
    """The bot writes, touches and ends sessions between the two; also where scripts are refused."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    fill(server)
    server.client.set("wh:session:+4", "{}", ex=100)
    server.client.set("wh:session:+5", "{}", ex=100)
    server.client.execute_command(
        *("ACL", "SETUSER", "bot", "on", ">secret", "~*", "+@all"),
        *refused,
    )

    @contextmanager
    def meanwhile(doing: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        if doing == "deleting":
            server.client.set("wh:session:+2", "newer", ex=500)
            server.client.expire("wh:session:+4", 21_600)
            server.client.persist("wh:session:+5")
            server.client.delete("wh:session:+3")
            server.client.hset("wh:session:+hash", "e", "f")
            server.client.set("wh:session:+new", "{}")
        yield lambda _count: None

    said: list[str] = []
    url = server.url.replace("redis://", "redis://bot:secret@")
    try:
        with SessionStore(connect(parse(url, origin="the test"), notice=said.append)) as store:
            planned = flush.planned(store, Filter(), include_seen=False)
            flushed = delete.flush(store, planned, undo=_undo(), progress=meanwhile)
    finally:
        server.client.execute_command("ACL", "DELUSER", "bot")
    assert (flushed.deleted, flushed.changed) == (2, 4)
    assert any("Scripts and transactions are refused" in each for each in said) == (
        "-@transaction" in refused
    )
    left = {b"wh:session:+" + each for each in (b"2", b"4", b"5", b"hash", b"new")}
    assert set(server.client.keys("wh:session:*")) == left
    assert server.client.get("wh:session:+2") == b"newer"


def test_a_user_who_may_delete_nothing_is_told_before_anything_is_kept(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Scripts are not refused, and are not said to be."""
    fill(server)
    rights = ("on", ">secret", "~*", "+@all", "-unlink", "-del")
    server.client.execute_command("ACL", "SETUSER", "bot", *rights)
    try:
        url = server.url.replace("redis://", "redis://bot:secret@")
        refused = pawsctl("session", "delete", "+1", "--url", url)
        server.client.execute_command("ACL", "SETUSER", "bot", "+unlink", "resetkeys", "~*:+1")
        # Whoever may delete this one may not try it on a key of nobody.
        allowed = pawsctl("session", "delete", "+1", "--url", url)
    finally:
        server.client.execute_command("ACL", "DELUSER", "bot")
    assert refused.status == ExitStatus.FAILED
    assert "Before that, 0 sessions were deleted." in refused.err
    assert not re.search("Kept|Scripts", refused.err)
    assert allowed.status == ExitStatus.OK, allowed.err


def test_what_an_import_has_replaced_comes_back(any_server: Server, anywhere: Pawsctl) -> None:
    """Also what the restore replaces is kept, so that it can be taken back as well."""
    pawsctl, url = anywhere, ("--url", any_server.url)
    any_server.client.flushall()
    fill(any_server)
    assert pawsctl("session", "export", "a.jsonl", *url).status == ExitStatus.OK
    any_server.client.set("wh:session:+1", "mine", ex=5_000)
    any_server.client.delete("wh:session:+2")
    before = held(any_server)
    imported = pawsctl("session", "import", "a.jsonl", "--replace", "--json", *url)
    assert (imported.json["imported"], imported.json["changed"]) == (4, 0), imported.err
    after = held(any_server)
    assert after[b"wh:session:+1"].value == VALUES["wh:session:+1"]
    shown = pawsctl("backup", "show", imported.json["backup"], "--json").json
    assert "wh:session:+2" not in [each["key"] for each in shown]
    words = ("backup", "restore", "--latest", "--json", *url)
    assert pawsctl(*words).status == ExitStatus.NOT_CONFIRMED
    restored = pawsctl(*words, "--yes").json
    assert (restored["restored"], restored["kept"], restored["changed"]) == (3, 0, 0)
    assert_same(before | {b"wh:session:+2": after[b"wh:session:+2"]}, held(any_server))
    # As after a restore that was killed, the same command does the same again.
    again = pawsctl(*words, "--yes")
    assert again.json["backup"] == imported.json["backup"]
    newer = again.err.partition("; ")[2].partition(" is newer, and holds what a restore")[0]
    assert newer == restored["replaced"]
    assert pawsctl("backup", "restore", restored["replaced"], "--yes", *url).status == 0
    assert_same(after, held(any_server))


@pytest.mark.parametrize("refused", REFUSED)
def test_what_changes_while_an_import_keeps_it_is_left(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: tuple[str, ...]
) -> None:
    """The bot writes one and makes one meanwhile; one is gone, and one has expired in the file."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lines = [archives_.entry(f"+{number}", "new") for number in range(1, 6)]
    lines.append(archives_.entry("+0", "old", 1_000))
    path = archives_.write(tmp_path / "a.jsonl", [*lines[-1:], *lines[:-1]])
    for number in (0, 1, 2, 4):
        server.client.set(f"wh:session:+{number}", "old", ex=100)

    @contextmanager
    def meanwhile(doing: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        if doing == "importing":
            server.client.set("wh:session:+2", "newer", ex=100)
            server.client.set("wh:session:+3", "newer")
            server.client.delete("wh:session:+4")
        yield lambda _count: None

    rights = ("ACL", "SETUSER", "bot", "on", ">secret", "~*", "+@all")
    server.client.execute_command(*rights, *refused)
    url = server.url.replace("redis://", "redis://bot:secret@")
    try:
        with (
            SessionStore(connect(parse(url, origin="the test"))) as store,
            read.opened(str(path)) as archive,
        ):
            how = How(replace=True)
            done = replace.restore(store, archive, how, undo=_undo(), progress=meanwhile)
    finally:
        server.client.execute_command("ACL", "DELUSER", "bot")
    assert (done.imported, done.changed, done.expired, done.kept) == (3, 2, 1, 0)
    found = {number: server.client.get(f"wh:session:+{number}") for number in range(6)}
    assert found == {0: b"old", 1: b"new", 2: b"newer", 3: b"newer", 4: b"new", 5: b"new"}


def test_an_import_can_give_a_fresh_ttl_to_what_has_expired(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """A session with time left keeps it."""
    later = int(datetime.now(UTC).timestamp() * 1000) + 50_000
    lines = [archives_.entry("+1", "{}", 1_000), archives_.entry("+2", "{}", later)]
    archives_.write(tmp_path / "a.jsonl", lines)
    # With less than a second, what was imported is gone at once.
    for ttl in ("soon", "0s", "999ms"):
        for words in (("session", "import", "a.jsonl"), ("backup", "restore", "--latest")):
            assert pawsctl(*words, "--ttl", ttl).status == ExitStatus.USAGE
    done = pawsctl("session", "import", "a.jsonl", "--ttl", "6h", "--json").json
    assert (done["imported"], done["expired"]) == (2, 0)
    assert 21_500 < server.client.ttl("wh:session:+1") <= 21_600
    assert server.client.ttl("wh:session:+2") <= 50


def test_edit_and_repair_keep_what_they_change(pawsctl: Pawsctl, server: Server) -> None:
    """And nothing if they change nothing."""
    broken = b'{"status":"active","messages":[{"role":"user"}],"updatedAt":1}'
    server.client.set("wh:session:+1", broken, ex=500)
    assert pawsctl("session", "edit", "+1", env={"EDITOR": "true"}).status == ExitStatus.OK
    assert pawsctl("session", "repair", "+1", "--dry-run").status == ExitStatus.OK
    assert archives(pawsctl) == []
    assert pawsctl("session", "repair", "+1", "--yes").status == ExitStatus.OK
    repaired = server.client.get("wh:session:+1")
    edit = {"EDITOR": "sed -i s/active/gone/"}
    edited = pawsctl("session", "edit", "+1", env=edit)
    assert edited.status == ExitStatus.OK, edited.err
    assert b"gone" in server.client.get("wh:session:+1")  # type: ignore[operator]
    assert pawsctl("backup", "restore", "--latest", "--yes").status == ExitStatus.OK
    assert server.client.get("wh:session:+1") == repaired
    (first, *_) = [each for each in archives(pawsctl) if "repair" in each.name]
    name = first.name.removesuffix(".jsonl.gz")
    assert pawsctl("backup", "restore", name, "--yes").status == ExitStatus.OK
    assert server.client.get("wh:session:+1") == broken
    assert 400 < server.client.ttl("wh:session:+1") <= 500


def test_a_large_backup_is_asked_for(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is deleted, and nothing is left in the state directory, if the answer is no."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    fill(server)
    with SessionStore(connect(parse(server.url, origin="the test"))) as store:
        planned = flush.planned(store, Filter(), include_seen=False)
        with pytest.raises(NotConfirmed, match="larger than 0 MB"):
            delete.flush(store, planned, undo=_undo(large=100), progress=_quiet)
    assert len(server.client.keys("wh:session:*")) == 5
    assert [each for each in (tmp_path / "state").rglob("*") if each.is_file()] == []


def test_without_room_for_a_backup_nothing_is_deleted(pawsctl: Pawsctl, server: Server) -> None:
    """Exit 3 with the way around; the folder can't be made where a file is."""
    fill(server)
    folder = Path(pawsctl.environment["XDG_STATE_HOME"], "pawsctl")
    folder.mkdir(parents=True)
    (folder / "undo.archives").write_text("")
    for words in (("flush", "--yes"), ("delete", "+1")):
        result = pawsctl("session", *words, "--json")
        assert result.status == ExitStatus.NOT_CONFIRMED, result.err
        assert "--no-backup" in result.error["hint"]
    assert len(server.client.keys("wh:session:*")) == 5
    assert pawsctl("session", "flush", "--yes", "--no-backup").status == ExitStatus.OK


def test_old_backups_are_swept_and_that_is_said(pawsctl: Pawsctl, server: Server) -> None:
    """By the next command that makes one; so is what a killed one left unfinished."""
    fill(server)
    pawsctl("session", "delete", "+1")
    (kept,) = archives(pawsctl)
    data = gzip.decompress(kept.read_bytes())
    assert b'"kept_hours":24.0' in data
    # Older backups, which do not say how long they live, live as long as is set now.
    old = data.replace(b'"kept_hours":24.0', b'"kept_hours":0')
    for ago, held_ in ((23, old), (25, old), (25, data.replace(b":24.0", b":26")), (26, data)):
        made_at = datetime.now(UTC) - timedelta(hours=ago)
        copy = kept.with_name(f"{made_at:%Y%m%dT%H%M%S%fZ}-delete.jsonl.gz")
        copy.write_bytes(gzip.compress(held_))
    part = kept.with_name(f".{kept.name}.pawsctl-{'0' * 16}.part")
    part.write_bytes(b"conversations")
    assert "Removed 2 backups whose time was up." in pawsctl("session", "delete", "+2").err
    (newest,) = pawsctl("audit", "list", "--limit", "1", "--json").json
    assert newest["counts"] == {"expired_backups": 2, "deleted": 1}
    assert len(archives(pawsctl)) == 4
    assert not part.exists()
    half = {"PAWSCTL_BACKUP_HOURS": "0.5"}
    said = pawsctl("session", "delete", "+3", env=half).err
    assert "Removed 1 backup whose time was up." in said
    assert "Kept 1 key for 0.5 h" in said
    for hours in ("soon", "0", "0.0001", "100000"):
        wrong = pawsctl("session", "delete", "+3", env={"PAWSCTL_BACKUP_HOURS": hours})
        assert wrong.status == ExitStatus.USAGE
        assert "from 0.001 to 99999" in wrong.err
    assert pawsctl("backup", "purge").status == ExitStatus.NOT_CONFIRMED
    assert len(pawsctl("backup", "purge", "--yes", "--json").json["removed"]) == 4
    assert archives(pawsctl) == []


def test_a_found_file_can_not_shorten_the_life_of_a_backup(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A repository that is cloned brings a .env along; one that is named counts as written."""
    fill(server)
    (pawsctl.folder / ".env").write_text("PAWSCTL_BACKUP_HOURS=0.001\n")
    assert "Kept 1 key for 24 h" in pawsctl("session", "delete", "+1").err
    named = pawsctl("--env-file", ".env", "session", "delete", "+2")
    assert "Kept 1 key for 0.001 h" in named.err
    (pawsctl.folder / ".env").write_text("PAWSCTL_BACKUP_HOURS=48\n")
    assert "Kept 1 key for 48 h" in pawsctl("session", "delete", "+3").err


@pytest.mark.parametrize("name", ["20269999T999999999999Z", "20200101T000000000000Z"])
def test_what_only_has_the_name_of_a_backup_is_none(
    pawsctl: Pawsctl, server: Server, name: str
) -> None:
    """A time that does not exist, and a folder: neither is listed or removed, nor in the way."""
    fill(server)
    assert pawsctl("session", "delete", "+1").status == ExitStatus.OK
    (kept,) = archives(pawsctl)
    odd = kept.with_name(f"{name}-flush.jsonl.gz")
    if "9999T" in name:
        odd.write_bytes(kept.read_bytes())
    else:
        odd.mkdir()
    assert len(pawsctl("backup", "list", "--json").json) == 1
    assert pawsctl("session", "delete", "+2").status == ExitStatus.OK
    assert len(pawsctl("backup", "purge", "--yes", "--json").json["removed"]) == 2
    assert archives(pawsctl) == [odd]


def test_backups_of_other_hosts_are_purged_by_name(pawsctl: Pawsctl, server: Server) -> None:
    """--yes does not suffice, and --confirm names each host; the removal is recorded."""
    fill(server)
    assert pawsctl("session", "delete", "+1").status == ExitStatus.OK
    (kept,) = archives(pawsctl)
    data = gzip.decompress(kept.read_bytes())
    for number, host in enumerate(("db.example.com", "db2.example.com")):
        other = data.replace(server.url.encode(), f"redis://{host}:6379".encode())
        kept.with_name(f"2026010{number + 1}T000000000000Z-flush.jsonl.gz").write_bytes(
            gzip.compress(other)
        )
    for words in ((), ("--confirm", "db.example.com"), ("--confirm", "127.0.0.1")):
        refused = pawsctl("backup", "purge", "--yes", *words, "--json")
        assert refused.status == ExitStatus.NOT_CONFIRMED, refused.out
        assert "example.com" in refused.error["message"]
    assert len(archives(pawsctl)) == 3
    named = ("20260101T000000000000Z-flush", "--confirm", "db.example.com")
    assert pawsctl("backup", "purge", *named).status == ExitStatus.OK
    own = kept.name.removesuffix(".jsonl.gz")
    assert pawsctl("backup", "purge", own, "--yes").status == ExitStatus.OK
    assert len(archives(pawsctl)) == 1
    here, there, _ = pawsctl("audit", "list", "--json").json
    assert (here["command"], here["counts"]) == ("backup purge", {"removed": 1})
    assert (here["host"], there["host"]) == ("127.0.0.1", "db.example.com")


def test_a_backup_that_can_not_be_read_may_be_productions(pawsctl: Pawsctl, server: Server) -> None:
    """--yes suffices for it only where nothing that the settings name speaks for production."""
    fill(server)
    assert pawsctl("session", "delete", "+1").status == ExitStatus.OK
    (kept,) = archives(pawsctl)
    kept.write_bytes(b"damaged")
    production = {"NODE_ENV": "production"}
    foreign = {"REDIS_URL": "redis://db.example.com"}
    for env, host in ((production, "127.0.0.1"), (foreign, "db.example.com")):
        refused = pawsctl("backup", "purge", "--yes", env=env)
        assert refused.status == ExitStatus.NOT_CONFIRMED, refused.err
        assert "Not looked at: where" in refused.err
        assert f"--confirm {host}" in refused.err
    assert kept.exists()
    assert pawsctl("backup", "purge", "--confirm", "127.0.0.1", env=production).status == 0
    assert pawsctl("audit", "list", "--json").json[0]["url"] == ""
    assert pawsctl("session", "delete", "+2").status == ExitStatus.OK
    archives(pawsctl)[0].write_bytes(b"damaged")
    assert pawsctl("backup", "purge", "--yes").status == ExitStatus.OK


def test_the_newest_export_of_a_reset_stays(pawsctl: Pawsctl, server: Server) -> None:
    """Older ones are swept like other backups; all are listed, restored and purged with them.

    So is what a killed reset has not finished, if it is old.
    """
    fill(server)
    assert pawsctl("session", "export", "a.jsonl.gz").status == ExitStatus.OK
    data = (pawsctl.folder / "a.jsonl.gz").read_bytes()
    folder = Path(pawsctl.environment["XDG_STATE_HOME"], "pawsctl", "shop", "backups")
    folder.mkdir(parents=True, mode=0o700)
    names = []
    for days in (9, 8, 7):
        made_at = datetime.now(UTC) - timedelta(days=days)
        names.append(f"sessions-{made_at:%Y%m%dT%H%M%S%f}Z")
    (folder / f"{names[0]}-db0.jsonl.gz").write_bytes(data)
    for each in names[1:]:
        (folder / each).mkdir(mode=0o700)
        for number in (0, 3):
            (folder / each / f"sessions-db{number}.jsonl.gz").write_bytes(data)
    killed = [folder / f".unfinished-{number}" for number in range(2)]
    for unfinished in killed:
        unfinished.mkdir()
        (unfinished / "sessions-db0.jsonl.gz").write_bytes(data)
    os.utime(killed[0], (0, 0))
    assert len(pawsctl("backup", "list", "--json").json) == 5
    said = pawsctl("session", "delete", "+1", "+2").err
    assert "Removed 3 backups whose time was up." in said
    assert sorted(each.name for each in folder.iterdir()) == [killed[1].name, *names[2:]]
    listed = pawsctl("backup", "list", "--json").json
    assert [each["before"] for each in listed] == ["delete", "reset", "reset"]
    assert [each["expires_at"] is None for each in listed] == [False, True, True]
    name = f"shop/{names[2]}/sessions-db0"
    restored = pawsctl("backup", "restore", name, "--json")
    assert (restored.json["restored"], restored.json["kept"]) == (2, 2), restored.err
    assert len(pawsctl("backup", "purge", "--yes", "--json").json["removed"]) == 3
    assert list(folder.iterdir()) == killed[1:]


def test_the_printed_way_back_works_as_it_is_printed(pawsctl: Pawsctl, server: Server) -> None:
    """Also where the command line named the Redis; a password is not printed."""
    with_password = server.url.replace("://", "://me:hidden@")
    with_user = server.url.replace("://", "://me@")
    toml = f'[profiles.near]\nurl = "{server.url}"\n'
    (pawsctl.folder / "pawsctl.toml").write_text(toml)
    server.client.execute_command("ACL SETUSER me on >hidden ~* +@all")
    pawsctl.environment["REDIS_URL"] = "redis://127.0.0.1:1"
    try:
        for options, login in (
            (("--url", f"{server.url}/3"), {}),
            (("--url", server.url, "--db", "3"), {}),
            (("--url", with_password), {"REDISCLI_AUTH": "hidden"}),
            (("--url", with_user), {"REDISCLI_AUTH": "hidden"}),
            (("--profile", "near"), {}),
        ):
            store_session(server, "+1", b"{}")
            server.client.copy("wh:session:+1", "wh:session:+1", destination_db="3", replace=True)
            said = pawsctl(*options, "session", "delete", "+1", env=login).err
            way = said.partition("back with: pawsctl ")[2].partition("\n")[0]
            assert "hidden" not in way
            user = "the user of that URL and " * (with_user in options)
            assert (f"(with {user}the password in REDISCLI_AUTH)" in way) == bool(login)
            back = pawsctl(*shlex.split(way.partition(" (")[0]), "--json", env=login)
            assert back.json["restored"] == 1, (way, back.err)
    finally:
        server.client.acl_deluser("me")


def test_where_a_backup_is_from_is_told_though_the_settings_name_a_dead_redis(
    pawsctl: Pawsctl, server: Server
) -> None:
    """To start that one would not help. One that --url names is what has to answer."""
    fill(server)
    pawsctl("session", "delete", "+1")
    dead = "redis://127.0.0.1:1"
    result = pawsctl("backup", "restore", "--latest", env={"REDIS_URL": dead})
    assert result.status == ExitStatus.USAGE, result.err
    assert f"is from {server.url}, and the target is {dead}" in result.err
    named = pawsctl("backup", "restore", "--latest", "--url", dead)
    assert named.status == ExitStatus.UNREACHABLE


def test_a_backup_goes_to_where_it_is_from(pawsctl: Pawsctl, server: Server) -> None:
    """Else what production had would come to whatever Redis the settings name."""
    fill(server)
    url = ("--url", f"{server.url}/3")
    pawsctl("session", "delete", "+1")
    elsewhere = {"REDIS_URL": f"{server.url}/3"}
    result = pawsctl("backup", "restore", "--latest", env=elsewhere)
    assert result.status == ExitStatus.USAGE
    assert f"is from {server.url}, and the target is {server.url}/3" in result.err
    assert "The newest from" not in result.err
    server.client.copy("wh:session:+2", "wh:session:+2", destination_db="3", replace=True)
    own = pawsctl("session", "delete", "+2", "--json", *url).err.split("backup restore ")[1]
    pawsctl("session", "delete", "+2")
    told = pawsctl("backup", "restore", "--latest", env=elsewhere).err
    assert f"The newest from {server.url}/3 is {own.split()[0]}." in told
    # Who names a Redis may mean the latest of that one.
    latest = pawsctl("backup", "restore", "--latest", *url)
    assert latest.status == ExitStatus.USAGE
    assert f"The newest from {server.url}/3 is {own.split()[0]}" in latest.err
    assert server.client.exists("wh:session:+2") == 0
    name = pawsctl("backup", "list", "--json").json[0]["name"]
    assert name in latest.err
    there = pawsctl("backup", "restore", name, *url, "--json")
    assert there.json["restored"] == 1
    assert f"The backup is from {server.url}." in there.err
    named = server.url.replace("127.0.0.1", "localhost")
    by_name = pawsctl("backup", "restore", "--latest", "--json", env={"REDIS_URL": named})
    assert by_name.json["restored"] == 1, by_name.err
    assert pawsctl("backup", "restore").status == ExitStatus.USAGE
    assert pawsctl("backup", "restore", "no-such").status == ExitStatus.USAGE


def test_a_key_that_this_redis_can_not_read_keeps_no_other_from_coming_back(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """A newer Redis dumped it; a second try would end at it again."""
    any_server.client.set("wh:session:+1", "{}", ex=500)
    kept = anywhere("session", "delete", "+1", "--json").err.split("backup restore ")[1].split()[0]
    (path,) = archives(anywhere)
    lines = [archives_.entry(f"+{number}", "v") for number in range(1_001)]
    lines[0] |= {"value": None, "type": "hash", "dump_base64": "AAAA"}
    header = archives_.HEADER | {"source": any_server.url, "kept_before": "delete"}
    path.write_bytes(gzip.compress(archives_.write(path, lines, header=header).read_bytes()))
    result = anywhere("backup", "restore", kept, "--json")
    assert result.status == ExitStatus.FAILED
    assert (result.json["restored"], result.json["rejected"]) == (1_000, 1)
    assert "it is no string, and another Redis made it" in result.json["reasons"][0]["reason"]
    assert any_server.client.dbsize() == 1_000


def test_a_damaged_backup_is_told(pawsctl: Pawsctl, server: Server) -> None:
    """It is listed with its problem, and not restored."""
    fill(server)
    pawsctl("session", "delete", "+1")
    (kept,) = archives(pawsctl)
    kept.write_bytes(kept.read_bytes()[:-20])
    (listed,) = pawsctl("backup", "list", "--json").json
    assert listed["sessions"] is None
    assert "damaged or cut short" in listed["problem"]
    assert pawsctl("backup", "restore", "--latest").status == ExitStatus.FAILED
    assert not server.client.exists("wh:session:+1")
