"""Messages of the session commands about sessions that do not exist."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
import redis

from pawsctl.errors import ExitStatus
from tests import servers
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.processes import wait_until
from tests.servers import Server, store_session

GREETING = (SAMPLES / "greeting.json").read_bytes()


@pytest.mark.parametrize("command", ["get", "ttl", "touch", "delete"])
@pytest.mark.parametrize(
    ("asked", "stored"),
    [
        ("59899000004", "+59899000004"),
        ("+123", "123"),
        ("00123", "+123"),
        ("00123", "123"),
        ("+123", "00123"),
    ],
)
def test_a_phone_that_differs_by_its_plus_is_named(
    pawsctl: Pawsctl, server: Server, command: str, asked: str, stored: str
) -> None:
    """It is neither shown nor changed; a phone that is missing altogether is not guessed."""
    store_session(server, stored, GREETING, ttl=600)
    result = pawsctl("session", command, asked, "+77", "--json")
    assert result.status == ExitStatus.NO_SESSION
    missing = f"No session is stored for {asked}, +77."
    assert result.error["message"] == f"{missing} There is one for {stored}."
    assert stored in result.error["hint"]
    assert 0 < server.client.ttl(f"wh:session:{stored}") <= 600


def test_a_number_without_its_country_code_has_a_way_to_be_found(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Customers tell it so; the command that is named lists the one phone that ends in it."""
    store_session(server, "+59899123456", GREETING)
    store_session(server, "+59899123457", GREETING)
    missing = pawsctl("session", "get", "99123456", "--json")
    assert missing.status == ExitStatus.NO_SESSION
    command = """'pawsctl session list --match "*99123456"' finds phones that end so."""
    assert missing.error["hint"].endswith(command)
    listed = pawsctl("session", "list", "--match", "*99123456", "--json").json
    assert [each["phone"] for each in listed] == ["+59899123456"]
    for other in ("+99123456", "12345"):
        assert "--match" not in pawsctl("session", "get", other, "--json").error["hint"]


def test_only_what_may_be_read_is_named(pawsctl: Pawsctl, server: Server) -> None:
    """If the user may not ask for the other key, the session is missing all the same."""
    store_session(server, "+123", GREETING)
    server.client.acl_setuser(
        "few", enabled=True, nopass=True, keys=["wh:session:1*"], commands=["+@all"]
    )
    try:
        url = server.url.replace("//", "//few:x@")
        result = pawsctl("session", "get", "123", "--json", "--url", url)
    finally:
        server.client.acl_deluser("few")
    assert result.status == ExitStatus.NO_SESSION
    assert result.error["message"] == "No session is stored for 123."


def test_an_empty_list_names_what_was_filtered_and_what_there_is(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Programs get an empty list and no message."""
    for phone in ("+5989901", "+5989902", "+12"):
        store_session(server, phone, GREETING)
    store_session(server, "+13", json.dumps({"status": "closed", "messages": []}).encode())
    said = {
        ("--status", "bogus"): "0 of 4 match --status bogus; statuses: active, closed.",
        ("--match", "59899"): "0 of 4 match --match 59899; '*59899*' matches 2.",
        ("--match", "59899*"): "0 of 4 match --match 59899*; '+59899*' matches 2.",
        ("--match", "+7*", "--waiting"): "0 of 4 match --match +7* --waiting.",
        ("--match", "+12", "--never-expires"): "0 of 1 match --match +12 --never-expires.",
        ("--grep", "two words", "--match", "+12"): "0 of 1 match --grep 'two words' --match +12.",
        ("--status", ""): "0 of 4 match --status ''; statuses: active, closed.",
    }
    for options, words in said.items():
        result = pawsctl("session", "list", *options)
        assert (result.status, result.out) == (0, b"")
        assert result.err == f"No such session in {server.url}: {words}\n"
    assert pawsctl("session", "list", "--status", "bogus", "--json").err == ""


def test_a_key_of_another_type_is_among_what_was_looked_at(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Whether a value was ruled out by its bytes or not."""
    store_session(server, "+12", GREETING)
    server.client.hset("wh:session:+13", "field", "two words")
    for options in ("--grep two", "--grep caf\xe9", "--waiting --grep two"):
        result = pawsctl("session", "list", *options.split())
        words = f"No such session in {server.url}: 0 of 2 match {options}.\n"
        assert (result.status, result.out, result.err) == (0, b"", words)


EMPTY = [
    "list",
    "list --waiting",
    "list --match +1",
    "stats",
    "ttl",
    "lint",
    "flush --yes",
    "export -",
]


@pytest.mark.parametrize("arguments", EMPTY)
def test_an_empty_database_names_the_others(
    pawsctl: Pawsctl, server: Server, arguments: str
) -> None:
    """Databases without sessions are not named."""
    for phone in ("+1", "+2"):
        store_session(server, phone, GREETING)
    with redis.Redis(port=server.port, db=2) as beside:
        beside.set("other", "1")
    result = pawsctl("session", *arguments.split(), "-n", "3")
    assert f"{server.url}/3" in result.text + result.err
    assert result.err.endswith("Database 0 holds 2 sessions (-n 0).\n")


@pytest.mark.parametrize("command", ["get", "ttl", "touch", "delete"])
def test_a_missing_session_names_the_databases_that_hold_some(
    pawsctl: Pawsctl, server: Server, command: str
) -> None:
    """Also where no database was named."""
    with redis.Redis(port=server.port, db=2) as beside:
        beside.set("wh:session:+1", GREETING)
    hint = pawsctl("session", command, "+1", "--json").error["hint"]
    assert hint.endswith(" Database 2 holds 1 session (-n 2).")


def test_a_flush_of_nothing_names_the_wider_glob(pawsctl: Pawsctl, server: Server) -> None:
    """Nothing is deleted by it."""
    store_session(server, "+59899000004", GREETING)
    for option in ("--yes", "--dry-run"):
        result = pawsctl("session", "flush", "--match", "59899", option)
        assert result.err.endswith("'*59899*' matches 1.\n")
    assert server.client.dbsize() == 1


def test_an_empty_list_tells_the_tools_and_the_ends_of_what_there_is(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A tool that the bot does not have is not told where output is masked."""
    now = time.time() * 1000
    for phone, name, minutes in (("+1", "list_pets", 30.5), ("+2", "pay_ana", 330.5)):
        call = {"type": "tool_use", "id": "t", "name": name, "input": {}}
        messages = [{"role": "assistant", "content": [call]}]
        value = {"status": "active", "messages": messages, "updatedAt": now - minutes * 60_000}
        store_session(server, phone, json.dumps(value).encode())
    for options, words in (
        (["--has-tool", "lists"], "0 of 2 match --has-tool lists; tools: list_pets, pay_ana."),
        (["--idle", "9h"], "0 of 2 match --idle 9h; the oldest update was 5 h 30 min ago."),
        (
            ["--updated-within", "9m"],
            "--updated-within 9m; the newest update was 30 min ago.",
        ),
    ):
        assert pawsctl("session", "list", *options).err.endswith(f"{words}\n")
    masked = pawsctl("session", "list", "--has-tool", "lists", "--mask").err
    assert "list_pets" in masked
    assert "pay_ana" not in masked


def test_statuses_without_end_are_cut(pawsctl: Pawsctl, server: Server) -> None:
    """Their number and length are bounded, and control characters are escaped."""
    for number in range(15):
        status = f"{number:02}\x1b" + "z" * 1_000
        store_session(server, f"+{number}", json.dumps({"status": status, "messages": []}).encode())
    said = pawsctl("session", "list", "--status", "bogus").err
    assert re.search(r"statuses: \d\d\\x1bzzz", said)
    assert said.endswith("z, ….\n")
    assert len(said) < 1_000


@pytest.mark.parametrize("bytes_", [b"\xff1", b"\x1b[31m\x85\n", "\x85\u202e'".encode()])
def test_a_key_whose_bytes_are_no_text_can_be_named(
    pawsctl: Pawsctl, server: Server, bytes_: bytes
) -> None:
    """A list shows another text, and the error for that says how to type the key."""
    server.client.set(b"wh:session:" + bytes_, GREETING, ex=600)
    (row,) = pawsctl("session", "list", "-o", "csv").text.splitlines()[1:]
    shown = pawsctl("session", "list").text.splitlines()[1].split()[0]
    assert shown in row
    for name in (shown, f"wh:session:{shown}"):
        result = pawsctl("session", "delete", name, "--json")
        assert result.status == (ExitStatus.USAGE if name == shown else ExitStatus.NO_SESSION), (
            result.err
        )
        words = re.findall(r"\$'[^']*'", result.error["hint"])
        keys = subprocess.run(
            ["bash", "-c", f"printf '%s\\0' {' '.join(words)}"], capture_output=True, check=True
        ).stdout.split(b"\0")[:-1]
        assert b"wh:session:" + bytes_ in keys
    typed = pawsctl("session", "ttl", b"wh:session:" + bytes_, "--json")
    assert typed.json["ttl"] > 500
    if b"\n" not in bytes_:
        piped = pawsctl("session", "delete", "-", "--json", stdin=b"wh:session:" + bytes_ + b"\n")
        assert [each["deleted"] for each in piped.json] == [True], piped.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("list", "--match", "+2*"), "No such session found in {}: not all could be read."),
        (("list", "--status", "x", "--match", "+2*"), "found in {}: not all could be read."),
        (
            ("list", "--status", "x"),
            "No such session found in {}: 0 of 2 that could be read match --status x; statuses:",
        ),
        (("list", "--limit", "1"), "Listed 1 of at least 2 sessions (--limit 1)."),
    ],
)
def test_what_could_not_be_read_is_not_told_as_missing(
    pawsctl: Pawsctl, server: Server, words: tuple[str, ...], told: str
) -> None:
    """The user may read two of four; where it may read none, nothing is found."""
    for phone in ("+1", "+10", "+2", "+20"):
        store_session(server, phone, GREETING)
    server.client.acl_setuser(
        "some", enabled=True, passwords=["+x"], keys=["wh:session:+1*"], commands=["+@all"]
    )
    server.client.acl_setuser(
        "none", enabled=True, passwords=["+x"], keys=["nothing"], commands=["+@all"]
    )
    try:
        some, none = (
            server.url.replace("redis://", f"redis://{who}:x@") for who in ("some", "none")
        )
        partly = pawsctl("session", *words, "--url", some)
        blind = [pawsctl("session", command, "--url", none) for command in ("list", "ttl")]
    finally:
        server.client.acl_deluser("some", "none")
    assert partly.status == ExitStatus.PARTIAL
    assert told.format(some.replace(":x@", "@")) in partly.err
    for each in blind:
        assert each.status == ExitStatus.PARTIAL
        assert each.err.startswith("No sessions found in ")
        assert "not all could be read.\nerror: This user may not read 4 keys." in each.err


def test_a_redis_with_keys_of_other_names_is_not_empty(pawsctl: Pawsctl, server: Server) -> None:
    """Who looks for another application's sessions learns what says how their keys begin."""
    assert "of other names" not in pawsctl("session", "list").err
    server.client.mset({"sess:1": "x", "sess:2": "x"})
    told = "It holds keys of other names; SESSION_PREFIX says how those of sessions begin."
    for command in (("list",), ("ttl",)):
        assert told in pawsctl("session", *command).err
    # A database with sessions is named before that.
    store_session(server, "+1", GREETING)
    elsewhere = pawsctl("session", "list", "--url", f"{server.url}/3").err
    assert "Database 0 holds 1 session (-n 0)." in elsewhere
    assert "of other names" not in elsewhere


def test_sessions_that_have_expired_are_no_keys_of_other_names(tmp_path: Path) -> None:
    """A replica has and counts them until its primary deletes them."""
    for name in ("primary", "replica"):
        (tmp_path / name).mkdir()
    debug = ("--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0")
    with (
        servers.running(tmp_path / "primary", *debug) as primary,
        servers.running(
            tmp_path / "replica", "--replicaof", "127.0.0.1", str(primary.port)
        ) as replica,
    ):
        primary.client.execute_command("DEBUG SET-ACTIVE-EXPIRE 0")
        wait_until(lambda: replica.client.role()[3] == b"connected", "a replica")
        primary.client.set("wh:session:+1", GREETING, px=50)
        wait_until(
            lambda: (replica.client.dbsize(), replica.client.pttl("wh:session:+1")) == (1, -2),
            "a session that has expired",
        )
        done = Pawsctl(tmp_path, replica.url)("session", "list")
        assert replica.client.dbsize() == 1
    assert done.err == f"No sessions in {replica.url}.\n"


def test_a_way_to_read_a_part_is_one_that_there_is(pawsctl: Pawsctl, server: Server) -> None:
    """An export takes no glob, and the commands that its failure names do."""
    for phone in ("+1", "+2"):
        store_session(server, phone, GREETING)
    server.client.acl_setuser(
        "some", enabled=True, passwords=["+x"], keys=["wh:session:+1*"], commands=["+@all"]
    )
    url = server.url.replace("redis://", "redis://some:x@")
    try:
        failed = pawsctl("session", "export", "a.jsonl", "--json", "--url", url)
        named = re.findall("'([a-z ]+)'|, '?([a-z]+)'", failed.error["hint"])
        commands = [(first or second).removeprefix("session ") for first, second in named]
        taken = [
            pawsctl("session", "list", "--match", "+1*", "--url", url).status,
            pawsctl("session", "flush", "--match", "+1*", "--dry-run", "--url", url).status,
        ]
        refused = pawsctl("session", "export", "b.jsonl", "--match", "+1*", "--url", url).status
    finally:
        server.client.acl_deluser("some")
    assert failed.status == ExitStatus.PARTIAL
    assert commands == ["list", "flush", "copy", "watch"]
    assert taken == [ExitStatus.OK, ExitStatus.OK]
    assert refused == ExitStatus.USAGE
