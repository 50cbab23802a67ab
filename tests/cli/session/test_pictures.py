"""The pictures that the bot stores temporarily, on real servers."""

from pathlib import Path

import pytest

from pawsctl import connection
from pawsctl.config import redis_url
from pawsctl.sessions.stats import pictures
from tests.cli_runner import Pawsctl
from tests.conftest import GOOD
from tests.servers import Server

NAMES = ("temp_image:+1 (2):17", "temp_image:whatsapp:+1:18", "temp_image:\n:19")


def put(server: Server) -> int:
    """Store three pictures and keys that resemble them; return the memory the pictures take."""
    server.client.set("wh:session:+1", GOOD[0].read_bytes(), ex=600)
    server.client.set("temp_images", "x" * 5_000)
    server.client.set("x:temp_image:1", "x" * 5_000)
    for name in NAMES:
        server.client.set(name, '{"buffer":"' + "x" * 100_000 + '"}', ex=600)
    return sum(int(server.client.memory_usage(name) or 0) for name in NAMES)


@pytest.mark.parametrize("command", [("session", "stats"), ("redis", "memory")])
def test_what_pictures_take_is_told(
    any_server: Server, tmp_path: Path, command: tuple[str, str]
) -> None:
    """Only keys with exactly their names count; without any, nothing is shown."""
    pawsctl = Pawsctl(tmp_path, any_server.url)
    assert "pictures" not in pawsctl(*command, "--json").json
    taken = put(any_server)
    found = pawsctl(*command, "--json").json["pictures"]
    assert list(found) == ["keys", "bytes", "complete", "reason"]
    assert (found["keys"], found["bytes"], found["complete"]) == (3, taken, True)
    assert "3 pictures on their way (temp_image:*) take" in pawsctl(*command).text


def test_nothing_else_touches_pictures(pawsctl: Pawsctl, server: Server) -> None:
    """Lists, exports and flushes leave them out."""
    put(server)
    assert len(pawsctl("session", "list", "--json").json) == 1
    assert pawsctl("session", "export", "a.jsonl", "--json").json["sessions"] == 1
    assert pawsctl("session", "flush", "--yes", "--json").json["deleted"] == 1
    assert all(server.client.exists(name) for name in NAMES)


def test_a_pass_that_takes_too_long_ends(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that there may be more."""
    server.client.mset({f"other:{number}": "x" for number in range(5_000)})
    monkeypatch.setattr(pictures, "_MOST_SECONDS", 0.0)
    with connection.connect(redis_url.parse(server.url, origin="here")) as found:
        told = pictures.measure(found)
    assert told is not None
    assert not told.complete
    assert told.reason == "0 s have passed"


def test_a_user_who_may_not_measure_is_told(any_server: Server, tmp_path: Path) -> None:
    """All other figures are shown."""
    put(any_server)
    rules = ["~*", "+@all", "-memory"]
    any_server.client.execute_command("ACL", "SETUSER", "one", "reset", "on", ">x", *rules)
    try:
        url = any_server.url.replace("//", "//one:x@")
        told = Pawsctl(tmp_path, url)("session", "stats").text
        found = Pawsctl(tmp_path, url)("session", "stats", "--json").json
    finally:
        any_server.client.execute_command("ACL", "DELUSER", "one")
    assert "3 pictures on their way (temp_image:*), of unknown size: MEMORY USAGE was" in told
    assert found["sessions"] == 1
    assert (found["pictures"]["keys"], found["pictures"]["complete"]) == (3, False)
    assert "MEMORY USAGE was refused" in found["pictures"]["reason"]
