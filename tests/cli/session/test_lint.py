"""`pawsctl session lint` on real servers."""

import json
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.sessions.contract.rules import RULES
from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD, SAMPLES, STUCK
from tests.servers import Server

HOUR_MS = 3_600_000


def value(**fields: Any) -> bytes:
    """Return a healthy value with some fields replaced."""
    whole = {"status": "active", "messages": [], "updatedAt": 1_704_067_200_000} | fields
    return json.dumps(whole).encode()


MARK = "__TOOL_RESULTS__"
CALL = {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "b", "input": {}}]}
RESULT = {"role": "user", "content": MARK + json.dumps([{"tool_use_id": "a"}])}

# For each rule a key, a value that breaks only this rule, and a TTL in seconds.
SAMPLE_OF: dict[str, tuple[str, bytes | None, int | None]] = {
    "type": ("+1", None, 600),
    "utf-8": ("+1", (SAMPLES / "broken/latin1.bin").read_bytes(), 600),
    "json": ("+1", (SAMPLES / "broken/truncated.txt").read_bytes(), 600),
    "shape": ("+1", value(status=None), 600),
    "messages": ("+1", (SAMPLES / "broken/no-messages.txt").read_bytes(), 600),
    "role": ("+1", value(messages=[{"role": "system", "content": "x"}]), 600),
    "content": ("+1", value(messages=[{"role": "user", "content": 1}]), 600),
    "tool-result": ("+1", (SAMPLES / "broken/tool-results-not-json.txt").read_bytes(), 600),
    "updated-at": ("+1", value(updatedAt=int(time.time() * 1000) + HOUR_MS), 600),
    "trim": ("+1", value(messages=[{"role": "user", "content": "x"}] * 25), 600),
    "empty-text": ("+1", (SAMPLES / "stuck/empty-text-block.json").read_bytes(), 600),
    "unanswered-call": ("+1", (SAMPLES / "stuck/killed-in-a-tool.json").read_bytes(), 600),
    "late-result": ("+1", (SAMPLES / "stuck/message-during-a-tool.json").read_bytes(), 600),
    "missing-result": ("+1", (SAMPLES / "stuck/one-of-two-results.json").read_bytes(), 600),
    "repeated-result": ("+1", value(messages=[CALL, RESULT, RESULT]), 600),
    "empty-results": ("+1", value(messages=[{"role": "user", "content": MARK + "[]"}]), 600),
    "open-call": ("+1", value(messages=[CALL]), 600),
    "headless-result": ("+1", (SAMPLES / "trimmed/begins-with-results.json").read_bytes(), 600),
    "no-digit": ("", value(), 600),
    "no-ttl": ("+1", value(), None),
    "long-ttl": ("+1", value(), 90_000),
    "key": ("whatsapp:+1", value(), 600),
}


def put(server: Server, phone: str, stored: bytes | None, ttl: int | None) -> None:
    """Store a session, or a hash in its place."""
    key = f"wh:session:{phone}"
    if stored is None:
        server.client.hset(key, "a", "b")
        if ttl is not None:
            server.client.expire(key, ttl)
    else:
        server.client.set(key, stored, ex=ttl)


@pytest.mark.parametrize("rule", [rule.id for rule in RULES if rule.level == "problem"])
def test_each_rule_finds_the_session_that_breaks_it(
    any_server: Server, tmp_path: Path, rule: str
) -> None:
    """No other rule does, so lint passes with --ignore."""
    put(any_server, *SAMPLE_OF[rule])
    pawsctl = Pawsctl(tmp_path, any_server.url)
    result = pawsctl("session", "lint", "--json")
    assert result.status == ExitStatus.FAILED
    assert [each["rule"] for each in result.json["findings"]] == [rule]
    assert pawsctl("session", "lint", "--rule", rule).status == ExitStatus.FAILED
    assert pawsctl("session", "lint", "--ignore", rule).status == ExitStatus.OK


@pytest.mark.parametrize("rule", [rule.id for rule in RULES if rule.level != "problem"])
def test_what_is_no_problem_is_a_note(any_server: Server, tmp_path: Path, rule: str) -> None:
    """lint shows notes in every format, and they do not fail it; list shows none of them."""
    put(any_server, *SAMPLE_OF[rule])
    pawsctl = Pawsctl(tmp_path, any_server.url)
    result = pawsctl("session", "lint", "--json")
    assert result.status == ExitStatus.OK
    assert (result.json["findings"], result.json["ok"], result.json["broken"]) == ([], True, 0)
    (note,) = result.json["notes"]
    assert list(note) == ["level", "phone", "key", "rule", "message"]
    assert note["rule"] == rule
    assert {each["rule"]: each["findings"] for each in result.json["rules"]}[rule] == 1
    text = pawsctl("session", "lint", "--rule", rule).text
    assert f"{rule}  {note['level']}: {note['message']}" in text
    assert "nothing is wrong" in text.splitlines()[-1]
    assert note["message"] in pawsctl("session", "lint", "-o", "csv").err
    assert "notes" not in pawsctl("session", "lint", "--json", "--ignore", rule).json
    assert pawsctl("session", "list", "--problem", "--json").json == []
    assert pawsctl("session", "stats", "--json").json["problems"] == 0
    shown = pawsctl("session", "get", note["key"])
    assert f"- {rule}: {note['message']}" in shown.text
    assert "problem" not in pawsctl("session", "get", note["key"], "--json").json


@pytest.mark.parametrize("sample", STUCK, ids=lambda path: path.stem)
def test_a_conversation_that_is_stuck_is_found_by_each_command(
    pawsctl: Pawsctl, server: Server, sample: Path
) -> None:
    """lint, list, stats and doctor report it."""
    put(server, "+1", sample.read_bytes(), 600)
    put(server, "+2", GOOD[0].read_bytes(), 600)
    assert pawsctl("session", "lint").status == ExitStatus.FAILED
    assert [each["phone"] for each in pawsctl("session", "list", "--problem", "--json").json] == [
        "+1"
    ]
    assert pawsctl("session", "stats", "--json").json["problems"] == 1
    found = pawsctl("doctor", "--json").json["findings"]
    (sessions,) = [each for each in found if each["name"] == "sessions"]
    assert (sessions["state"], sessions["detail"]) == ("warning", "1 of 2 have a problem")


def test_a_phone_without_digits_is_reachable_by_its_key(pawsctl: Pawsctl, server: Server) -> None:
    """It can be read, touched, exported, imported and deleted."""
    put(server, "", value(messages=[{"role": "user", "content": "Hola"}]), 600)
    assert "Hola" in pawsctl("session", "get", "wh:session:").text
    assert "wh:session:" in pawsctl("session", "get", "nobody").err
    assert pawsctl("session", "touch", "wh:session:").status == ExitStatus.OK
    assert pawsctl("session", "export", "a.jsonl").status == ExitStatus.OK
    assert pawsctl("session", "delete", "wh:session:").status == ExitStatus.OK
    assert pawsctl("session", "import", "a.jsonl").status == ExitStatus.OK
    assert pawsctl("session", "ttl", "wh:session:", "--json").json["ttl"] > 600


def test_the_keys_of_lint_never_change(pawsctl: Pawsctl, server: Server) -> None:
    """Scripts rely on them."""
    put(server, "+1", b"{", 600)
    put(server, "+2", GOOD[0].read_bytes(), 600)
    found = pawsctl("session", "lint", "--json").json
    assert list(found) == ["findings", "ok", "url", "checked", "broken", "rules"]
    assert list(found["findings"][0]) == ["phone", "key", "rule", "message"]
    assert list(found["rules"][0]) == ["rule", "findings"]
    assert (found["ok"], found["checked"], found["broken"]) == (False, 2, 1)
    assert [each["rule"] for each in found["rules"]] == [rule.id for rule in RULES]


def test_what_the_bot_wrote_is_sound(pawsctl: Pawsctl, server: Server) -> None:
    """Exit 0, and the report says how many sessions were checked."""
    for number, path in enumerate(GOOD):
        put(server, f"+{number}", path.read_bytes(), 600)
    result = pawsctl("session", "lint")
    assert result.status == ExitStatus.OK
    assert f"{len(GOOD)} sessions in {server.url} checked: nothing is wrong" in result.text
    found = pawsctl("session", "lint", "--json").json
    assert (found["findings"], found["ok"], found["checked"]) == ([], True, len(GOOD))


def test_every_format_tells_each_finding(pawsctl: Pawsctl, server: Server) -> None:
    """Lines and rows contain findings only; the summary then goes to stderr."""
    for number, path in enumerate(BROKEN):
        put(server, f"+{number}", path.read_bytes(), 600)
    findings = pawsctl("session", "lint", "--json").json["findings"]
    assert {each["phone"] for each in findings} == {f"+{n}" for n in range(len(BROKEN))}
    lines = pawsctl("session", "lint", "-o", "jsonl")
    assert sorted(map(str, map(json.loads, lines.text.splitlines()))) == sorted(map(str, findings))
    assert f"{len(BROKEN)} sessions" in lines.err
    rows = pawsctl("session", "lint", "-o", "csv").text.splitlines()
    assert (rows[0], len(rows)) == ("phone,key,rule,message", len(findings) + 1)
    text = pawsctl("session", "lint").text
    assert len(text.splitlines()) == len(findings) + 2
    assert f"checked: {len(findings)} findings in {len(BROKEN)} of them" in text


def test_a_rule_that_is_none_is_wrong_usage(pawsctl: Pawsctl) -> None:
    """The error lists the rules; options that leave no rule are an error, too."""
    for option in ("--rule", "--ignore"):
        result = pawsctl("session", "lint", option, "spelling")
        assert result.status == ExitStatus.USAGE
        assert "updated-at" in result.err
    result = pawsctl("session", "lint", "--rule", "key", "--ignore", "key")
    assert result.status == ExitStatus.USAGE


def test_junit_has_a_case_for_each_rule(pawsctl: Pawsctl, server: Server, tmp_path: Path) -> None:
    """A failure names the first sessions, and says how many more there are."""
    for number in range(60):
        put(server, f"+{number}", b"\x1b{", 600)
    pawsctl("session", "lint", "--junit", "lint.xml", "--ignore", "trim")
    suite = ET.fromstring((tmp_path / "lint.xml").read_bytes())  # noqa: S314 - our own file
    assert suite.attrib["name"] == "pawsctl session lint"
    assert suite.attrib["tests"] == str(len(RULES) - 1)
    assert suite.attrib["failures"] == "1"
    failure = suite.find("testcase[@name='json']/failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.attrib["message"] == "60 findings in 60 sessions: the value is JSON"
    assert len(failure.text.splitlines()) == 51
    assert failure.text.splitlines()[-1] == "… and 10 more"


def test_github_gets_an_annotation_for_each_broken_rule(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """The summary gets a table."""
    put(server, "+1", b"{", 600)
    summary = tmp_path / "summary.md"
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    result = pawsctl("session", "lint", env=environment)
    assert (
        "::error title=pawsctl session lint%3A json::1 finding in 1 session: the value is JSON"
        in result.err
    )
    assert summary.read_text("utf-8").count("❌") == 1
