"""`pawsctl session copy` from one Redis to another, as its users run it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.sessions.contract import keys
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.servers import Server, running, store_session

GREETING = (SAMPLES / "greeting.json").read_bytes()
WAITING = (SAMPLES / "waiting.json").read_bytes()


@pytest.fixture(scope="module")
def other_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A second server, to which sessions are copied."""
    with running(tmp_path_factory.mktemp("other")) as server:
        yield server


@pytest.fixture
def other(other_server: Server) -> Server:
    """The second server, empty."""
    other_server.client.flushall()
    return other_server


def _profiles(folder: Path, text: str) -> None:
    """Write profiles into the project, where a URL of this machine may stand."""
    (folder / "pawsctl.toml").write_text(text)


def _values(server: Server) -> dict[bytes, object]:
    return {key: server.client.get(key) for key in server.client.scan_iter()}


def test_sessions_are_copied_as_they_are(
    anywhere: Pawsctl, any_server: Server, other: Server
) -> None:
    """Bytes and the moment of expiry; what is there stays, and the source is only read."""
    odd = b'{ "n": 1.0, "n": 12345678901234567890 }\xff'
    any_server.client.set("wh:session:+1", GREETING, px=9_876_543)
    any_server.client.set("wh:session:+2", odd)
    any_server.client.hset("wh:session:+3", mapping={"a": "b"})
    any_server.client.set("wh:session:\udcff".encode("utf-8", "surrogateescape"), b"", ex=60)
    other.client.set("wh:session:+2", "there")
    any_server.client.config_resetstat()
    dry = anywhere("session", "copy", "--all", "--to", other.url, "--dry-run", "--json")
    assert (dry.json["copied"], dry.json["kept"], dry.json["dry_run"]) == (2, 1, True)
    assert len(_values(other)) == 1
    place = other.url.removeprefix("redis://")
    done = anywhere("session", "copy", "--all", "--to", place, "--json")
    assert done.status == ExitStatus.OK, done.err
    assert done.json == dry.json | {"dry_run": False}
    (change,) = anywhere("audit", "list", "--json").json
    assert (change["command"], change["counts"]) == ("session copy", {"copied": 2})
    assert change["url"] == other.url
    assert done.json["others"] == {"hash": 1}
    assert _values(other) == {
        b"wh:session:+1": GREETING,
        b"wh:session:+2": b"there",
        b"wh:session:\xff": b"",
    }
    ends = [
        each.client.execute_command("PEXPIRETIME wh:session:+1") for each in (any_server, other)
    ]
    assert abs(ends[0] - ends[1]) < 500
    sent = any_server.client.info("commandstats")
    assert not any(name in sent for name in ("cmdstat_set", "cmdstat_del", "cmdstat_unlink"))


def test_what_to_copy_is_said_in_one_way(pawsctl: Pawsctl, server: Server, other: Server) -> None:
    """By phones, filters or --all; a phone without a session is an error, the rest is copied."""
    store_session(server, "+1", GREETING)
    store_session(server, "+2", WAITING)
    for words in ([], ["+1", "--all"], ["+1", "--waiting"], ["--all", "--match", "+*"]):
        assert pawsctl("session", "copy", *words, "--to", other.url).status == ExitStatus.USAGE
    assert pawsctl("session", "copy", "--all", "--to", server.url).status == ExitStatus.USAGE
    elsewhere = server.url.replace("127.0.0.1", "localhost")
    same = pawsctl("session", "copy", "--all", "--to", elsewhere, "--mask")
    assert (same.status, "are the same Redis" in same.err) == (ExitStatus.USAGE, True)
    assert server.client.dbsize() == 2
    nowhere = pawsctl("session", "copy", "--all", "--to", "127.0.0.1:1")
    assert (nowhere.status, "→ Look at --to." in nowhere.err) == (ExitStatus.UNREACHABLE, True)
    waiting = pawsctl("session", "copy", "--waiting", "--to", other.url, "--ttl", "1h")
    assert waiting.text.startswith("Copied 1 session from ")
    assert 3_500 < other.client.ttl("wh:session:+2") <= 3_600
    named = pawsctl("session", "copy", "+3", "+1", "--to", other.url)
    assert named.status == ExitStatus.NO_SESSION
    assert set(_values(other)) == {b"wh:session:+1", b"wh:session:+2"}


def test_a_password_for_the_source_is_not_sent_to_the_target(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """The password of this project's own Redis is sent, on this machine."""
    server.client.execute_command("ACL SETUSER app on >pw ~* +@all")
    server.client.set("wh:session:+1", GREETING, ex=60)
    with running(tmp_path, password="local") as own:
        pawsctl.environment |= {"REDIS_URL": server.url.replace("://", "://app@")}
        words = ("session", "copy", "+1", "--to", own.url)
        refused = pawsctl(*words, env={"REDISCLI_AUTH": "pw"})
        done = pawsctl(*words, env={"REDISCLI_AUTH": "pw", "REDIS_PASSWORD": "local"})
        stored = own.client.get("wh:session:+1")
    server.client.acl_deluser("app")
    assert refused.status == ExitStatus.UNREACHABLE
    assert "asks for a password" in refused.err
    # No other source gives it one: REDISCLI_AUTH is of the source.
    assert "Check the user and password in the URL of --to" in refused.err
    assert "REDISCLI_AUTH" not in refused.err
    assert (done.status, stored) == (ExitStatus.OK, GREETING), done.err


def test_what_is_wrong_with_the_target_is_mended_in_its_url(
    pawsctl: Pawsctl, server: Server
) -> None:
    """`-n` is about the source."""
    failed = pawsctl("session", "copy", "--all", "--to", f"{server.url}/4711", "--json")
    assert failed.status == ExitStatus.FAILED
    assert failed.error["message"].endswith("has no database 4711.")
    assert failed.error["hint"].startswith("Give the URL of --to a number")
    assert "-n" not in failed.error["hint"]
    own = pawsctl("session", "list", "-n", "4711", "--json")
    assert own.error["hint"].startswith("Give -n, or the URL, a number")


def test_a_target_that_evicts_is_no_success(
    pawsctl: Pawsctl, server: Server, other: Server
) -> None:
    """It accepts every session, and drops others."""
    value = b'{"status":"active","messages":[],"updatedAt":1,"x":"%s"}' % (b"x" * 20_000)
    server.client.mset({f"wh:session:+{number}": value for number in range(400)})
    try:
        for _ in range(5):
            other.client.config_set("maxmemory", 0)
            other.client.flushall()
            used = other.client.info("memory")["used_memory"]
            other.client.config_set("maxmemory", used + 4_000_000)
            other.client.config_set("maxmemory-policy", "allkeys-lru")
            done = pawsctl("session", "copy", "--all", "--to", other.url, "--json")
            # Now and then the server itself refuses when it begins to evict.
            if "OOM" not in done.err:
                break
        assert done.status == ExitStatus.FAILED, done.err
        assert "sessions may be missing" in done.err
        # It is not the source that needs more.
        assert f"('pawsctl --url {other.url} redis maxmemory')" in done.error["hint"]
        assert done.json["copied"] == 400
        assert done.json["evicted"] == 400 - other.client.dbsize() > 0
    finally:
        other.client.config_set("maxmemory", 0)
        other.client.config_set("maxmemory-policy", "noeviction")


def test_a_copy_of_nothing_names_the_wider_glob(
    pawsctl: Pawsctl, server: Server, other: Server
) -> None:
    """A list and a flush name it, too."""
    store_session(server, "+59899000004", GREETING)
    done = pawsctl("session", "copy", "--match", "59899", "--to", other.url)
    assert (done.status, done.err) == (ExitStatus.OK, "'*59899*' matches 1.\n")
    assert _values(other) == {}


def test_what_leaves_production_is_masked(
    pawsctl: Pawsctl, server: Server, other: Server, tmp_path: Path
) -> None:
    """Unless the user says otherwise; pseudonyms are the same each time, and read-only is kept."""
    store_session(server, "+59899123456", GREETING)
    _profiles(
        tmp_path,
        f'[profiles.prod]\nurl = "{server.url}"\nproduction = true\nread_only = true\n'
        f'[profiles.dev]\nurl = "{other.url}"\nprefix = "dev:session:"\n',
    )
    # The project's file alone names dev's prefix.
    copy = ("--profile", "prod", "session", "copy", "--all")
    to_dev = (*copy, "--to", "dev", "--confirm", "127.0.0.1")
    first = pawsctl(*to_dev, "--json")
    assert first.status == ExitStatus.OK, first.err
    assert first.json["masked"] is True
    named = server.url.replace("127.0.0.1", "localhost")
    by_url = ("--url", named, "session", "copy", "--all", "--to", f"{other.url}/1", "--dry-run")
    assert pawsctl(*by_url, "--json").json["masked"] is True
    assert pawsctl(*by_url, "--no-mask", "--json").json["masked"] is False
    ((key, value),) = _values(other).items()
    assert key.startswith(b"dev:session:+0")
    assert isinstance(value, bytes)
    said = json.loads(value)
    assert [each["role"] for each in said["messages"]] == ["user", "assistant"]
    assert set(said["messages"][0]["content"]) == {"█"}
    again = pawsctl(*to_dev, "--json")
    assert (again.json["copied"], again.json["kept"]) == (0, 1)
    plain = pawsctl(*to_dev, "--no-mask")
    assert plain.status == ExitStatus.OK, plain.err
    assert other.client.get("dev:session:+59899123456") == GREETING
    masked = pawsctl("session", "copy", "+59899123456", "--to", other.url, "--mask", "--json")
    assert masked.json["masked"] is True


def test_production_is_written_through_its_guard_alone(
    pawsctl: Pawsctl, server: Server, other: Server, tmp_path: Path
) -> None:
    """And never with masked conversations; a target that is read-only is not written."""
    store_session(server, "+1", GREETING)
    _profiles(
        tmp_path,
        f'[profiles.prod]\nurl = "{other.url}"\nproduction = true\n'
        f'[profiles.kept]\nurl = "{other.url}"\nread_only = true\n',
    )
    for words in (["prod"], ["prod", "--mask", "--confirm", "127.0.0.1"], ["kept"]):
        refused = pawsctl("session", "copy", "--all", "--to", *words)
        assert refused.status == ExitStatus.NOT_CONFIRMED, words
        assert _values(other) == {}
    assert pawsctl("session", "copy", "--all", "--to", "none").status == ExitStatus.USAGE
    assert pawsctl("session", "copy", "--all", "--to", "kept", "--dry-run").status == ExitStatus.OK
    done = pawsctl("session", "copy", "--all", "--to", "prod", "--confirm", "127.0.0.1")
    assert done.status == ExitStatus.OK
    assert _values(other) == {b"wh:session:+1": GREETING}


def _masked(pawsctl: Pawsctl, server: Server, other: Server) -> bytes:
    """Leave one masked session, and nothing else, in `server`; return its key."""
    store_session(server, "+59899123456", GREETING)
    done = pawsctl("session", "copy", "--all", "--to", other.url, "--mask")
    assert done.status == ExitStatus.OK, done.err
    ((key, value),) = _values(other).items()
    assert isinstance(value, bytes)
    server.client.flushall()
    other.client.flushall()
    server.client.set(key, value, ex=3600)
    return key


WARNING = "warning: The source holds masked sessions: their phones and texts are nobody's."


def test_sessions_that_are_masked_already_are_not_copied_into_production(
    pawsctl: Pawsctl, server: Server, other: Server, tmp_path: Path
) -> None:
    """Nothing of their batch is; --no-mask insists. Elsewhere there is a warning."""
    key = _masked(pawsctl, server, other)
    store_session(server, "+1", GREETING)
    _profiles(tmp_path, f'[profiles.prod]\nurl = "{other.url}"\nproduction = true\n')
    to_prod = ("session", "copy", "--all", "--to", "prod", "--confirm", "127.0.0.1")
    by_url = ("session", "copy", "--all", "--to", f"{other.url}/1", "--confirm", "127.0.0.1")
    for words, env in (
        (to_prod, {}),
        ((*to_prod, "--dry-run"), {}),
        (by_url, {"NODE_ENV": "production"}),
    ):
        refused = pawsctl(*words, "--json", env=env)
        assert refused.status == ExitStatus.NOT_CONFIRMED, words
        message = refused.error["message"]
        assert message.startswith("Masked conversations don't belong into production: ")
        is_dry = "--dry-run" in words
        done = "gone through, and none was written." if is_dry else "copied."
        assert message.endswith(f"Before that, 0 sessions were {done}")
        assert ("Run it again" in refused.error["hint"]) != is_dry
        assert refused.error["hint"].startswith("--no-mask copies them as they are.")
        assert other.client.info("keyspace") == {}
    alone = pawsctl("session", "copy", "+1", "--to", "prod", "--confirm", "127.0.0.1")
    assert (alone.status, "masked" in alone.err) == (ExitStatus.OK, False)
    meant = pawsctl(*to_prod, "--no-mask")
    assert meant.status == ExitStatus.OK, meant.err
    assert WARNING in meant.err
    assert set(_values(other)) == {key, b"wh:session:+1"}
    (tmp_path / "pawsctl.toml").unlink()
    elsewhere = pawsctl("session", "copy", "--all", "--to", f"{other.url}/2")
    assert elsewhere.status == ExitStatus.OK, elsewhere.err
    assert WARNING in elsewhere.err


def test_a_session_of_the_smoke_test_is_copied(
    pawsctl: Pawsctl, server: Server, other: Server
) -> None:
    """Its phone is nobody's, as a pseudonym is, and what was said is no secret."""
    store_session(server, keys.nobodys_phone(), GREETING)
    to_prod = ("session", "copy", "--all", "--to", other.url, "--confirm", "127.0.0.1")
    done = pawsctl(*to_prod, env={"NODE_ENV": "production"})
    assert (done.status, "masked" in done.err) == (ExitStatus.OK, False)
    assert len(_values(other)) == 1
    server.client.flushall()


def test_how_far_a_copy_got_before_a_masked_session_is_told(
    pawsctl: Pawsctl, server: Server, other: Server
) -> None:
    """Batches before are copied."""
    masked = _masked(pawsctl, server, other)
    server.client.mset({f"wh:session:+{number}": GREETING for number in range(5_000)})
    phones = b"\n".join([*(b"+%d" % number for number in range(5_000)), masked])
    to_prod = ("session", "copy", "-", "--to", other.url, "--confirm", "127.0.0.1")
    done = pawsctl(*to_prod, "--json", env={"NODE_ENV": "production"}, stdin=phones)
    assert done.status == ExitStatus.NOT_CONFIRMED
    copied = other.client.dbsize()
    assert 0 < copied <= 5_000
    assert f"Before that, {copied} sessions were copied." in done.error["message"]
    assert not other.client.exists(masked)
    server.client.flushall()
