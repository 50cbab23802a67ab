"""The main outputs in terminals of four widths, as they are kept in tests/screens/.

`make screens` writes them anew; the difference is part of a change's review.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.stack_fixtures import Stack, embedded
from tests.terminal import screen

SCREENS = Path(__file__).parent.parent / "screens"
WIDTHS = (100, 80, 60, 40)
OUTPUTS = {
    "session-list": "session list --sort phone",
    "who-waits": "session list --waiting --sort waiting --reverse",
    "session-get": "session get +59899000001 +59899000002",
    "session-get-full": "session get +59899000003 --full",
    "session-ttl": "session ttl",
    "session-stats": "session stats",
    "session-lint": "session lint",
    "redis-status": "redis status",
    "redis-memory": "redis memory",
    "health": "health",
    "no-session": "session get 59899000001 +77",
}
DAY = 86_400
# A phone's sample, and the seconds since its last update. Half a minute is left to a slow machine.
STORED = {
    "+59899000001": ("register-pet.json", 210),
    "+59899000002": ("waiting.json", 750),
    "+59899000003": ("two-tools-one-turn.json", 9_030),
    "+59899000004": ("web-search.json", 16_230),
    "+59899000005": ("waiting.json", 5_430),
    "+59899000006": ("stuck/killed-in-a-tool.json", 3_630),
    "+59899000007": ("broken/truncated.txt", 930),
    # This session never expires.
    "+59899000008": ("empty.json", 3 * DAY + 30),
}
# Texts that differ between runs, and their replacements.
MEASURED = {
    "session-stats": [
        (r"[\d.]+ [KM]?B(?= a session)", "0 KB"),
        (r"[\d.]+ [KM]?B(?=\s+in all)", "0 KB"),
        (r"((?:hold|sessions:)\s+)[\d,]+", r"\g<1>0"),
    ],
    "redis-status": [(r"[\d.]+ [KM]B", "0 KB"), (r"up \w+( \w+)?", "up 1s")],
    "redis-memory": [
        (r"[\d.]+ [KM]?B (?=\()", "0 KB "),
        (r"((?:used|peak|fragm\w+) +)[\d.]+", r"\g<1>0"),
    ],
    "health": [(r"[\d.]+ ms", "0.0 ms")],
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """pawsctl with its own embedded Redis."""
    with embedded(tmp_path_factory.mktemp("screens")) as stack:
        assert stack("redis", "up").status == 0
        yield stack


def store(stack: Stack) -> None:
    """Store the sessions, with the ages that they have in every run."""
    now = time.time()
    with stack.client() as client:
        client.flushall()
        client.config_resetstat()
        for phone, (name, age) in STORED.items():
            value = (SAMPLES / name).read_bytes()
            if name.endswith(".json"):
                session = json.loads(value) | {"updatedAt": int((now - age) * 1000)}
                value = json.dumps(session, ensure_ascii=False).encode()
            ttl = 21_600 - age if age < DAY else None
            client.set(f"wh:session:{phone}", value, ex=ttl)


@pytest.mark.parametrize("name", OUTPUTS)
def test_outputs_look_as_they_are_kept(
    shown: Stack, request: pytest.FixtureRequest, name: str
) -> None:
    """In each width, no line is longer than the terminal, which would break it anywhere."""
    store(shown)
    parts = []
    for columns in WIDTHS:
        found = screen(shown, *OUTPUTS[name].split(), columns=columns)
        assert found.printed == len(found.lines), found
        # Findings come in Redis's order.
        lines = _in_order(found.lines) if name == "session-lint" else found.lines
        text = "\n".join(lines).replace(str(shown.port), "16379")
        for pattern, instead in MEASURED.get(name, ()):
            text = re.sub(pattern, instead, text)
        parts.append(f"{f' {columns} columns ':─^{columns}}\n{text}\n")
    kept = SCREENS / f"{name}.txt"
    if request.config.getoption("--write-screens"):
        kept.write_text("\n".join(parts), "utf-8")
    assert kept.read_text("utf-8") == "\n".join(parts)


def _in_order(lines: list[str]) -> list[str]:
    """Return lines with the rows of a table sorted by phone."""
    rows = iter(sorted(line for line in lines if re.match(r"\+\d+  ", line)))
    return [next(rows) if re.match(r"\+\d+  ", line) else line for line in lines]


def test_speakers_differ_in_colour(pawsctl: Pawsctl, server: servers.Server) -> None:
    """A user, the bot and a tool's result do, and so does who waits."""
    servers.store_session(server, "+1", (SAMPLES / "register-pet.json").read_bytes())
    servers.store_session(server, "+2", (SAMPLES / "waiting.json").read_bytes())
    found = screen(pawsctl, "session", "get", "+1", "+2", columns=80)
    colours = {
        line.split()[0]: colour
        for line, colour in zip(found.lines, found.colours, strict=True)
        if line
    }
    names = [colours[name] for name in ("user", "bot", "tool", "the")]
    assert len({*names, "default"}) == 5


def test_the_name_of_a_backup_is_whole_in_forty_columns(
    pawsctl: Pawsctl, server: servers.Server
) -> None:
    """It is what 'backup restore' takes. On a terminal times are told as how long ago they were."""
    servers.store_session(server, "+1", (SAMPLES / "waiting.json").read_bytes())
    assert pawsctl("session", "delete", "+1").status == 0
    (kept,) = pawsctl("backup", "list", "--json").json
    for columns in (40, 80):
        titles, row = screen(pawsctl, "backup", "list", columns=columns).lines
        assert row.split()[0] == kept["name"]
        assert ("MADE" in titles) is ("ago" in row) is (columns == 80)
    titles, row = screen(pawsctl, "audit", "list", columns=50).lines
    assert titles.split() == ["TIME", "COMMAND", "STATUS", "CHANGED"]
    assert re.fullmatch(r"\d+ (s|min) ago +session delete +0 +1 deleted", row)
