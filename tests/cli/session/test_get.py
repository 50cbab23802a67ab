"""`pawsctl session get` as its users run it."""

import json
import re
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD
from tests.servers import Server, store_session

SIX_HOURS = 21_600


DANGEROUS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


STRANGE = (
    b'{"status":"active","odd":1,"messages":[5,{"role":"assistant","content":['
    b'{"type":"thinking","thinking":"let me see","signature":"x"},'
    b'{"type":"tool_use","id":"a","name":"web_search",'
    b'"input":{"n":5,"id":9007199254740993,"long":12345678901234567890123}},'
    b'{"type":"web_search_tool_result","tool_use_id":"a","content":[{"url":"https://a"}]}]}],'
    b'"updatedAt":1704067200000}'
)


@pytest.mark.parametrize("sample", [*GOOD, *BROKEN], ids=lambda path: path.stem)
def test_raw_prints_the_stored_bytes_and_not_one_more(
    pawsctl: Pawsctl, server: Server, sample: Path
) -> None:
    """This holds for any value, and for any spelling of the phone."""
    value = sample.read_bytes()
    store_session(server, "+123", value)
    result = pawsctl("session", "get", "--raw", "whatsapp:+1 (23)")
    assert (result.status, result.out) == (ExitStatus.OK, value)


@pytest.mark.parametrize("sample", [*GOOD, *BROKEN], ids=lambda path: path.stem)
def test_text_holds_no_byte_that_could_move_a_terminal(
    pawsctl: Pawsctl, server: Server, sample: Path
) -> None:
    """Lists and transcripts, folded or not, contain no control characters."""
    store_session(server, "+123", sample.read_bytes())
    for command in (["list"], ["get", "+123"], ["get", "+123", "--full"], ["list", "-o", "csv"]):
        result = pawsctl("session", *command)
        assert result.status == ExitStatus.OK
        assert not DANGEROUS.search(result.text)


@pytest.mark.parametrize("sample", GOOD, ids=lambda path: path.stem)
def test_json_shows_the_value_as_it_is_stored(
    pawsctl: Pawsctl, server: Server, sample: Path
) -> None:
    """Long numbers and unknown fields included; dangerous text is escaped."""
    value = sample.read_bytes()
    store_session(server, "+123", value)
    result = pawsctl("session", "get", "+123", "--json")
    assert json.loads(result.out, parse_int=str, parse_float=str)["session"] == json.loads(
        value, parse_int=str, parse_float=str
    )
    assert not DANGEROUS.search(result.text.rstrip("\n"))


@pytest.mark.parametrize("sample", BROKEN, ids=lambda path: path.stem)
def test_a_value_that_cannot_be_read_is_shown_with_its_problem(
    pawsctl: Pawsctl, server: Server, sample: Path
) -> None:
    """Exit 0, since the key exists; the problem is reported."""
    store_session(server, "+123", sample.read_bytes())
    result = pawsctl("session", "get", "+123", "--json")
    assert result.status == ExitStatus.OK
    # By hand: one of them is nested deeper than Python's JSON reader allows.
    problem = re.search(r'"problem":("[^"]+")', result.text)
    assert problem
    assert pawsctl("session", "list", "--json").json[0]["problem"] == json.loads(problem[1])


def test_a_transcript_tells_who_said_what(pawsctl: Pawsctl, server: Server) -> None:
    """Tool calls and results are folded to a line; --full unfolds, --last cuts."""
    sample = next(path for path in GOOD if path.stem == "register-pet")
    store_session(server, "+123", sample.read_bytes(), 3_600)
    text = pawsctl("session", "get", "+123").text
    assert "user   Quiero registrar a Firulais" in text
    assert "bot    Voy a registrar a Firulais." in text
    assert '→ register_pet {"name": "Firulais"' in text
    assert "← result" in text
    assert re.search(r"expires in (1h 00m|59m \d\ds)", text)
    assert "updated 2024-01-01T00:04:00Z" in text
    full = pawsctl("session", "get", "+123", "--full").text
    assert '"dateOfBirth": "2022-01-15"' in full
    last = pawsctl("session", "get", "+123", "--last", "1").text
    assert "2 earlier messages and 1 tool message (--last 1)" in last
    assert "Voy a registrar" not in last


def test_several_sessions_are_an_array_and_a_missing_one_is_told(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Exit 4, with all sessions that were found."""
    store_session(server, "+1", GOOD[0].read_bytes())
    for command in ("get", "ttl"):
        result = pawsctl("session", command, "+1", "+2", "--json")
        assert result.status == ExitStatus.NO_SESSION
        assert [each["phone"] for each in result.json] == ["+1", "+2"]
        assert result.json[1]["ttl"] is None
        assert result.error["code"] == "no-session"


def test_phones_can_come_from_stdin(pawsctl: Pawsctl, server: Server) -> None:
    """A dash means one phone per line of stdin."""
    store_session(server, "+1", GOOD[0].read_bytes())
    store_session(server, "+2", GOOD[1].read_bytes())
    result = pawsctl("session", "ttl", "-", "-o", "jsonl", stdin=b"+1\n\n+2\n")
    assert [json.loads(line)["phone"] for line in result.text.splitlines()] == ["+1", "+2"]


def test_a_transcript_hides_and_changes_nothing(pawsctl: Pawsctl, server: Server) -> None:
    """Numbers are shown as stored, also in values that only the slow decoder can read."""
    store_session(server, "+1", STRANGE)
    text = pawsctl("session", "get", "+1", "--full").text
    for each in ("let me see", '"n": 5,', "9007199254740993,", "12345678901234567890123"):
        assert each in text
    assert "https://a" in text
    (item,) = pawsctl("session", "list", "--json").json
    assert item["messages"] == 2
    assert item["problem"] == "messages: message 1 is a number"


def test_a_problem_that_quotes_a_lone_surrogate_is_told(pawsctl: Pawsctl, server: Server) -> None:
    """It is shown as an escape, since JSON can't hold it."""
    store_session(
        server, "+1", b'{"status":"active","messages":[{"role":"\\ud83d"}],"updatedAt":1}'
    )
    problem = pawsctl("session", "get", "--json", "+1").json["problem"]
    assert problem == "role: message 1 has the role '\\ud83d'"


@pytest.mark.parametrize("depth", range(940, 1000, 3))
def test_a_tool_result_of_any_depth_is_no_crash(
    pawsctl: Pawsctl, server: Server, depth: int
) -> None:
    """Python's JSON reader allows a little more depth than its writer."""
    nested = "[" * depth + "]" * depth
    messages = [{"role": "tool", "tool_use_id": "x", "content": nested}]
    value = json.dumps({"status": "active", "messages": messages, "updatedAt": 1})
    store_session(server, "+1", value.encode())
    assert pawsctl("session", "get", "+1").status == ExitStatus.OK
