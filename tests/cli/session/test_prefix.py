"""Sessions of any prefix and TTL: every command keeps to its own keys."""

import json
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.safety.guarded import GUARDED
from tests.cli_runner import Pawsctl
from tests.conftest import GOOD
from tests.servers import Server
from tests.shells import in_time
from tests.terminal import screen

OTHERS = {
    "wh:session:+1": "theirs",
    "wh:seen:1": "1",
    "session:+1": "theirs",
    "{sesión-ñ🐶}:y:+1": "theirs",
}


def test_every_command_keeps_to_the_prefix(
    anywhere: Pawsctl, any_server: Server, tmp_path: Path
) -> None:
    """Hash tags and letters of several bytes included; no other key is read, changed or deleted."""
    prefix = "{sesión-ñ🐶}:x:"
    client, value = any_server.client, GOOD[0].read_bytes()
    anywhere.environment |= {"SESSION_PREFIX": prefix, "SESSION_TTL": "1d"}
    for key, text in OTHERS.items():
        client.set(key, text)
    for phone in ("+1", "+2"):
        client.set(f"{prefix}{phone}", value, ex=50_000)
    listed = anywhere("session", "list", "--sort", "phone", "--json").json
    assert [(each["phone"], each["key"], each["problem"]) for each in listed] == [
        (phone, f"{prefix}{phone}", None) for phone in ("+1", "+2")
    ]
    assert anywhere("session", "list", "--match", "+1", "--json").json[0]["phone"] == "+1"
    assert anywhere("session", "get", f"{prefix}+2", "--json").json["phone"] == "+2"
    assert anywhere("session", "lint", "--json").json["checked"] == 2
    assert anywhere("session", "stats", "--json").json["sessions"] == 2
    assert anywhere("session", "ttl", "--check").status == ExitStatus.OK
    assert anywhere("session", "touch", "+1", "--json").json["ttl"] == 86_400
    assert anywhere("health").status == ExitStatus.OK
    archive = str(tmp_path / "a.jsonl")
    assert anywhere("session", "export", archive).status == ExitStatus.OK
    assert anywhere("session", "delete", "+1", "--json").json["deleted"] is True
    assert anywhere("session", "flush", "--yes", "--json").json["deleted"] == 1
    assert anywhere("session", "import", archive, "--json").json["imported"] == 2
    assert anywhere("session", "verify", archive, "--json").json["sessions"] == 2
    assert anywhere("test-session").status == ExitStatus.OK
    assert set(client.keys()) == {key.encode() for key in (*OTHERS, f"{prefix}+1", f"{prefix}+2")}


def test_an_archive_of_another_prefix_is_refused(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """It names both, and nothing is written."""
    server.client.set("a b:+1", GOOD[0].read_bytes(), ex=600)
    archive = tmp_path / "a.jsonl"
    pawsctl("session", "export", str(archive), env={"SESSION_PREFIX": "a b:"})
    assert json.loads(archive.read_text().splitlines()[0])["prefix"] == "a b:"
    server.client.flushall()
    refused = pawsctl("session", "import", str(archive), "--json")
    assert refused.status == ExitStatus.USAGE
    assert "a b:" in refused.error["message"]
    assert "SESSION_PREFIX='a b:'" in refused.error["hint"]
    assert server.client.keys() == []


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SESSION_PREFIX", "s", "2 characters"),
        ("SESSION_PREFIX", "sess:*", "* stands for"),
        ("SESSION_PREFIX", "s?ss:", "? stands for"),
        ("SESSION_PREFIX", "[ab]:", "[ stands for"),
        ("SESSION_PREFIX", "se\\s:", "\\ stands for"),
        ("SESSION_PREFIX", "sess\x1b:", "control character"),
        ("SESSION_PREFIX", "  sess:", "blank"),
        ("SESSION_TTL", "86400", "86400s"),
        ("SESSION_TTL", "0s", "30m"),
        ("SESSION_TTL", "1.5s", "whole seconds"),
        ("SESSION_TTL", "3651d", "3650d at most"),
        ("SESSION_TTL", "never", "format, is raw"),
    ],
)
def test_settings_that_no_sessions_can_have_are_wrong_usage(
    bare_pawsctl: Pawsctl, name: str, value: str, told: str
) -> None:
    """Before anything is connected."""
    result = bare_pawsctl("session", "flush", "--yes", "--json", env={name: value})
    assert result.status == ExitStatus.USAGE
    assert told in result.error["message"] + result.error["hint"]
    assert f"{name} in the environment" in result.error["message"]


def test_a_ttl_is_held_everywhere(pawsctl: Pawsctl, server: Server) -> None:
    """Check, lint, statistics and their words follow it."""
    pawsctl.environment["SESSION_TTL"] = "10m"
    server.client.set("wh:session:+1", GOOD[0].read_bytes(), ex=3_000)
    server.client.set("wh:session:+2", GOOD[0].read_bytes(), ex=500)
    checked = pawsctl("session", "ttl", "--check")
    assert checked.status == ExitStatus.FAILED
    assert "1 session lives longer than 10 min" in checked.err
    assert "> 10 min" in checked.text
    found = pawsctl("session", "stats", "--json").json["expiry"]
    assert (found["ttl"], found["over_ttl"], found["over_6h"]) == (600, 1, 0)
    assert (found["within_15m"], found["within_60m"]) == (1, 2)
    linted = pawsctl("session", "lint", "--json").json["findings"]
    assert [each["rule"] for each in linted] == ["long-ttl"]
    assert "longer than 10 min" in linted[0]["message"]
    assert "TTL of 10 min" in pawsctl("test-session").text


BROKEN = b'{"status":"active","messages":[{"role":"user"}],"updatedAt":1}'
# Each command that the guard stands before and that changes keys under the prefix.
CHANGING = (
    "session import a.jsonl --replace",
    "session touch +1 +2",
    "session edit +1",
    "session repair +1 --yes",
    "backup restore --latest --replace --yes",
    "session copy --all --to {url}/1",
    "session seed 3",
    "session delete +1",
    "session erase +2 --yes",
    "session flush --yes",
)
# Commands that work on all keys, or on none.
WITHOUT_A_PREFIX = {"backup purge", "redis maxmemory", "redis reset", "redis down"}


def test_a_prefix_of_a_found_file_is_named_and_needs_more_than_yes(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Whoever enters a directory has not meant what its `.env` says; a named file is meant."""
    pawsctl.environment["EDITOR"] = "sed -i s/active/gone/"
    server.client.mset({f"sess:+{number}": BROKEN for number in (1, 2, 3)})
    sess = {"SESSION_PREFIX": "sess:"}
    assert pawsctl("session", "export", "a.jsonl", env=sess).status == ExitStatus.OK
    assert pawsctl("session", "delete", "+3", env=sess).status == ExitStatus.OK
    lines = [line.format(url=server.url).split() for line in CHANGING]
    assert {" ".join(line[:2]) for line in lines} == GUARDED.keys() - WITHOUT_A_PREFIX
    file = pawsctl.folder / ".env"
    file.write_text("SESSION_PREFIX=sess:\n")
    before = {key: server.client.get(key) for key in server.client.scan_iter()}
    for line in lines:
        refused = pawsctl(*line)
        assert refused.status == ExitStatus.NOT_CONFIRMED, line
        assert f"keys under sess: (SESSION_PREFIX in {file}:1)" in refused.err, line
        assert "--confirm 127.0.0.1" in refused.err
    assert {key: server.client.get(key) for key in server.client.scan_iter()} == before
    for line in lines[:-1]:
        done = pawsctl(*line, "--confirm", "127.0.0.1")
        assert done.status == ExitStatus.OK, (line, done.err)
    named = pawsctl(*lines[-1], "--env-file", ".env")
    assert named.status == ExitStatus.OK
    assert server.client.keys("sess:*") == []


def test_whoever_names_a_whole_key_has_named_its_prefix(pawsctl: Pawsctl, server: Server) -> None:
    """On a terminal it is asked for otherwise; the bot's own prefix is nothing to ask for."""
    server.client.mset(dict.fromkeys(["sess:+1", "sess:+2", "wh:session:+1"], BROKEN))
    (pawsctl.folder / ".env").write_text("SESSION_PREFIX=sess:\n")
    mixed = pawsctl("session", "delete", "sess:+1", "+2")
    assert mixed.status == ExitStatus.NOT_CONFIRMED
    assert "or name whole keys, like sess:…." in mixed.err
    assert pawsctl("session", "delete", "sess:+1").status == ExitStatus.OK
    for typed, status in ((b"n\n", ExitStatus.NOT_CONFIRMED), (b"y\n", ExitStatus.OK)):
        shown = screen(pawsctl, "session", "delete", "+2", columns=120, typed=typed)
        assert shown.status == status
        assert any("Change keys under sess:? [y/N]" in line for line in shown.lines)
    (pawsctl.folder / ".env").write_text("SESSION_PREFIX=wh:session:\n")
    assert pawsctl("session", "delete", "+1").status == ExitStatus.OK
    assert server.client.keys() == []


def test_a_ttl_of_a_found_file_ends_no_session_earlier_unasked(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A touch with a second would be a deletion; one that extends is what was asked for."""
    server.client.set("wh:session:+1", BROKEN, ex=1_000)
    file = pawsctl.folder / ".env"
    file.write_text("SESSION_TTL=1s\n")
    refused = pawsctl("session", "touch", "+1")
    assert refused.status == ExitStatus.NOT_CONFIRMED
    assert f"A TTL of 1 s (SESSION_TTL in {file}:1) ends sessions earlier" in refused.err
    declined = screen(pawsctl, "session", "touch", "+1", columns=200, typed=b"n\n")
    assert declined.status == ExitStatus.NOT_CONFIRMED
    assert server.client.ttl("wh:session:+1") > 900
    file.write_text("SESSION_TTL=30m\n")
    assert pawsctl("session", "touch", "+1").status == ExitStatus.OK
    assert pawsctl("session", "touch", "+1").status == ExitStatus.OK
    assert server.client.ttl("wh:session:+1") > 1_700
    file.write_text("SESSION_TTL=10m\n")
    done = pawsctl("session", "touch", "+1", "--confirm", "127.0.0.1")
    assert done.status == ExitStatus.OK
    assert server.client.ttl("wh:session:+1") <= 600


def test_longer_prefixes_are_told_before_keys_are_deleted(pawsctl: Pawsctl, server: Server) -> None:
    """They may be another application's: `sess:x:` begins with `sess:`."""
    server.client.mset({f"sess:x:{number}": "1" for number in range(7)} | {"sess:a": "1"})
    env = {"SESSION_PREFIX": "sess:", "SESSION_FORMAT": "raw"}
    plan = pawsctl("session", "flush", "--dry-run", "--json", env=env).json
    assert (plan["sessions"], plan["longer_prefixes"]) == (8, {"sess:x:": 7})
    assert "7 are under sess:x:" in pawsctl("session", "flush", env=env).err
    server.client.mset({f"sess:{number}:id": "1" for number in range(20)})
    assert "longer_prefixes" not in pawsctl("session", "flush", "--dry-run", "--json", env=env).json


def test_seen_marks_are_of_the_bots_own_prefix(pawsctl: Pawsctl, server: Server) -> None:
    """Another's sessions have no known marks."""
    server.client.set("wh:seen:1", "1")
    env = {"SESSION_PREFIX": "sess:"}
    result = pawsctl("session", "flush", "--include-seen", "--yes", env=env)
    assert result.status == ExitStatus.USAGE
    assert "SESSION_PREFIX is sess:" in result.err
    assert server.client.exists("wh:seen:1")


def test_phones_complete_under_the_prefix(pawsctl: Pawsctl, server: Server) -> None:
    """The bot's own are another application's then."""
    server.client.mset({"sess:+15": "{}", "wh:session:+16": "{}"})
    env = {
        "SESSION_PREFIX": "sess:", "_PAWSCTL_COMPLETE": "complete_bash",
        "COMP_WORDS": "pawsctl session get +1", "COMP_CWORD": "3",
    }  # fmt: skip
    assert in_time(lambda: pawsctl(env=env).text, "+15\n") == "+15\n"
