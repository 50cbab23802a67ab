"""`pawsctl session stats` on real servers."""

import json
import time
from pathlib import Path
from statistics import fmean

import pytest

from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD, SAMPLES
from tests.servers import Server, store_session


def test_the_keys_of_stats_never_change(pawsctl: Pawsctl, server: Server) -> None:
    """Scripts rely on them; all are snake_case."""
    store_session(server, "+1", GOOD[0].read_bytes())
    found = pawsctl("session", "stats", "--json").json
    assert list(found) == [
        "url", "sessions", "problems", "statuses", "other_statuses", "expiry", "bytes", "messages",
        "age", "accuracy", "largest", "memory", "evicted_keys", "expired_keys", "left_out",
    ]  # fmt: skip
    assert list(found["statuses"][0]) == ["status", "sessions"]
    assert list(found["expiry"]) == [
        "sessions", "never", "over_6h", "within_15m", "within_60m", "shortest", "longest",
        "histogram",
    ]  # fmt: skip
    assert list(found["expiry"]["histogram"][0]) == ["above", "to", "sessions"]
    for name in ("bytes", "messages", "age"):
        assert list(found[name]) == ["min", "p50", "p90", "p99", "max", "mean"]
    assert list(found["largest"][0]) == ["phone", "key", "bytes", "messages"]
    assert list(found["memory"]) == [
        "per_session", "sampled", "maxmemory", "is_assumed", "holds", "per_hour",
    ]  # fmt: skip


def test_every_session_is_counted_once(any_server: Server, tmp_path: Path) -> None:
    """By status, size, messages and expiry; unreadable ones are counted too."""
    samples = [*GOOD, *BROKEN]
    for number, path in enumerate(samples):
        store_session(any_server, f"+{number}", path.read_bytes(), ttl=600)
    now = int(time.time() * 1000)
    closed = {"status": "closed", "messages": [], "updatedAt": now - 50_000, "x": "y" * 9_000}
    store_session(any_server, "+100", json.dumps(closed).encode(), ttl=None)
    any_server.client.hset("wh:session:+101", "a", "b")
    any_server.client.expire("wh:session:+101", 3_000)
    found = Pawsctl(tmp_path, any_server.url)("session", "stats", "--json").json
    total = len(samples) + 2
    assert found["sessions"] == found["expiry"]["sessions"] == total
    assert sum(each["sessions"] for each in found["statuses"]) == total
    assert {"status": "closed", "sessions": 1} in found["statuses"]
    assert found["problems"] == len(BROKEN) + 2
    assert found["expiry"]["never"] == 1
    assert found["expiry"]["within_15m"] == len(samples)
    assert found["expiry"]["within_60m"] == len(samples) + 1
    sizes = sorted([*(len(path.read_bytes()) for path in samples), len(json.dumps(closed))])
    assert (found["bytes"]["min"], found["bytes"]["max"]) == (sizes[0], sizes[-1])
    assert [each["bytes"] for each in found["largest"]] == sizes[:-11:-1]
    assert found["messages"]["max"] == max(
        len(json.loads(path.read_bytes())["messages"]) for path in GOOD
    )
    assert 50 <= found["age"]["min"] < 110
    assert found["left_out"] == []


def test_what_maxmemory_holds_follows_from_what_a_session_takes(
    pawsctl: Pawsctl, server: Server
) -> None:
    """If the server has no limit, 256 MB are assumed, and the output says so."""
    for number in range(100, 150):
        store_session(server, f"+{number}", (SAMPLES / "register-pet.json").read_bytes())
    memory = pawsctl("session", "stats", "--json").json["memory"]
    assert (memory["sampled"], memory["maxmemory"]) == (50, 256 * 1024 * 1024)
    assert memory["is_assumed"]
    each = [server.client.memory_usage(f"wh:session:+{n}") or 0 for n in range(100, 150)]
    assert memory["per_session"] == pytest.approx(fmean(each), abs=1)
    assert 0 < memory["holds"] <= memory["maxmemory"] / memory["per_session"]
    assert memory["per_hour"] == memory["holds"] // 6
    server.client.config_set("maxmemory", "64mb")
    try:
        limited = pawsctl("session", "stats", "--json").json["memory"]
    finally:
        server.client.config_set("maxmemory", "0")
    assert (limited["maxmemory"], limited["is_assumed"]) == (64 * 1024 * 1024, False)


def test_an_empty_server_has_no_figures_and_no_failure(pawsctl: Pawsctl) -> None:
    """There is no division by zero."""
    found = pawsctl("session", "stats", "--json").json
    assert (found["sessions"], found["bytes"], found["largest"]) == (0, None, [])
    result = pawsctl("session", "stats")
    assert (result.status, result.err) == (0, "")
    assert result.text.startswith("0 sessions in redis://")


def test_statuses_without_end_are_counted_together(pawsctl: Pawsctl, server: Server) -> None:
    """Beyond a hundred they share one count, so that memory stays bounded."""
    for number in range(150):
        value = {"status": f"s{number}", "messages": [], "updatedAt": 1}
        store_session(server, f"+{number}", json.dumps(value).encode())
    found = pawsctl("session", "stats", "--json").json
    assert (len(found["statuses"]), found["other_statuses"]) == (100, 50)


def test_a_person_sees_figures_and_a_plot(pawsctl: Pawsctl, server: Server) -> None:
    """The plot shows the time left."""
    for number in range(20):
        store_session(server, f"+{number}", GOOD[0].read_bytes(), ttl=7_000)
    text = pawsctl("session", "stats").text
    assert "≤ 2 h ████████████████████████████████████████ 20" in text
    assert "MEMORY USAGE of 20 sessions), about " in text
    assert "an hour at 6 h" in text


def test_figures_of_all_kinds_fit_a_small_terminal(pawsctl: Pawsctl, server: Server) -> None:
    """24 lines of 80 columns, the next prompt among them."""
    for number in range(120):
        value = {"status": f"s{number}", "messages": [], "updatedAt": number * 10**6}
        store_session(server, f"+{number}", json.dumps(value).encode(), ttl=180 * (number + 1))
    store_session(server, "+" + "9" * 70_000, GOOD[0].read_bytes(), ttl=None)
    store_session(server, "+2", b"{}", ttl=30_000)
    server.client.set("temp_image:+1:1", "{}")
    lines = pawsctl("session", "stats", env={"COLUMNS": "80"}).text.splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80


def test_no_sessions_have_no_tables(pawsctl: Pawsctl) -> None:
    """Only what the server tells of itself is left."""
    first, *rest = pawsctl("session", "stats").text.splitlines()
    assert first.startswith("0 sessions in redis://")
    assert [line.split()[0] for line in rest] == ["evicted"]
    assert pawsctl("session", "ttl").text == "0 sessions\n"
