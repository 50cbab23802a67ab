"""Sessions of any application: string values of which pawsctl knows the TTL alone."""

import re
from typing import Any

import pytest

from pawsctl.cli.session.group import SessionGroup
from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server
from tests.shells import in_time

JSON = b'{"cookie":{"maxAge":86400000},"big":123456789012345678901234567890,"lone":"\\ud83d"}'
BINARY = b"\x80\x05\x95\x10\x00\x00\x00"


@pytest.fixture
def raw(anywhere: Pawsctl, any_server: Server) -> Pawsctl:
    """pawsctl for a store of JSON, text and bytes, beside other types and prefixes."""
    client = any_server.client
    client.set("sess:abc", JSON, ex=3_000)
    client.set("sess:a b", "two\nlines", ex=3_000)
    client.set("sess:bin", BINARY, ex=3_000)
    client.hset("sess:hash", "field", "1")
    client.sadd("sess:index", "abc")
    client.expire("sess:index", 2_000)
    client.set("other:1", "theirs")
    anywhere.environment |= {"SESSION_PREFIX": "sess:", "SESSION_FORMAT": "raw"}
    return anywhere


def others(server: Server) -> tuple[Any, ...]:
    """Return what no command may change."""
    client = server.client
    return client.hgetall("sess:hash"), client.smembers("sess:index"), client.get("other:1")


def test_values_are_shown_as_what_they_are(raw: Pawsctl) -> None:
    """JSON as stored, text as a string, bytes in hexadecimal; other types with type and TTL."""
    listed = {each["phone"]: each for each in raw("session", "list", "--json").json}
    assert {name: each["type"] for name, each in listed.items()} == {
        "abc": "string", "a b": "string", "bin": "string", "hash": "hash", "index": "set",
    }  # fmt: skip
    assert (listed["hash"]["ttl"], listed["hash"]["bytes"]) == (-1, None)
    assert 0 < listed["index"]["ttl"] <= 2_000
    assert "holds a set" in listed["index"]["problem"]
    assert (listed["bin"]["bytes"], listed["bin"]["problem"]) == (len(BINARY), None)
    found = raw("session", "get", "abc", "sess:a b", "bin", "hash", "--json")
    assert b'"session":' + JSON in found.out
    assert [(each.get("encoding"), each["session"]) for each in found.json[1:]] == [
        ("text", "two\nlines"), ("hex", BINARY.hex()), (None, None),
    ]  # fmt: skip
    assert raw("session", "get", "bin", "--raw").out == BINARY
    text = raw("session", "get", "abc", "bin").text
    assert '  "big": 123456789012345678901234567890' in text
    assert "80 05 95 10 00 00 00" in text
    columns = ("--columns", "phone,type,bytes,value", "--match", "b*")
    assert raw("session", "list", "-o", "csv", *columns).text.splitlines() == [
        "phone,type,bytes,value", f"bin,string,7,{BINARY.hex()}",
    ]  # fmt: skip


def test_a_list_of_problems_tells_what_is_wrong(raw: Pawsctl, any_server: Server) -> None:
    """In place of the value; and that nobody has said how long the sessions live."""
    any_server.client.persist("sess:abc")
    told = raw("session", "list", "--problem")
    assert re.search(r"SIZE +PROBLEM\nabc .* no-ttl: the session never expires$", told.text, re.M)
    assert "SESSION_TTL is not set: 6 h is how long the bot's live." in told.err
    chosen = raw("session", "list", "--problem", "--columns", "phone,value").text
    assert chosen.startswith("ID   VALUE\n")


def test_other_types_are_left_out_and_told(raw: Pawsctl, any_server: Server) -> None:
    """By statistics, expiry, lint, export, touch, delete and flush."""
    before = others(any_server)
    figures = raw("session", "stats", "--json").json
    assert (figures["sessions"], figures["problems"], figures["statuses"]) == (3, 0, [])
    assert len([each for each in figures["left_out"] if "under sess:" in each]) == 2
    expiry = raw("session", "ttl", "--check", "--json")
    assert (expiry.status, expiry.json["sessions"]) == (ExitStatus.OK, 3)
    assert "1 key of type hash under sess:" in expiry.err
    linted = raw("session", "lint", "--json")
    assert linted.status == ExitStatus.OK
    assert (linted.json["checked"], linted.json["findings"]) == (3, [])
    assert "1 key of type hash under sess:" in linted.err
    assert raw("session", "list", "--problem", "--json").json == []
    unknown = raw("session", "lint", "--rule", "type")
    assert (unknown.status, "Rules: no-ttl, long-ttl." in unknown.err) == (ExitStatus.USAGE, True)
    any_server.client.persist("sess:abc")
    assert raw("session", "stats", "--json").json["problems"] == 1
    assert raw("session", "lint", "--json").json["broken"] == 1
    assert [each["phone"] for each in raw("session", "list", "--problem", "--json").json] == ["abc"]
    any_server.client.expire("sess:abc", 1_000)
    for command in (("touch", "abc"), ("delete", "abc"), ("erase", "--yes")):
        refused = raw("session", *command, "hash", "--json")
        assert refused.status == ExitStatus.FAILED
        assert "sess:hash holds a hash" in refused.error["message"]
    erasure = raw("session", "erase", "abc").err
    assert "the session of abc" in erasure
    assert "picture" not in erasure
    assert raw("session", "touch", "abc", "--json").json["ttl"] == 21_600
    archive = str(raw.folder / "a.jsonl.gz")
    done = raw("session", "export", archive, "--json")
    assert (done.json["sessions"], done.json["left_out"]) == (3, {"hash": 1, "set": 1})
    (warning,) = done.err.splitlines()
    assert {"1 key of type hash", "1 key of type set"} <= set(re.split(", |: | under ", warning))
    assert raw("session", "verify", archive, "--json").json["sessions"] == 3
    elsewhere = ("--to", f"{any_server.url}/1", "--json")
    copied = raw("session", "copy", "--all", *elsewhere).json
    assert (copied["copied"], copied["others"]) == (3, {"hash": 1, "set": 1})
    masked = raw("session", "copy", "--all", "--mask", *elsewhere)
    assert (masked.status, "SESSION_FORMAT is raw" in masked.err) == (ExitStatus.USAGE, True)
    plan = raw("session", "flush", "--dry-run", "--json").json
    assert (plan["sessions"], plan["others"], plan["left_out"]) == (3, {}, {"hash": 1, "set": 1})
    assert (
        raw("session", "flush", "--expiring-within", "1h", "--yes", "--json").json["deleted"] == 2
    )
    flushed = raw("session", "flush", "--yes", "--json").json
    assert (flushed["deleted"], flushed["left_out"]) == (1, {"hash": 1, "set": 1})
    any_server.client.rpush("sess:bin", "theirs now")
    imported = raw("session", "import", archive, "--replace", "--json")
    assert (imported.status, imported.json["imported"]) == (ExitStatus.FAILED, 2)
    assert "sess:bin holds a list here" in imported.json["reasons"][0]["reason"]
    assert any_server.client.get("sess:abc") == JSON
    assert others(any_server) == before


def test_what_is_about_conversations_is_refused(pawsctl: Pawsctl, server: Server) -> None:
    """In a sentence, before anything is looked at; an archive of the other format too."""
    server.client.set("wh:session:x", "1", ex=100)
    pawsctl("session", "export", "bot.jsonl")
    pawsctl.environment["SESSION_FORMAT"] = "raw"
    for command in (
        ("test-session",), ("session", "seed", "3"), ("session", "list", "--grep", "x"),
        ("session", "flush", "--idle", "1h", "--yes"), ("session", "get", "x", "--last", "1"),
        ("session", "list", "--sort", "messages"), ("session", "watch", "x", "--last", "1"),
            ("session", "repair", "--all", "--yes"), ("session", "edit", "x"),
    ):  # fmt: skip
        refused = pawsctl(*command, "--json")
        assert refused.status == ExitStatus.USAGE, command
        assert "SESSION_FORMAT is raw" in refused.error["message"], command
    refused = pawsctl("session", "import", "bot.jsonl")
    assert refused.status == ExitStatus.USAGE
    assert "set SESSION_FORMAT=bot." in refused.err
    both = pawsctl("session", "import", "bot.jsonl", env={"SESSION_PREFIX": "sess:"})
    assert "set SESSION_FORMAT=bot SESSION_PREFIX=wh:session:." in both.err
    assert pawsctl("session", "get", "").status == ExitStatus.USAGE
    assert pawsctl("session", "list", env={"SESSION_FORMAT": "xml"}).status == ExitStatus.USAGE
    assert server.client.keys() == [b"wh:session:x"]


def test_many_sessions_are_flushed_and_keys_of_other_types_stay(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """In more passes and batches than one, with and without a backup."""
    anywhere.environment |= {"SESSION_PREFIX": "sess:", "SESSION_FORMAT": "raw"}
    any_server.client.hset("sess:hash", "field", "1")
    for options in (("--no-backup",), ()):
        any_server.client.mset({f"sess:{number}": "1" for number in range(5_000)})
        flushed = anywhere("session", "flush", "--yes", "--json", *options)
        assert flushed.status == ExitStatus.OK, flushed.err
        assert (flushed.json["deleted"], flushed.json["left_out"]) == (5_000, {"hash": 1})
        assert any_server.client.keys() == [b"sess:hash"]


def test_every_session_command_works_or_is_refused() -> None:
    """A new one is in one of the two lists."""
    works = {"list", "get", "ttl", "stats", "lint", "watch", "touch", "delete", "flush"}
    works |= {"export", "import", "verify", "copy", "erase"}
    refused = {"seed", "repair", "edit"}
    assert set(SessionGroup.sources) == works | refused


def test_ids_complete_and_are_followed(pawsctl: Pawsctl, server: Server) -> None:
    """Ids that a shell could run are left out; a watch sees strings alone."""
    server.client.mset({"sess:abc-1": "1", "sess:$(id)": "1"})
    pawsctl.environment |= {"SESSION_PREFIX": "sess:", "SESSION_FORMAT": "raw"}
    env = {
        "_PAWSCTL_COMPLETE": "complete_bash",
        "COMP_WORDS": "pawsctl session get ", "COMP_CWORD": "3",
    }  # fmt: skip
    assert in_time(lambda: pawsctl(env=env).text, "abc-1\n") == "abc-1\n"
    watching = pawsctl.start("session", "watch", "--interval", "100ms", "-o", "jsonl")
    assert watching.stderr is not None
    assert watching.stdout is not None
    first = watching.stderr.readline()
    assert b"Watching 2 sessions" in first
    server.client.rpush("sess:list", "1")
    server.client.set("sess:new", BINARY, ex=100)
    line = watching.stdout.readline()
    watching.terminate()
    watching.communicate()
    assert b'"event":"appeared","phone":"new"' in line
    assert BINARY.hex().encode() in line


def test_sessions_that_need_not_expire_are_sound_without_a_ttl(
    raw: Pawsctl, any_server: Server
) -> None:
    """With SESSION_TTL=never, which is no setting for the bot's; touch would give them one."""
    any_server.client.persist("sess:abc")
    assert raw("session", "lint").status == ExitStatus.FAILED
    bots = {"SESSION_TTL": "never", "SESSION_FORMAT": "bot"}
    refused = raw("session", "list", env=bots)
    assert refused.status == ExitStatus.USAGE
    assert "the bot's sessions expire" in refused.err
    raw.environment["SESSION_TTL"] = "never"
    listed = {each["phone"]: each for each in raw("session", "list", "--json").json}
    assert (listed["abc"]["ttl"], listed["abc"]["problem"]) == (-1, None)
    assert raw("session", "lint").status == ExitStatus.OK
    assert raw("session", "ttl", "--check").status == ExitStatus.OK
    expiry = raw("session", "ttl", "--json").json
    assert (expiry["never"], expiry["ttl"], expiry["over_ttl"]) == (1, 0, 0)
    stats = raw("session", "stats", "--json").json
    assert (stats["problems"], stats["memory"]["per_hour"]) == (0, None)
    text = raw("session", "stats").text
    assert "\n  1 session that never expires\n" in text
    assert "an hour" not in text
    touched = raw("session", "touch", "abc")
    assert touched.status == ExitStatus.USAGE
    assert "SESSION_TTL is never" in touched.err
    assert any_server.client.ttl("sess:abc") == -1


def test_the_bots_six_hours_end_no_session_of_another_application(
    raw: Pawsctl, any_server: Server
) -> None:
    """Where nobody has set a TTL, what is longer may be right; lint and ttl say so."""
    any_server.client.expire("sess:abc", 90_000)
    refused = raw("session", "touch", "abc", "a b")
    assert refused.status == ExitStatus.USAGE
    assert "SESSION_TTL is not set" in refused.err
    assert any_server.client.ttl("sess:abc") > 80_000
    for command in (("lint",), ("ttl", "--check")):
        told = raw("session", *command)
        assert told.status == ExitStatus.FAILED
        assert "SESSION_TTL is not set: 6 h is how long the bot's live." in told.err
    assert "not set" not in raw("session", "lint", env={"SESSION_TTL": "1h"}).err
    touched = raw("session", "touch", "abc", "--json", env={"SESSION_TTL": "6h"})
    assert touched.json["ttl"] == 21_600


def test_keys_in_another_database_are_not_all_called_sessions(
    raw: Pawsctl, any_server: Server
) -> None:
    """They are counted by their names alone, and may be of other types."""
    missing = raw("session", "list", "--url", f"{any_server.url}/1")
    assert "Database 0 holds 5 keys under sess: (-n 0)." in missing.err


def test_values_that_are_no_conversations_lead_to_the_other_format(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """If all under a prefix that was set are so; under the bot's own, they are broken."""
    any_server.client.mset({"sess:1": JSON, "sess:2": BINARY})
    sentence = "If these are another application's sessions, set SESSION_FORMAT=raw."
    env = {"SESSION_PREFIX": "sess:"}
    looks = ("lint", "list", "list --problem", "list --columns problem", "get 1 2", "repair 1 2")
    for words in looks:
        told = anywhere("session", *words.split(), env=env)
        assert told.err.count(sentence) == 1, words
    for words in ("list --columns phone,ttl", "list --json", "list -o csv", "get 1 --raw"):
        assert sentence not in anywhere("session", *words.split(), env=env).err, words
    any_server.client.set("sess:3", '{"status":"active","messages":[],"updatedAt":1}', ex=60)
    any_server.client.set("wh:session:1", JSON)
    for words in ("lint", "list", "get 1 2 3"):
        assert sentence not in anywhere("session", *words.split(), env=env).err, words
        assert sentence not in anywhere("session", *words.split()).err, words


def test_sessions_are_named_by_their_ids(raw: Pawsctl) -> None:
    """Nor are the columns that only conversations have shown of what was kept of them."""
    for words in ("delete abc", "backup show --latest", "erase bin --yes", "get abc bin --raw"):
        name, *options = words.split()
        told = raw(*([name] if name == "backup" else ["session", name]), *options)
        assert "phone" not in f"{told.text}{told.err}".lower(), words
        assert "MESSAGES" not in told.text
    assert "No id on stdin." in raw("session", "get", "-").err


def test_an_id_that_is_no_phone_leads_to_the_other_format(anywhere: Pawsctl) -> None:
    """If a prefix was set; nobody else has ids that are no phones."""
    sentence = "If it is another application's id, set SESSION_FORMAT=raw."
    for words in ("get abc", "delete 3f2a11"):
        told = anywhere("session", *words.split(), env={"SESSION_PREFIX": "sess:"})
        assert told.status == ExitStatus.USAGE
        assert sentence in told.err
        assert sentence not in anywhere("session", *words.split()).err
