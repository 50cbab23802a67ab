"""The README's table of JSON keys, held to what each command prints."""

import json
import re
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.bot import HEALTHY, bot
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.readme import README
from tests.servers import Server
from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology

Keys = dict[str, Any]
"""Names of keys, each with the keys of the object or objects that it holds, if those are told."""

OPTIONAL = "if there are any|where something is wrong"


def table() -> dict[str, str]:
    """What stands in the table for each command."""
    _, _, section = README.read_text("utf-8").partition("## JSON\n")
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", section.partition("\n## ")[0], re.MULTILINE)
    return {command.replace("`", ""): keys for command, keys in rows}


TABLE = table()


def keys_in(text: str) -> Keys:
    """The keys in `a, b[{c}], d{e, f}`."""
    top: Keys = {}
    inside = [top]
    name = ""
    for token in re.findall(r"\w+|[{}]", text):
        if token == "{":
            inside.append(inside[-1].setdefault(name, {}) if name else top)
        elif token == "}":
            inside.pop()
        else:
            name = token
            inside[-1][name] = {}
    return top


def documented(command: str, part: int = 0) -> tuple[Keys, Keys]:
    """The keys that a command's results always have, and those that they may have."""
    cell = re.sub(r"\([^()]*\)", "", TABLE[command]).split(";")[part]
    always, *sometimes = re.split(OPTIONAL, cell)

    def all_in(text: str) -> Keys:
        spans = (
            each for each in re.findall("`(.*?)`", text) if not each.startswith(("-", "redis"))
        )
        return keys_in(", ".join(spans))

    return all_in(always), all_in(" ".join(sometimes))


def assert_told(found: Any, always: Keys, sometimes: Keys, where: str) -> None:
    """That an object has the keys that are documented, and no other."""
    if isinstance(found, list):
        assert found, f"{where}: nothing to look at"
        for each in found:
            assert_told(each, always, sometimes, where)
        return
    assert isinstance(found, dict), where
    assert always.keys() <= found.keys() <= always.keys() | sometimes.keys(), where
    for name, inner in (always | sometimes).items():
        if inner and found.get(name):
            assert_told(found[name], inner, {}, f"{where}, {name}")


@pytest.fixture
def filled(pawsctl: Pawsctl, server: Server) -> Iterator[Pawsctl]:
    """pawsctl on a server with something of everything, beside a bot that is well."""
    values = {"+1": "greeting.json", "+2": "broken/truncated.txt", "+3": "waiting.json"}
    values["+4"] = "trimmed/begins-with-results.json"
    for phone, name in values.items():
        server.client.set(f"wh:session:{phone}", (SAMPLES / name).read_bytes(), ex=3_600)
    server.client.set("temp_image:+1:1", "{}", ex=600)
    with bot(200, HEALTHY) as url:
        pawsctl.environment["APP_URL"] = url
        yield pawsctl


ON_SESSIONS = {
    "session list": "session list",
    "session get": "session get +1 +2",
    "session ttl PHONE, session touch": "session touch +1",
    "session ttl": "session ttl",
    "session stats": "session stats",
    "session lint": "session lint",
    "session delete": "session delete +1",
    "session flush": "session flush --yes",
    "session export": "session export a.jsonl",
    "test-session": "test-session",
    "health": "health",
    "doctor": "doctor",
    "redis memory": "redis memory",
    "redis maxmemory": "redis maxmemory 200mb --yes",
    "config": "config",
    "session seed": "session seed 3",
}
ON_A_STACK = {
    "redis up, start, restart": "redis up",
    "redis status": "redis status",
    "redis stop": "redis stop",
    "redis reset": "redis reset --yes",
    "redis down": "redis down",
}


@pytest.mark.parametrize("command", ON_SESSIONS)
def test_results_have_the_keys_of_the_table(filled: Pawsctl, command: str) -> None:
    """No more, no less, and so have the objects in them."""
    result = filled(*ON_SESSIONS[command].split(), "--json")
    assert_told(result.json, *documented(command), command)


def test_the_same_phone_or_many(filled: Pawsctl) -> None:
    """`ttl` of a phone has the keys of its row; one phone is an object."""
    row = documented("session ttl PHONE, session touch")
    assert_told(filled("session", "ttl", "+1", "--json").json, *row, "ttl")
    assert_told(filled("session", "ttl", "+1", "+3", "--json").json, *row, "ttl of two")


def test_archives_have_the_keys_of_the_table(filled: Pawsctl, tmp_path: Path) -> None:
    """A dry run too, and the reasons of lines that are rejected."""
    assert filled("session", "export", "a.jsonl").status == 0
    for command in ("import", "verify"):
        result = filled("session", command, "a.jsonl", "--json")
        assert_told(result.json, *documented(f"session {command}"), command)
    plan = filled("session", "flush", "--dry-run", "--json").json
    assert_told(plan, *documented("session flush", 1), "flush --dry-run")


@pytest.mark.parametrize("phone", [(), ("+1",)])
def test_events_have_the_keys_of_the_table(
    filled: Pawsctl, server: Server, phone: tuple[str, ...]
) -> None:
    """Of all sessions and of one, whose messages are events, too."""
    process = filled.start("session", "watch", *phone, "--interval", "0.1s", "--json")
    assert process.stdout is not None
    if not phone:
        assert process.stderr is not None
        process.stderr.readline()
    else:
        message = json.loads(process.stdout.readline())
        assert_told(message, *documented("session watch PHONE"), "a message")
    server.client.delete("wh:session:+1")
    lines: list[Mapping[str, Any]] = []
    while not lines or lines[-1]["event"] == "message":
        lines.append(json.loads(process.stdout.readline()))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert_told(dict(lines[-1]), *documented("session watch"), "an event")


def test_a_stack_has_the_keys_of_the_table(embedded_stack: Stack) -> None:
    """From `up` to `down`, with sessions to keep."""
    for command, arguments in ON_A_STACK.items():
        result = embedded_stack(*arguments.split(), "--json")
        assert result.status == 0, result.err
        found = result.json
        if command == "redis up, start, restart":
            assert embedded_stack("session", "seed", "3").status == 0
            for again in ("restart", "start"):
                done = embedded_stack("redis", again, "--json")
                assert_told(done.json, *documented(command), again)
            logs = embedded_stack("redis", "logs", "-n", "3", "--json")
            assert_told(logs.json, *documented("redis logs"), "redis logs")
        if command == "redis stop":
            assert embedded_stack("redis", "up").status == 0
        assert_told(found, *documented(command), command)


def test_a_topology_has_the_keys_of_the_table(sentinels: Topology) -> None:
    """Its status, and a failover."""
    sentinels.up()
    row = "redis status --topology …"
    assert_told(sentinels.status(), *documented(row), row)
    done = sentinels.run("failover", "--json")
    assert_told(done.json, *documented("redis failover"), "failover")


def test_every_row_of_the_table_is_held_to_something() -> None:
    """A row for a new command gets a case here."""
    elsewhere = {"session watch", "session watch PHONE", "session import", "session verify"}
    elsewhere |= {"redis logs", "redis status --topology …", "redis failover"}
    assert TABLE.keys() == ON_SESSIONS.keys() | ON_A_STACK.keys() | elsewhere
