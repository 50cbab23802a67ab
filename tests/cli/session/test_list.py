"""`pawsctl session list` with filters, orders, columns and formats, on real servers."""

import csv
import io
import json
import time
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD, SAMPLES
from tests.servers import Server, store_session


@pytest.fixture
def many(any_server: Server, tmp_path: Path) -> Pawsctl:
    """pawsctl with a session for every filter, on Valkey and on Redis."""
    now = int(time.time() * 1000)
    fresh = json.dumps({"status": "closed", "messages": [], "updatedAt": now}).encode()
    store_session(any_server, "+1", (SAMPLES / "greeting.json").read_bytes())
    store_session(any_server, "+2", (SAMPLES / "waiting.json").read_bytes(), ttl=600)
    store_session(any_server, "+3", (SAMPLES / "register-pet.json").read_bytes())
    store_session(any_server, "+44", fresh)
    store_session(any_server, "+5", (SAMPLES / "empty.json").read_bytes(), ttl=None)
    store_session(any_server, "+6*", (SAMPLES / "broken" / "not-json.txt").read_bytes())
    any_server.client.hset("wh:session:+7", "a", "b")
    any_server.client.set("wh:seen:x", "1")
    any_server.client.set("other", "1")
    return Pawsctl(tmp_path, any_server.url)


def phones(pawsctl: Pawsctl, *options: str) -> list[str]:
    """Return the phones of a list with those options, in its order."""
    result = pawsctl("session", "list", *options, "-o", "jsonl")
    assert (result.status, result.err) == (0, "")
    return [json.loads(line)["phone"] for line in result.text.splitlines()]


ALL = {"+1", "+2", "+3", "+44", "+5", "+6*", "+7"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ALL),
        (["--status", "closed"], {"+44"}),
        (["--expiring-within", "30m"], {"+2"}),
        (["--idle", "1d"], {"+1", "+2", "+3", "+5"}),
        (["--updated-within", "1h"], {"+44"}),
        (["--updated-within", "36500d", "--idle", "1d"], {"+1", "+2", "+3", "+5"}),
        (["--never-expires"], {"+5", "+7"}),
        (["--waiting"], {"+2"}),
        (["--has-tool", "register_pet"], {"+3"}),
        (["--grep", "GATA"], {"+2"}),
        (["--problem"], {"+5", "+6*", "+7"}),
        (["--match", "+?"], {"+1", "+2", "+3", "+5", "+7"}),
        (["--match", "+[1-3]"], {"+1", "+2", "+3"}),
        (["--match", "+[^1-5]*"], {"+6*", "+7"}),
        (["--match", "+6\\*"], {"+6*"}),
        (["--match", "+4"], set()),
        (["--match", "wh:session:+4*"], {"+44"}),
        (["--waiting", "--expiring-within", "1h", "--match", "+*"], {"+2"}),
        (["--waiting", "--expiring-within", "1m"], set()),
    ],
)
def test_filters_answer_questions(many: Pawsctl, options: list[str], expected: set[str]) -> None:
    """They work alone and together."""
    assert set(phones(many, *options)) == expected


def test_a_list_is_sorted_and_limited(many: Pawsctl) -> None:
    """It sorts by any column; sessions without a value come last."""
    assert phones(many, "--sort", "phone") == sorted(ALL)
    assert phones(many, "--sort", "ttl", "--limit", "1") == ["+2"]
    assert set(phones(many, "--sort", "ttl", "--reverse", "--limit", "2")) == {"+5", "+7"}
    assert phones(many, "--sort", "bytes", "--reverse")[-1] == "+7"
    assert len(phones(many, "--limit", "3")) == 3
    assert phones(many, "--sort", "messages", "--match", "+[123]", "--limit", "2") == ["+1", "+2"]


def test_who_waits_longest_is_found(pawsctl: Pawsctl, server: Server) -> None:
    """Sessions without an unanswered message come last; scripts read the seconds."""
    waits = {"+1": 90, "+2": 7_000, "+3": 600}
    for phone, seconds in waits.items():
        value = json.loads((SAMPLES / "waiting.json").read_bytes())
        value["updatedAt"] = int((time.time() - seconds) * 1000)
        store_session(server, phone, json.dumps(value).encode())
    store_session(server, "+4", (SAMPLES / "greeting.json").read_bytes())
    columns = ["session", "list", "--columns", "phone,waiting", "--sort", "waiting"]
    found = pawsctl(*columns, "--json").json
    assert [each["phone"] for each in found] == ["+1", "+3", "+2", "+4"]
    assert found[-1]["waiting"] is None
    assert all(0 <= each["waiting"] - waits[each["phone"]] < 60 for each in found[:-1])
    (longest,) = pawsctl(*columns, "--reverse", "--limit", "1", "--json").json
    assert longest["phone"] == "+2"
    shown = [line.split(maxsplit=1) for line in pawsctl(*columns).text.splitlines()]
    assert shown[2:] == [["+3", shown[2][1]], ["+2", "1 h"], ["+4", "-"]]
    assert shown[2][1] in ("10 min", "11 min")


def test_columns_choose_what_every_format_shows(many: Pawsctl) -> None:
    """Columns appear in the order given."""
    options = ["session", "list", "--match", "+2", "--columns", "last_message,phone"]
    words = "Mi gata no come desde ayer, ¿qué hago?"
    assert many(*options).text.splitlines() == [
        "LAST MESSAGE                                  PHONE",
        f"user: {words}  +2",
    ]
    assert many(*options, "--json").json == [{"last_message": words, "phone": "+2"}]
    assert list(many(*options, "-o", "jsonl").json) == ["last_message", "phone"]
    rows = list(csv.reader(io.StringIO(many(*options, "-o", "csv").text)))
    assert rows == [["last_message", "phone"], [words, "+2"]]


def test_csv_has_every_field_and_the_last_message(many: Pawsctl) -> None:
    """A header, then a row per session; text that could be a formula gets a quote."""
    result = many("session", "list", "-o", "csv", "--sort", "phone")
    rows = list(csv.DictReader(io.StringIO(result.text)))
    assert list(rows[0]) == [
        "phone", "key", "ttl", "status", "messages", "updated_at", "bytes", "problem",
        "last_message",
    ]  # fmt: skip
    shown = ["'+6*" if phone == "+6*" else phone for phone in sorted(ALL)]
    assert [row["phone"] for row in rows] == shown
    assert rows[0]["updated_at"].endswith("Z")


@pytest.mark.parametrize(
    "options",
    [
        ["--columns", "phone,size"],
        ["--columns", ""],
        ["--sort", "size"],
        ["--reverse"],
        ["--limit", "-1"],
        ["--limit", "0"],
        ["--limit", "9223372036854775808"],
        ["--columns", "phone,ttl,phone"],
        ["--never-expires", "--expiring-within", "1h"],
        ["--idle", "2h", "--updated-within", "1h"],
        ["--idle", "0s"],
        ["--idle", "10"],
        ["--expiring-within", "soon"],
    ],
)
def test_wrong_options_are_wrong_usage(pawsctl: Pawsctl, options: list[str]) -> None:
    """Exit 2, and nothing on stdout."""
    result = pawsctl("session", "list", *options)
    assert (result.status, result.out) == (ExitStatus.USAGE, b"")


def test_a_question_without_an_answer_says_so(pawsctl: Pawsctl) -> None:
    """The message goes to stderr; the exit status is 0."""
    result = pawsctl("session", "list", "--waiting")
    assert (result.status, result.out) == (0, b"")
    assert "No such session" in result.err


def test_no_spreadsheet_runs_what_a_customer_wrote(pawsctl: Pawsctl, server: Server) -> None:
    """Free text that begins like a formula gets a quote; phones and numbers do not."""
    hostile = json.loads((SAMPLES / "hostile.json").read_bytes())
    for number, message in enumerate(hostile["messages"]):
        value = {"status": "=1+1", "messages": [message], "updatedAt": hostile["updatedAt"]}
        store_session(server, f"+{number}", json.dumps(value).encode())
    rows = list(csv.DictReader(io.StringIO(pawsctl("session", "list", "-o", "csv").text)))
    assert len(rows) == len(hostile["messages"])
    assert {row["status"] for row in rows} == {"'=1+1"}
    assert any(row["last_message"].startswith("'=HYPERLINK") for row in rows)
    assert all(row["phone"].startswith("+") for row in rows)
    for row in rows:
        assert row["last_message"][:1] not in ("=", "+", "-", "@")


DANGEROUS = {chr(n) for n in (*range(0x20), *range(0x7F, 0xA0))} - {"\n", "\t"} | set(
    "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


@pytest.mark.parametrize("command", [["list"], ["list", "-o", "csv"], ["lint"], ["stats"]])
def test_no_sample_reaches_the_terminal_with_a_dangerous_character(
    pawsctl: Pawsctl, server: Server, command: list[str]
) -> None:
    """No control except newline and tab, nothing that reorders text, in values or keys."""
    for number, path in enumerate([*GOOD, *BROKEN]):
        store_session(server, f"+{number}", path.read_bytes())
    store_session(server, "\x1b[2J\u202e\x9b", b"{}")
    result = pawsctl("session", *command)
    assert result.out
    assert not DANGEROUS & set(result.text + result.err)


@pytest.mark.parametrize("option", ["--idle", "--expiring-within"])
@pytest.mark.parametrize("value", ["0", "0s", "10", f"{'9' * 400}d", "1y"])
def test_what_a_time_may_be_is_told(pawsctl: Pawsctl, option: str, value: str) -> None:
    """The error names units and bounds."""
    result = pawsctl("session", "list", option, value)
    assert result.status == ExitStatus.USAGE
    assert "like 90s, 30m, 1h30m, 2d or 1w, from 1s to 36500d" in result.err


@pytest.mark.parametrize("arguments", ["list", "list --columns ttl,phone", "lint"])
def test_csv_of_nothing_has_its_header(pawsctl: Pawsctl, server: Server, arguments: str) -> None:
    """Programs that read it by columns find them."""
    command = ("session", *arguments.split(), "-o", "csv")
    empty = pawsctl(*command).text.splitlines()
    server.client.set("wh:session:+1", "{}")
    assert empty == pawsctl(*command).text.splitlines()[:1]


def test_csv_has_the_words_of_json(pawsctl: Pawsctl, server: Server) -> None:
    """Booleans and null are written as in JSON, not as in Python."""
    server.client.set("wh:session:+1", "{}")
    rows = pawsctl("session", "delete", "+1", "-o", "csv").text.splitlines()
    assert rows == ["phone,key,deleted", "+1,wh:session:+1,true"]


SIX_HOURS = 21_600


def test_a_list_survives_whatever_stands_under_the_prefix(pawsctl: Pawsctl, server: Server) -> None:
    """Keys of other types or not in UTF-8 are listed once, with their problem."""
    store_session(server, "+1", GOOD[0].read_bytes())
    server.client.hset("wh:session:+2", mapping={"a": "b"})
    server.client.set(b"wh:session:\xff", b"{}")
    server.client.set("other", "1")
    items = {item["phone"]: item for item in pawsctl("session", "list", "--json").json}
    assert set(items) == {"+1", "+2", "\\xff"}
    assert items["+2"]["problem"] == "type: the key holds a hash, not a string"
    assert items["+2"]["bytes"] is None


@pytest.mark.slow
def test_every_session_is_listed_once(pawsctl: Pawsctl, server: Server) -> None:
    """SCAN may return a key twice while its table shrinks; the list shows it once."""
    session = "redis.call('SET', 'wh:session:+' .. number, ARGV[1], 'EX', ARGV[2])"
    server.client.eval(
        f"for number = 0, 19999 do {session} end", 0, GOOD[0].read_bytes(), str(SIX_HOURS)
    )
    for filler in ("SET', 'filler:' .. number, 'x'", "UNLINK', 'filler:' .. number"):
        for begin in range(0, 200_000, 20_000):
            numbers = f"for number = {begin}, {begin + 19_999}"
            server.client.eval(f"{numbers} do redis.call('{filler}) end", 0)
    phones = [
        json.loads(line)["phone"]
        for line in pawsctl("session", "list", "-o", "jsonl").text.splitlines()
    ]
    assert len(phones) == 20_000
    assert set(phones) == {f"+{number}" for number in range(20_000)}


def test_an_empty_list_is_an_empty_array(pawsctl: Pawsctl) -> None:
    """In text there is a message on stderr, and nothing on stdout."""
    assert pawsctl("session", "list", "--json").json == []
    assert pawsctl("session", "list").out == b""


def test_a_phone_is_whole_in_forty_columns(pawsctl: Pawsctl, server: Server) -> None:
    """The longest that there is, beside the longest time left and wait, is not cut."""
    value = json.loads((SAMPLES / "waiting.json").read_bytes())
    value["updatedAt"] = int((time.time() - 3 * 86_400) * 1000)
    store_session(server, "+123456789012345", json.dumps(value).encode(), ttl=3_590)
    lines = pawsctl("session", "list", env={"COLUMNS": "40"}).text.splitlines()
    assert lines[0] == "PHONE                 TTL  WAITING  LAS…"
    assert lines[1].startswith("+123456789012345  59m ")
    assert lines[1].endswith(" 3 days  use…")


def test_the_wait_is_told_where_it_was_asked_for(pawsctl: Pawsctl, server: Server) -> None:
    """JSON and CSV have it beside their usual fields, also if it is only sorted by."""
    server.client.set("wh:session:+1", (SAMPLES / "waiting.json").read_bytes(), ex=60)
    for options in (["--waiting"], ["--sort", "waiting"]):
        (item,) = pawsctl("session", "list", *options, "--json").json
        assert item["waiting"] > 0
        assert item["phone"] == "+1"
        titles = pawsctl("session", "list", *options, "-o", "csv").text.splitlines()[0]
        assert titles.endswith(",waiting")
    (item,) = pawsctl("session", "list", "--json").json
    assert "waiting" not in item


def test_the_column_that_a_list_is_sorted_by_does_not_give_way(
    pawsctl: Pawsctl, server: Server
) -> None:
    """The size gives way first, but not if it is what one looks for."""
    store_session(server, "+59899000001", (SAMPLES / "waiting.json").read_bytes())

    def titles(*options: str) -> str:
        return pawsctl("session", "list", *options, env={"COLUMNS": "60"}).text.splitlines()[0]

    assert "SIZE" not in titles()
    assert "SIZE" in titles("--sort", "bytes")
