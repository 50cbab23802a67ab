"""`pawsctl session get` as its users run it."""

import json
import re
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD, SAMPLES
from tests.servers import Server, store_session
from tests.terminal import noon_zone

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
    result = pawsctl("session", "ttl", "-", "-o", "jsonl", stdin=b"wh:session:+1\r\n\r\n+2\n")
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


def test_a_ttl_beyond_all_calendars_has_no_moment(pawsctl: Pawsctl, server: Server) -> None:
    """Redis takes any number of milliseconds."""
    store_session(server, "+1", GOOD[0].read_bytes())
    server.client.execute_command("PEXPIREAT", "wh:session:+1", 9 * 10**18)
    result = pawsctl("session", "get", "+1")
    assert result.status == ExitStatus.OK
    assert re.search(r"expires in \d+d \d\dh · ", result.text)


def test_every_message_has_its_speaker(pawsctl: Pawsctl, server: Server) -> None:
    """A message of tool calls alone does, too, and so does one without content."""
    call = {"type": "tool_use", "id": "a", "name": "list_pets", "input": {}}
    content = [[call], [], [{"type": "text", "text": "uno"}, call, {"type": "text", "text": "dos"}]]
    messages = [{"role": "assistant", "content": each} for each in content]
    messages.append({"role": "user", "content": "tres\ncuatro"})
    value = json.dumps({"status": "active", "messages": messages, "updatedAt": 1})
    store_session(server, "+1", value.encode())
    shown = pawsctl("session", "get", "+1").text
    said = [
        *("", "bot    → list_pets"),
        *("", "bot"),
        *("", "bot    uno", "       → list_pets", "       dos"),
        *("", "user   tres", "       cuatro"),
    ]
    assert shown.splitlines()[-len(said) :] == said
    (facts,) = (line for line in shown.splitlines() if line.startswith("active"))
    assert "2 messages and 2 tool messages" in facts


def test_the_last_messages_are_those_that_people_see(pawsctl: Pawsctl, server: Server) -> None:
    """Tool traffic between them is shown and not counted; 0 shows none."""
    store_session(server, "+1", (SAMPLES / "two-tools-one-turn.json").read_bytes())
    heads = {
        "0": [],
        "1": ["bot    Todavía"],
        "2": ["user   ¿Qué", "bot    → list_pets", "tool   ← result", "bot    Todavía"],
        "9": ["user   ¿Qué", "bot    → list_pets", "tool   ← result", "bot    Todavía"],
    }
    for last, expected in heads.items():
        shown = pawsctl("session", "get", "+1", "--last", last).text
        labelled = [line for line in shown.splitlines() if re.match("(user|bot|tool)  ", line)]
        assert len(labelled) == len(expected)
        assert all(map(str.startswith, labelled, expected))
    assert "… 2 messages" not in shown
    assert (
        "1 earlier message and 2 tool messages (--last 1)"
        in pawsctl("session", "get", "+1", "--last", "1").text
    )


def test_the_moment_of_expiry_is_on_the_readers_clock(pawsctl: Pawsctl, server: Server) -> None:
    """It stands beside the time left, with the zone; another day is named."""
    for phone, ttl in (("+1", 3_630), ("+2", 13 * 3_600), ("+3", 30 * 86_400)):
        store_session(server, phone, GOOD[0].read_bytes(), ttl)
    shown = pawsctl("session", "get", "+1", "+2", "+3", env={"TZ": noon_zone()}).text
    assert "expires in 1h 00m, at 13:00 UTC" in shown
    assert re.search(r"at [A-Z][a-z]{2} 0[01]:\d\d UTC", shown)
    assert re.search(r"at \d{4}-\d\d-\d\d 1[12]:\d\d UTC", shown)


def test_a_conversation_that_is_stuck_names_the_way_out(pawsctl: Pawsctl, server: Server) -> None:
    """The command to copy has the phone; what a shell could run is left out of it."""
    stuck = b'{"status":"active","messages":[{"role":"user"}],"updatedAt":1704067200000}'
    server.client.set("wh:session:+123", stuck, ex=60)
    server.client.set("wh:session:+1$(id)", stuck, ex=60)
    server.client.set("wh:session:+9", stuck)
    hint = "\n→ the bot can't go on with it: 'pawsctl session repair"
    assert f"{hint} +123'\n" in pawsctl("session", "get", "+123").text
    assert f"{hint}'\n" in pawsctl("session", "get", "wh:session:+1$(id)").text
    # A pseudonym would lead to nobody, or to somebody else.
    assert f"{hint}'\n" in pawsctl("session", "get", "+123", "--mask").text
    sound = b'{"status":"active","messages":[],"updatedAt":1704067200000}'
    server.client.set("wh:session:+9", sound)
    told = pawsctl("session", "get", "+9").text
    assert "no-ttl" in told
    assert "repair" not in told
