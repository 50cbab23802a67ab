"""`pawsctl session touch` as its users run it."""

import json

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server

SIX_HOURS = 21_600


def test_touch_gives_six_hours_and_changes_nothing_else(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """Like the bot's touch, it leaves even `updatedAt` alone."""
    any_server.client.set("wh:session:+1", '{"updatedAt":1}', ex=30)
    any_server.client.set("wh:session:+2", "{}")
    result = anywhere("session", "touch", "whatsapp:+1", "--json")
    assert result.status == ExitStatus.OK
    assert result.json == {"phone": "+1", "key": "wh:session:+1", "ttl": SIX_HOURS}
    assert any_server.client.get("wh:session:+1") == b'{"updatedAt":1}'
    assert SIX_HOURS - 30 < any_server.client.ttl("wh:session:+1") <= SIX_HOURS
    assert any_server.client.ttl("wh:session:+2") == -1


def test_touch_of_a_missing_session_is_told_beside_the_others(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Exit 4; no session is created."""
    server.client.set("wh:session:+1", "{}", ex=30)
    result = pawsctl("session", "touch", "+1", "+2", "--json")
    assert result.status == ExitStatus.NO_SESSION
    assert [each["ttl"] for each in result.json] == [SIX_HOURS, None]
    assert result.error["code"] == "no-session"
    assert server.client.keys() == [b"wh:session:+1"]
    text = pawsctl("session", "touch", "+1", "+2").text
    assert "6h 00m" in text
    assert "no session" in text


def test_phones_to_touch_and_delete_come_from_stdin(pawsctl: Pawsctl, server: Server) -> None:
    """There may be many."""
    phones = [f"+{number}" for number in range(1_234)]
    for phone in phones:
        server.client.set(f"wh:session:{phone}", "{}", ex=30)
    stdin = "\n".join(phones).encode()
    touched = pawsctl("session", "touch", "-", "-o", "jsonl", stdin=stdin)
    assert touched.status == ExitStatus.OK
    assert [json.loads(line)["phone"] for line in touched.text.splitlines()] == phones
    deleted = pawsctl("session", "delete", "-", "--json", stdin=stdin)
    assert deleted.status == ExitStatus.OK
    assert all(each["deleted"] for each in deleted.json)
    assert server.client.dbsize() == 0
    assert pawsctl("session", "delete", "-", "--json").status == ExitStatus.USAGE


def test_what_has_no_digit_is_wrong_usage(pawsctl: Pawsctl, server: Server) -> None:
    """All phones are checked before anything is deleted."""
    server.client.set("wh:session:+1", "{}", ex=30)
    for command in ("touch", "delete"):
        assert pawsctl("session", command, "+1", "x").status == ExitStatus.USAGE
    assert server.client.ttl("wh:session:+1") <= 30
