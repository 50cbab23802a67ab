"""`pawsctl session touch`, `session delete` and `session seed` as their users run them."""

import json

from pawsctl.errors import ExitStatus
from tests.archives import held
from tests.cli_runner import Pawsctl
from tests.servers import Server

SIX_HOURS = 21_600


def test_touch_gives_six_hours_and_changes_nothing_else(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """As the bot's touch: not even `updatedAt`."""
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
    """Exit 4; no session is made."""
    server.client.set("wh:session:+1", "{}", ex=30)
    result = pawsctl("session", "touch", "+1", "+2", "--json")
    assert result.status == ExitStatus.NO_SESSION
    assert [each["ttl"] for each in result.json] == [SIX_HOURS, None]
    assert result.error["code"] == "no-session"
    assert server.client.keys() == [b"wh:session:+1"]
    text = pawsctl("session", "touch", "+1", "+2").text
    assert "6h 00m" in text
    assert "no session" in text


def test_delete_ends_the_sessions_that_are_named(anywhere: Pawsctl, any_server: Server) -> None:
    """Without a question, and no other."""
    for phone in ("+1", "+2", "+3"):
        any_server.client.set(f"wh:session:{phone}", "{}", ex=30)
    one = anywhere("session", "delete", "+1", "--json")
    assert one.status == ExitStatus.OK
    assert one.json == {"phone": "+1", "key": "wh:session:+1", "deleted": True}
    two = anywhere("session", "delete", "+1", "+ 2", "+2", "--json")
    assert two.status == ExitStatus.NO_SESSION
    assert [(each["phone"], each["deleted"]) for each in two.json] == [("+1", False), ("+2", True)]
    assert two.error["message"] == "No session is stored for +1."
    assert any_server.client.keys() == [b"wh:session:+3"]


def test_phones_to_touch_and_delete_come_from_stdin(pawsctl: Pawsctl, server: Server) -> None:
    """Many of them."""
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


def test_delete_on_another_machine_must_name_it(pawsctl: Pawsctl, server: Server) -> None:
    """0.0.0.0 reaches this machine and is no loopback name."""
    server.client.set("wh:session:+1", "{}", ex=30)
    url = ("--url", f"redis://0.0.0.0:{server.port}")
    assert pawsctl("session", "delete", "+1", *url).status == ExitStatus.NOT_CONFIRMED
    wrong = pawsctl("session", "delete", "+1", "--confirm", "localhost", *url)
    assert wrong.status == ExitStatus.NOT_CONFIRMED
    assert server.client.dbsize() == 1
    right = pawsctl("session", "delete", "+1", "--confirm", "0.0.0.0", *url)
    assert right.status == ExitStatus.OK
    assert server.client.dbsize() == 0


def test_what_has_no_digit_is_wrong_usage(pawsctl: Pawsctl, server: Server) -> None:
    """And nothing is deleted before it is found."""
    server.client.set("wh:session:+1", "{}", ex=30)
    for command in ("touch", "delete"):
        assert pawsctl("session", command, "+1", "x").status == ExitStatus.USAGE
    assert server.client.ttl("wh:session:+1") <= 30


def test_seed_writes_sessions_that_the_bot_could_have_written(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """About 1 KB each, with TTLs of every length, and nothing that lint would find."""
    result = anywhere("session", "seed", "3000", "--json")
    assert result.status == ExitStatus.OK
    assert result.json == {"url": any_server.url, "sessions": 3_000, "seed": 1}
    found = [
        json.loads(line) for line in anywhere("session", "list", "-o", "jsonl").text.splitlines()
    ]
    assert len(found) == len({each["phone"] for each in found}) == 3_000
    assert [each["problem"] for each in found if each["problem"]] == []
    assert 800 < sum(each["bytes"] for each in found) / len(found) < 1_300
    ttls = sorted(each["ttl"] for each in found)
    assert 30 <= ttls[0] < 600
    assert SIX_HOURS - 600 < ttls[-1] <= SIX_HOURS
    assert SIX_HOURS * 0.4 < ttls[1_500] < SIX_HOURS * 0.6
    assert len({each["messages"] for each in found}) > 5


def test_a_seed_makes_the_same_sessions_again(pawsctl: Pawsctl, server: Server) -> None:
    """Their time of update aside; another one makes others."""

    def seeded(number: str) -> dict[bytes, object]:
        server.client.flushall()
        assert pawsctl("session", "seed", "500", "--seed", number).status == ExitStatus.OK
        return {
            key: (json.loads(each.value)["messages"], server.client.ttl(key) // 100)
            for key, each in held(server).items()
        }

    first, again, other = seeded("7"), seeded("7"), seeded("8")
    assert first.keys() == again.keys()
    same = sum(first[key] == again[key] for key in first)
    # A TTL may have gone past a round number meanwhile.
    assert same > 450
    assert first.keys() != other.keys()


def test_seed_refuses_a_redis_that_is_not_on_this_machine(pawsctl: Pawsctl, server: Server) -> None:
    """Whatever else is said; and the help does not offer it."""
    result = pawsctl("session", "seed", "5", "--url", f"redis://0.0.0.0:{server.port}")
    assert result.status == ExitStatus.USAGE
    assert "0.0.0.0 is not this machine" in result.err
    assert server.client.dbsize() == 0
    listed = pawsctl("session", "--help").text
    assert "export" in listed
    assert "seed" not in listed
