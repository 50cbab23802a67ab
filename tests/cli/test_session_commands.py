"""`pawsctl session …` as its users run it."""

import json
import re
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD
from tests.servers import Server

SIX_HOURS = 21_600
DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def store(server: Server, phone: str, value: bytes, ttl: int | None = SIX_HOURS) -> None:
    """Store a session as the bot does, or one that never expires."""
    server.client.set(f"wh:session:{phone}", value, ex=ttl)


@pytest.mark.parametrize("sample", [*GOOD, *BROKEN], ids=lambda path: path.stem)
def test_raw_prints_the_stored_bytes_and_not_one_more(
    pawsctl: Pawsctl, server: Server, sample: Path
) -> None:
    """Whatever is stored, in whatever spelling its phone is asked for."""
    value = sample.read_bytes()
    store(server, "+123", value)
    result = pawsctl("session", "get", "--raw", "whatsapp:+1 (23)")
    assert (result.status, result.out) == (ExitStatus.OK, value)


@pytest.mark.parametrize("sample", [*GOOD, *BROKEN], ids=lambda path: path.stem)
def test_text_holds_no_byte_that_could_move_a_terminal(
    pawsctl: Pawsctl, server: Server, sample: Path
) -> None:
    """Neither a list nor a transcript, folded or not."""
    store(server, "+123", sample.read_bytes())
    for command in (["list"], ["get", "+123"], ["get", "+123", "--full"], ["list", "-o", "csv"]):
        result = pawsctl("session", *command)
        assert result.status == ExitStatus.OK
        assert not DANGEROUS.search(result.text)


@pytest.mark.parametrize("sample", GOOD, ids=lambda path: path.stem)
def test_json_shows_the_value_as_it_is_stored(
    pawsctl: Pawsctl, server: Server, sample: Path
) -> None:
    """Numbers of any length and unknown fields included; dangerous text is escaped inside it."""
    value = sample.read_bytes()
    store(server, "+123", value)
    result = pawsctl("session", "get", "+123", "--json")
    assert json.loads(result.out, parse_int=str, parse_float=str)["session"] == json.loads(
        value, parse_int=str, parse_float=str
    )
    assert not DANGEROUS.search(result.text.rstrip("\n"))


@pytest.mark.parametrize("sample", BROKEN, ids=lambda path: path.stem)
def test_a_value_that_cannot_be_read_is_shown_with_its_problem(
    pawsctl: Pawsctl, server: Server, sample: Path
) -> None:
    """Exit 0: the key is there, and what is wrong with it is told."""
    store(server, "+123", sample.read_bytes())
    result = pawsctl("session", "get", "+123", "--json")
    assert result.status == ExitStatus.OK
    # By hand: one of them is deeper than Python's own reader goes.
    problem = re.search(r'"problem":("[^"]+")', result.text)
    assert problem
    assert pawsctl("session", "list", "--json").json[0]["problem"] == json.loads(problem[1])


def test_a_transcript_tells_who_said_what(pawsctl: Pawsctl, server: Server) -> None:
    """Tool calls and results are folded to a line; --full unfolds, --last cuts."""
    sample = next(path for path in GOOD if path.stem == "register-pet")
    store(server, "+123", sample.read_bytes(), 3_600)
    text = pawsctl("session", "get", "+123").text
    assert "user   Quiero registrar a Firulais" in text
    assert "bot    Voy a registrar a Firulais." in text
    assert '→ register_pet {"name": "Firulais"' in text
    assert "← result" in text
    assert re.search(r"expires in (1h 00m|59m \d\ds)", text)
    assert "updated 2024-01-01 00:04:00 UTC" in text
    full = pawsctl("session", "get", "+123", "--full").text
    assert '"dateOfBirth": "2022-01-15"' in full
    last = pawsctl("session", "get", "+123", "--last", "1").text
    assert "3 earlier messages" in last
    assert "Voy a registrar" not in last


def test_several_sessions_are_an_array_and_a_missing_one_is_told(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Exit 4, with everything that was found."""
    store(server, "+1", GOOD[0].read_bytes())
    for command in ("get", "ttl"):
        result = pawsctl("session", command, "+1", "+2", "--json")
        assert result.status == ExitStatus.NO_SESSION
        assert [each["phone"] for each in result.json] == ["+1", "+2"]
        assert result.json[1]["ttl"] is None
        assert result.error["code"] == "no-session"


def test_phones_can_come_from_stdin(pawsctl: Pawsctl, server: Server) -> None:
    """A dash stands for one phone a line."""
    store(server, "+1", GOOD[0].read_bytes())
    store(server, "+2", GOOD[1].read_bytes())
    result = pawsctl("session", "ttl", "-", "-o", "jsonl", stdin=b"+1\n\n+2\n")
    assert [json.loads(line)["phone"] for line in result.text.splitlines()] == ["+1", "+2"]


def test_a_list_survives_whatever_stands_under_the_prefix(pawsctl: Pawsctl, server: Server) -> None:
    """Keys of other types and keys that are not UTF-8 are listed once, with their problem."""
    store(server, "+1", GOOD[0].read_bytes())
    server.client.hset("wh:session:+2", mapping={"a": "b"})
    server.client.set(b"wh:session:\xff", b"{}")
    server.client.set("other", "1")
    items = {item["phone"]: item for item in pawsctl("session", "list", "--json").json}
    assert set(items) == {"+1", "+2", "\\xff"}
    assert items["+2"]["problem"] == "type: the key holds a hash, not a string"
    assert items["+2"]["bytes"] is None


def test_every_session_is_listed_once(pawsctl: Pawsctl, server: Server) -> None:
    """SCAN may tell a key twice while its table shrinks; the list does not."""
    pipe = server.client.pipeline(transaction=False)
    for number in range(20_000):
        pipe.set(f"wh:session:+{number}", GOOD[0].read_bytes(), ex=SIX_HOURS)
    for number in range(200_000):
        pipe.set(f"filler:{number}", "x")
    pipe.execute()
    for number in range(200_000):
        pipe.unlink(f"filler:{number}")
    pipe.execute()
    phones = [
        json.loads(line)["phone"]
        for line in pawsctl("session", "list", "-o", "jsonl").text.splitlines()
    ]
    assert len(phones) == 20_000
    assert set(phones) == {f"+{number}" for number in range(20_000)}


def test_ttl_without_a_phone_tells_how_expiry_is_spread(pawsctl: Pawsctl, server: Server) -> None:
    """--check turns a session that never expires, or lives too long, into exit 1."""
    store(server, "+1", GOOD[0].read_bytes(), 30)
    store(server, "+2", GOOD[0].read_bytes(), 1_800)
    found = pawsctl("session", "ttl", "--json", "--check")
    assert found.status == ExitStatus.OK
    assert found.json["sessions"] == 2
    assert (found.json["within_15m"], found.json["within_60m"]) == (1, 2)
    store(server, "+3", GOOD[0].read_bytes(), None)
    store(server, "+4", GOOD[0].read_bytes(), SIX_HOURS + 60)
    found = pawsctl("session", "ttl", "--json", "--check")
    assert found.status == ExitStatus.FAILED
    assert (found.json["never"], found.json["over_6h"]) == (1, 1)


@pytest.mark.parametrize(
    ("ttls", "told", "hint"),
    [
        ([None], "1 session never expires.", "'pawsctl session list --never-expires' shows"),
        ([None, None], "2 sessions never expire.", "--never-expires"),
        ([SIX_HOURS + 60], "1 session lives longer than 6 h.", "--sort ttl --reverse' shows"),
        (
            [None, SIX_HOURS + 60, SIX_HOURS + 60],
            "1 session never expires and 2 sessions live longer than 6 h.",
            "--never-expires' and 'pawsctl session list --sort ttl --reverse' show which",
        ),
    ],
)
def test_what_a_check_of_expiry_found_is_a_sentence(
    pawsctl: Pawsctl, server: Server, ttls: list[int | None], told: str, hint: str
) -> None:
    """Of what there is, and of nothing else."""
    for number, seconds in enumerate(ttls):
        store(server, f"+{number}", GOOD[0].read_bytes(), seconds)
    phones = [f"+{number}" for number in range(len(ttls))]
    for result in (
        pawsctl("session", "ttl", "--check"),
        pawsctl("session", "ttl", *phones, "--check"),
    ):
        assert result.status == ExitStatus.FAILED
        assert f"error: {told}" in result.err
        assert hint in result.err


def test_one_session_expires_and_two_expire(pawsctl: Pawsctl, server: Server) -> None:
    """In `ttl` and `stats`."""
    store(server, "+1", GOOD[0].read_bytes(), None)
    for command in ("ttl", "stats"):
        assert "! 1 session that never expires\n" in pawsctl("session", command).text
    store(server, "+2", GOOD[0].read_bytes(), None)
    assert "! 2 sessions that never expire\n" in pawsctl("session", "ttl").text


@pytest.mark.parametrize(
    "options",
    [
        ["--raw", "--json"],
        ["--raw", "-o", "csv"],
        ["--raw", "--full"],
        ["--raw", "--last", "1"],
        ["--raw", "+2"],
        ["--last", "9223372036854775808"],
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(
    pawsctl: Pawsctl, server: Server, options: list[str]
) -> None:
    """None of them is silently left aside."""
    store(server, "+1", GOOD[0].read_bytes())
    store(server, "+2", GOOD[0].read_bytes())
    result = pawsctl("session", "get", "+1", *options)
    assert (result.status, result.out) == (ExitStatus.USAGE, b"")


def test_ttl_of_one_phone_is_one_object(pawsctl: Pawsctl, server: Server) -> None:
    """In seconds, -1 for never."""
    store(server, "+1", b"{}", None)
    assert pawsctl("session", "ttl", "+1", "--json").json == {
        "phone": "+1",
        "key": "wh:session:+1",
        "ttl": -1,
    }


def test_flush_deletes_sessions_and_nothing_else(pawsctl: Pawsctl, server: Server) -> None:
    """Keys of another type under the prefix go too and are named so; others stay."""
    for number in range(1_200):
        store(server, f"+{number}", GOOD[0].read_bytes())
    server.client.hset("wh:session:+h", mapping={"a": "b"})
    server.client.set("wh:seen:abc", "1", ex=60)
    server.client.set("other:wh:session:+1", "1")
    dry = pawsctl("session", "flush", "--dry-run")
    assert "1200 sessions" in dry.text
    assert "1 key of type hash" in dry.text
    assert server.client.dbsize() == 1_203
    result = pawsctl("session", "flush", "--yes", "--json")
    assert (result.json["deleted"], result.json["others"]) == (1_201, {"hash": 1})
    assert set(server.client.keys()) == {b"wh:seen:abc", b"other:wh:session:+1"}
    assert pawsctl("session", "flush", "--yes", "--include-seen").status == ExitStatus.OK
    assert server.client.keys() == [b"other:wh:session:+1"]


def test_flush_asks_and_shows_its_target(pawsctl: Pawsctl, server: Server) -> None:
    """Nobody to answer: exit 3, and nothing is lost."""
    store(server, "+1", b"{}")
    result = pawsctl("session", "flush")
    assert result.status == ExitStatus.NOT_CONFIRMED
    assert f"{server.url} (from REDIS_URL in the environment)" in result.err
    assert server.client.dbsize() == 1


def test_flush_of_a_remote_host_must_name_it(pawsctl: Pawsctl, server: Server) -> None:
    """0.0.0.0 reaches this machine and is no loopback name."""
    store(server, "+1", b"{}")
    url = f"redis://0.0.0.0:{server.port}"
    assert pawsctl("session", "flush", "--yes", "--url", url).status == ExitStatus.NOT_CONFIRMED
    wrong = pawsctl("session", "flush", "--yes", "--confirm", "localhost", "--url", url)
    assert wrong.status == ExitStatus.NOT_CONFIRMED
    assert server.client.dbsize() == 1
    right = pawsctl("session", "flush", "--yes", "--confirm", "0.0.0.0", "--url", url)
    assert right.status == ExitStatus.OK
    assert server.client.dbsize() == 0


def test_global_options_work_before_and_after_the_command(pawsctl: Pawsctl, server: Server) -> None:
    """What stands further right wins."""
    store(server, "+1", GOOD[0].read_bytes(), None)
    before = pawsctl("--json", "session", "list")
    after = pawsctl("session", "list", "--json")
    both = pawsctl("-o", "csv", "session", "list", "-o", "json")
    assert before.json == after.json == both.json


def test_an_empty_list_is_an_empty_array(pawsctl: Pawsctl) -> None:
    """And in text a word on stderr, nothing on stdout."""
    assert pawsctl("session", "list", "--json").json == []
    assert pawsctl("session", "list").out == b""


STRANGE = (
    b'{"status":"active","odd":1,"messages":[5,{"role":"assistant","content":['
    b'{"type":"thinking","thinking":"let me see","signature":"x"},'
    b'{"type":"tool_use","id":"a","name":"web_search",'
    b'"input":{"n":5,"id":9007199254740993,"long":12345678901234567890123}},'
    b'{"type":"web_search_tool_result","tool_use_id":"a","content":[{"url":"https://a"}]}]}],'
    b'"updatedAt":1704067200000}'
)


def test_a_transcript_hides_and_changes_nothing(pawsctl: Pawsctl, server: Server) -> None:
    """Numbers are those that are stored, in values that only the patient way can read too."""
    store(server, "+1", STRANGE)
    text = pawsctl("session", "get", "+1", "--full").text
    for each in ("let me see", '"n": 5,', "9007199254740993,", "12345678901234567890123"):
        assert each in text
    assert "https://a" in text
    (item,) = pawsctl("session", "list", "--json").json
    assert item["messages"] == 2
    assert item["problem"] == "messages: message 1 is a number"


def test_a_problem_that_quotes_a_lone_surrogate_is_told(pawsctl: Pawsctl, server: Server) -> None:
    """As an escape: JSON can't hold it."""
    store(server, "+1", b'{"status":"active","messages":[{"role":"\\ud83d"}],"updatedAt":1}')
    problem = pawsctl("session", "get", "--json", "+1").json["problem"]
    assert problem == "role: message 1 has the role '\\ud83d'"


@pytest.mark.parametrize("depth", range(940, 1000, 3))
def test_a_tool_result_of_any_depth_is_no_crash(
    pawsctl: Pawsctl, server: Server, depth: int
) -> None:
    """Python can read a little deeper than it can write."""
    nested = "[" * depth + "]" * depth
    messages = [{"role": "tool", "tool_use_id": "x", "content": nested}]
    value = json.dumps({"status": "active", "messages": messages, "updatedAt": 1})
    store(server, "+1", value.encode())
    assert pawsctl("session", "get", "+1").status == ExitStatus.OK
