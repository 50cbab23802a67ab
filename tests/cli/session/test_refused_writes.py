"""Commands that write, for users whose ACL refuses that: true hints, and dry runs that say so."""

from pathlib import Path
from typing import Any

import pytest

from pawsctl.connection import ASK_FOR_PERMISSION
from pawsctl.errors import ExitStatus
from tests import archives, lying
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.servers import NewUser, Server, store_session

VALUE = (SAMPLES / "greeting.json").read_bytes()
KILLED = (
    b'{"status":"active","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t",'
    b'"name":"x","input":{}}]}],"updatedAt":1}'
)


@pytest.fixture
def archive(tmp_path: Path) -> str:
    """Return the path of an archive of two sessions."""
    lines = [archives.entry(f"+{number}", "new") for number in (1, 2)]
    return str(archives.write(tmp_path / "a.jsonl", lines))


@pytest.mark.parametrize(
    ("rights", "helps"),
    [
        (("~wh:session:+1*", "+@all"), False),
        (("~*", "+@all", "-get", "-set"), False),
        (("~*", "+@all", "-get"), True),
        (("%W~wh:session:*", "+@all"), True),
    ],
)
def test_an_import_offers_no_backup_only_if_that_helps(
    pawsctl: Pawsctl,
    server: Server,
    user: NewUser,
    archive: str,
    rights: tuple[str, ...],
    *,
    helps: bool,
) -> None:
    """It is tried what is offered."""
    for phone in ("+1", "+2"):
        store_session(server, phone, VALUE)
    words = ("session", "import", archive, "--replace", "--json", "--url", user(*rights))
    failed = pawsctl(*words)
    assert failed.status == ExitStatus.FAILED
    assert ("--no-backup" in failed.error["hint"]) == helps, failed.err
    tried = pawsctl(*words, "--no-backup")
    assert (tried.status == ExitStatus.OK) == helps, tried.err


@pytest.mark.parametrize(
    "rights", [("%R~*", "+@all"), ("%R~*", "~wh:session:+1", "+@all"), ("~*", "+@all", "-set")]
)
def test_a_dry_run_fails_where_the_import_would(
    pawsctl: Pawsctl, server: Server, user: NewUser, archive: str, rights: tuple[str, ...]
) -> None:
    """With --replace and without; nothing is written."""
    store_session(server, "+1", VALUE)
    url = user(*rights)
    for words in ((), ("--replace",)):
        told = pawsctl("session", "import", archive, *words, "--dry-run", "--json", "--url", url)
        assert told.status == ExitStatus.FAILED, words
        error: dict[str, Any] = told.error
        assert "NOPERM" in error["message"]
        assert "0 of 2 sessions were gone through, and none was written." in error["message"]
        assert error["hint"] == ASK_FOR_PERMISSION
        assert (error["imported"], error["unknown"]) == (0, 0)
        assert server.client.keys("wh:*") == [b"wh:session:+1"]
        assert server.client.get("wh:session:+1") == VALUE
        failed = pawsctl("session", "import", archive, *words, "--json", "--url", url)
        assert failed.status == ExitStatus.FAILED, words
        assert "permission" in failed.error["hint"]
        server.client.set("wh:session:+1", VALUE, ex=600)


def test_a_dry_run_of_a_copy_fails_where_the_copy_would(
    pawsctl: Pawsctl, server: Server, redis_server: Server, user: NewUser
) -> None:
    """The target takes no writes of that user."""
    redis_server.empty()
    store_session(redis_server, "+1", VALUE)
    words = ("session", "copy", "--all", "--json", "--url", redis_server.url)
    failed = pawsctl(*words, "--to", user("%R~*", "+@all"), "--dry-run")
    assert failed.status == ExitStatus.FAILED
    error: dict[str, Any] = failed.error
    assert "NOPERM" in error["message"]
    assert "0 sessions were gone through, and none was written." in error["message"]
    assert error["hint"] == ASK_FOR_PERMISSION
    assert error["copied"] == 0
    done = pawsctl(*words, "--to", user("~*", "+@all"), "--dry-run")
    assert (done.status, done.json["copied"]) == (ExitStatus.OK, 1)
    assert not server.client.keys("wh:*")


def test_a_dry_run_into_a_full_redis_fails_as_the_import_would(
    pawsctl: Pawsctl, server: Server, redis_server: Server, archive: str
) -> None:
    """It takes no writes at all; a dry run of a copy says so, too."""
    redis_server.empty()
    store_session(redis_server, "+1", VALUE)
    server.client.config_set("maxmemory", "1kb")
    server.client.config_set("maxmemory-policy", "noeviction")
    try:
        for words in (
            ("import", archive, "--url", server.url),
            ("import", archive, "--replace", "--url", server.url),
            ("copy", "--all", "--to", server.url, "--url", redis_server.url),
        ):
            told = pawsctl("session", *words, "--dry-run", "--json")
            assert told.status == ExitStatus.FAILED, words
            assert "OOM" in told.error["message"]
            assert "none was written" in told.error["message"]
            assert pawsctl("session", *words, "--json").status == ExitStatus.FAILED
    finally:
        server.client.config_set("maxmemory", "0")


def test_a_dry_run_that_fails_half_way_has_imported_nothing(
    pawsctl: Pawsctl, server: Server, user: NewUser, tmp_path: Path
) -> None:
    """The first batch would be taken."""
    lines = [archives.entry(f"+1{number}", "new") for number in range(600)]
    path = archives.write(tmp_path / "many.jsonl", [*lines, archives.entry("+2", "new")])
    words = ("session", "import", str(path), "--dry-run", "--json")
    told = pawsctl(*words, "--url", user("%R~*", "~wh:session:+1*", "+@all"))
    error: dict[str, Any] = told.error
    assert "500 of 601 sessions were gone through, and none was written." in error["message"]
    assert error["imported"] == 0
    assert "again" not in error["hint"]
    assert not server.client.keys("*")


def test_a_dry_run_says_if_it_is_not_known_whether_redis_would_write(
    pawsctl: Pawsctl, server: Server, user: NewUser, archive: str
) -> None:
    """The user may use no transactions; where only reads are sent, nothing is said."""
    url = user("%R~*", "~wh:session:+1", "+@all", "-@transaction")
    words = ("session", "import", archive, "--dry-run")
    told = pawsctl(*words, "--url", url)
    assert told.status == ExitStatus.OK, told.err
    assert told.err.count("Whether Redis would take these sessions is not known") == 1
    for more in (("--url", url, "--read-only"), ()):
        silent = pawsctl(*words, *more)
        assert (silent.status, "not known" in silent.err) == (ExitStatus.OK, False)
    assert not server.client.keys("*")


def test_a_dry_run_of_a_read_only_user_tries_nothing(
    pawsctl: Pawsctl, server: Server, archive: str
) -> None:
    """A connection that only reads sends no transaction either."""
    words = ("session", "import", archive, "--dry-run", "--json", "--read-only")
    done = pawsctl(*words, "--url", server.url)
    assert (done.status, done.json["imported"]) == (ExitStatus.OK, 2)


def test_a_dry_run_goes_on_behind_a_proxy_that_knows_no_transactions(
    bare_pawsctl: Pawsctl, archive: str
) -> None:
    """It hangs up at what it does not know."""

    def tell(command: list[bytes]) -> lying.Answer:
        return None if command[0] == b"MULTI" else lying.honest(command)

    with lying.answering(tell) as url:
        words = ("session", "import", archive, "--replace", "--dry-run", "--json", "--url", url)
        done = bare_pawsctl(*words)
    assert (done.status, done.json["imported"]) == (ExitStatus.OK, 2), done.err


@pytest.mark.parametrize(
    ("rights", "told"),
    [
        (("%R~*", "+@all"), "refuses to change 2 of 2 sessions: NOPERM"),
        (("%R~*", "~wh:session:+1", "+@all"), "refuses to change 1 of 2 sessions: NOPERM"),
        (("~*", "+@all", "-set"), "refuses to change 2 of 2 sessions: NOPERM"),
        (("~*", "+@all", "-@transaction"), "refuses transactions"),
        (("~*", "+@all"), ""),
    ],
)
def test_a_dry_run_of_a_repair_says_what_redis_would_refuse(
    pawsctl: Pawsctl, server: Server, user: NewUser, rights: tuple[str, ...], told: str
) -> None:
    """The differences are shown all the same."""
    for phone in ("+1", "+2"):
        server.client.set(f"wh:session:{phone}", KILLED, ex=600)
    done = pawsctl("session", "repair", "--all", "--dry-run", "--url", user(*rights))
    assert done.status == ExitStatus.OK
    assert "warning" in done.err if told else "warning" not in done.err
    assert told in done.err.replace("\n", " ")
    assert server.client.get("wh:session:+1") == KILLED


def test_a_repair_names_the_sessions_that_it_may_not_change(
    pawsctl: Pawsctl, server: Server, user: NewUser
) -> None:
    """The others are repaired, in whatever order they come."""
    for phones in (("+1", "+2"), ("+2", "+1")):
        for phone in phones:
            server.client.set(f"wh:session:{phone}", KILLED, ex=600)
        url = user("%R~*", "~wh:session:+1", "+@all")
        failed = pawsctl("session", "repair", *phones, "--yes", "--json", "--url", url)
        assert failed.status == ExitStatus.FAILED
        assert failed.error["message"] == (
            "This user may not change +2. Before that, 1 session was repaired."
        )
        assert server.client.get("wh:session:+1") != KILLED


def test_a_user_without_set_is_not_sent_for_transactions(
    pawsctl: Pawsctl, server: Server, user: NewUser
) -> None:
    """It may run WATCH, MULTI, DISCARD and EXEC."""
    server.client.set("wh:session:+1", KILLED, ex=600)
    url = user("~*", "+@all", "-set")
    failed = pawsctl("session", "repair", "+1", "--yes", "--json", "--url", url)
    assert failed.status == ExitStatus.FAILED
    assert "'set' command" in failed.error["message"]
    assert "+watch" not in failed.error["hint"]
    assert "permission" in failed.error["hint"]


def test_keys_that_this_user_may_not_read_are_named(
    pawsctl: Pawsctl, server: Server, user: NewUser
) -> None:
    """By each command that reads sessions by their phones, at most five; nothing is changed."""
    phones = [f"+{number}" for number in range(1, 9)]
    for phone in phones:
        store_session(server, phone, KILLED)
    url = user("~wh:session:+1", "+@all")
    for command in ("get", "ttl", "repair", "delete", f"copy --to {server.url}/1"):
        name, *options = command.split()
        for some, named in ((phones[:3], "+2, +3"), (phones, "+2, +3, +4, +5, +6 …")):
            failed = pawsctl("session", name, *some, *options, "--json", "--url", url)
            assert failed.status == ExitStatus.FAILED, command
            assert failed.error["message"].startswith(f"This user may not read {named}."), command
            assert ASK_FOR_PERMISSION in failed.error["hint"]
    raw = {"SESSION_PREFIX": "wh:session:", "SESSION_FORMAT": "raw"}
    words = ("session", "delete", *phones[:3], "--no-backup", "--json", "--url", url)
    failed = pawsctl(*words, env=raw)
    assert failed.error["message"].startswith("This user may not read +2, +3.")
    assert server.client.dbsize() == len(phones)
    assert server.client.get("wh:session:+1") == KILLED


def test_sessions_that_this_user_may_not_write_are_named(
    pawsctl: Pawsctl, server: Server, redis_server: Server, user: NewUser, tmp_path: Path
) -> None:
    """By an import and a copy, at most five; the others of their batch are written."""
    redis_server.empty()
    phones = [f"+{number}" for number in range(1, 9)]
    archive = archives.write(
        tmp_path / "a.jsonl", [archives.entry(phone, "new") for phone in phones]
    )
    for phone in phones:
        store_session(redis_server, phone, VALUE)
    url = user("~wh:session:+1", "+@all")
    for words in (
        ("import", str(archive), "--url", url),
        ("copy", *phones, "--url", redis_server.url, "--to", url),
    ):
        failed = pawsctl("session", *words, "--json")
        assert failed.status == ExitStatus.FAILED
        message = failed.error["message"]
        assert message.startswith("This user may not write +2, +3, +4, +5, +6 …. Before that, 1 ")
        assert ASK_FOR_PERMISSION in failed.error["hint"]
        assert server.client.keys("wh:*") == [b"wh:session:+1"]
        server.client.flushall()
