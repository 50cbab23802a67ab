"""`pawsctl session repair` as its users run it."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import between
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES, STUCK
from tests.model_api import refusal
from tests.servers import Server

KEY = "wh:session:+1"
KILLED = (SAMPLES / "stuck" / "killed-in-a-tool.json").read_bytes()


def _expiry(server: Server) -> object:
    return server.client.execute_command("PEXPIRETIME", KEY)


def test_every_stuck_session_is_brought_back(anywhere: Pawsctl, any_server: Server) -> None:
    """Lint finds nothing afterwards, the model takes each, and TTLs end at the same millisecond."""
    client = any_server.client
    for number, path in enumerate(STUCK, 1):
        client.set(f"wh:session:+{number}", path.read_bytes(), px=9_876_543)
    well = (SAMPLES / "trimmed" / "begins-with-results.json").read_bytes()
    client.set("wh:session:+8", well, px=9_876_543)
    client.set("wh:session:+9", b"[]", px=9_876_543)
    client.set("wh:session:+10", b"{", px=9_876_543)
    before = _expiry(any_server)
    dry = anywhere("session", "repair", "--all", "--dry-run", "--json")
    assert dry.status == ExitStatus.OK
    assert {each["state"] for each in dry.json} == {"repairable", "beyond_repair"}
    assert client.get(KEY) == STUCK[0].read_bytes()
    done = anywhere("session", "repair", "--all", "--yes", "--json")
    # The bot throws at the one that is no session, until it expires or is deleted.
    assert done.status == ExitStatus.FAILED
    assert "+9 was not repaired" in done.error["message"]
    states = {each["phone"]: each["state"] for each in done.json}
    assert states == {f"+{n}": "repaired" for n in range(1, 6)} | {"+9": "beyond_repair"}
    assert _expiry(any_server) == before
    for number in range(1, 6):
        value = client.get(f"wh:session:+{number}")
        assert isinstance(value, bytes)
        assert refusal(json.loads(value)["messages"]) == ""
    assert client.get("wh:session:+8") == well
    client.delete("wh:session:+9", "wh:session:+10")
    assert anywhere("session", "lint").status == ExitStatus.OK
    again = anywhere("session", "repair", "--all", "--yes")
    assert (again.status, again.text) == (ExitStatus.OK, "")
    assert "No session" in again.err


def test_of_several_that_were_not_repaired_one_is_named_and_the_rest_counted(
    pawsctl: Pawsctl, server: Server
) -> None:
    """A reason stands beside the session that it is of."""
    for phone in ("+1", "+2", "+3"):
        server.client.set(f"wh:session:{phone}", b"[]", ex=600)
    done = pawsctl("session", "repair", "+1", "+2", "+3", "--yes", "--json")
    assert done.status == ExitStatus.FAILED
    message = done.error["message"]
    assert message.startswith(
        "3 sessions were not repaired: +1 (the value is a list, not an object;"
    )
    assert message.endswith(") and 2 more.")


def test_the_difference_is_shown_before_the_question(pawsctl: Pawsctl, server: Server) -> None:
    """Without a terminal and --yes nothing is changed."""
    server.client.set(KEY, KILLED)
    asked = pawsctl("session", "repair", "+1")
    assert asked.status == ExitStatus.NOT_CONFIRMED
    assert asked.out == b""
    assert server.client.get(KEY) == KILLED
    assert re.search(r"message 2 gets an error.*\n *\+ +3 +\{.*toolu_1.*\nerror:", asked.err)
    done = pawsctl("session", "repair", "+1", "--yes")
    assert done.status == ExitStatus.OK
    assert "+1  repaired" in done.text
    # It never expired before, which no repair of messages changes.
    assert "not repaired: no-ttl" in done.text
    assert server.client.ttl(KEY) == -1
    well = pawsctl("session", "repair", "+1")
    assert (well.status, well.text.splitlines()[0]) == (ExitStatus.OK, "+1  nothing to repair")


def test_a_session_that_the_bot_may_work_on_needs_force(pawsctl: Pawsctl, server: Server) -> None:
    """That is one updated in the last two minutes, with a fault or an open call at its end."""
    now = f"{int(time.time() * 1000)}".encode()
    young = KILLED.replace(b"1704067200000", now)
    ended = young.replace(b',{"role":"user","content":"\xc2\xbfHola?"}]', b"]")
    for value in (young, ended):
        server.client.set(KEY, value, ex=60)
        refused = pawsctl("session", "repair", "+1", "--yes", "--json")
        assert (refused.status, refused.json["state"]) == (ExitStatus.FAILED, "at_work")
        assert "--force" in refused.error["hint"]
        assert server.client.get(KEY) == value
        forced = pawsctl("session", "repair", "+1", "--yes", "--force", "--json")
        assert (forced.status, forced.json["state"]) == (ExitStatus.OK, "repaired")
    # A call at the end is what a session looks like while the bot works: no fault of it.
    server.client.set(KEY, ended, ex=60)
    assert pawsctl("session", "repair", "--all", "--yes", "--json").json == []


@pytest.mark.parametrize("updated", [b'"soon"', b"null", b"1e400", b"9e18"])
def test_an_open_call_of_no_known_time_needs_force(
    pawsctl: Pawsctl, server: Server, updated: bytes
) -> None:
    """Lint names it, since it would be open for ever; nobody knows whether the bot works on it."""
    value = KILLED.replace(b"1704067200000", updated)
    value = value.replace(b',{"role":"user","content":"\xc2\xbfHola?"}]', b"]")
    server.client.set(KEY, value, ex=60)
    linted = pawsctl("session", "lint")
    assert "still open, and updatedAt does not tell since when" in linted.text
    refused = pawsctl("session", "repair", "+1", "--yes", "--json")
    assert (refused.status, refused.json["state"]) == (ExitStatus.FAILED, "at_work")
    assert refused.error["hint"] == "Use --force if the bot is not at work on it."
    every = pawsctl("session", "repair", "--all", "--force", "--yes", "--json")
    assert [each["state"] for each in every.json] == ["repaired"]
    stored = server.client.get(KEY)
    assert isinstance(stored, bytes)
    assert b"toolu_1" in stored.split(b"__TOOL_RESULTS__")[1]


def test_what_the_model_refuses_beyond_the_rules_is_repaired_by_name(
    pawsctl: Pawsctl, server: Server
) -> None:
    """An id that two messages call with, and a message of the bot without any block."""
    call = b'{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"n","input":{}}]}'
    result = b'{"role":"tool","tool_use_id":"a","content":"{}"}'
    user = b'{"role":"user","content":"x"}'
    for messages in (
        (user, call, call, result),
        (user, call, result, call, result, user),
        (user, b'{"role":"assistant","content":[]}', user),
    ):
        value = b'{"status":"active","messages":[%b],"updatedAt":1}' % b",".join(messages)
        server.client.set(KEY, value, ex=60)
        for options in (("--dry-run", "--cut"), ()):
            done = pawsctl("session", "repair", "+1", "--yes", "--json", *options)
            state = "repairable" if options else "repaired"
            assert (done.status, done.json["state"]) == (ExitStatus.OK, state), messages
        stored = server.client.get(KEY)
        assert isinstance(stored, bytes)
        assert refusal(json.loads(stored)["messages"]) == ""
        again = pawsctl("session", "repair", "+1", "--yes", "--json")
        assert again.json["state"] == "nothing_to_repair"


def test_which_sessions_must_be_said(pawsctl: Pawsctl, server: Server) -> None:
    """Phones or --all; a phone without a session is an error, and the others are repaired."""
    for words in ([], ["--all", "+1"]):
        assert pawsctl("session", "repair", *words).status == ExitStatus.USAGE
    server.client.set(KEY, KILLED, ex=60)
    done = pawsctl("session", "repair", "+1", "+2", "+1", "--yes", "--json")
    assert done.status == ExitStatus.NO_SESSION
    assert [each["state"] for each in done.json] == ["repaired", "missing"]


def _changed(server: Server) -> None:
    server.client.set(KEY, KILLED[:-1] + b" }", ex=60)


def _same_bytes(server: Server) -> None:
    server.client.set(KEY, KILLED, ex=60)


def _expired(server: Server) -> None:
    server.client.pexpire(KEY, 1)
    while server.client.exists(KEY):
        pass


@pytest.mark.parametrize(
    ("moment", "meddle", "state"),
    [
        (b"WATCH", _changed, "changed"),
        (b"WATCH", _expired, "gone"),
        (b"MULTI", _changed, "changed"),
        (b"MULTI", _same_bytes, "changed"),
        (b"MULTI", _expired, "changed"),
    ],
)
def test_what_changes_meanwhile_is_left_as_it_is(
    bare_pawsctl: Pawsctl,
    any_server: Server,
    moment: bytes,
    meddle: Callable[[Server], None],
    state: str,
) -> None:
    """Neither overwritten nor brought back, whether it happens before the last look or after."""
    any_server.client.set(KEY, KILLED, ex=60)
    left: list[object] = []

    def see(command: list[bytes]) -> bool:
        if command[0] == moment and not left:
            meddle(any_server)
            left.append(any_server.client.get(KEY))
        return False

    with between.standing(any_server, refuses=see) as url:
        done = bare_pawsctl("session", "repair", "+1", "--yes", "--json", "--url", url)
    assert done.json["state"] == state
    assert done.status == (ExitStatus.NO_SESSION if state == "gone" else ExitStatus.FAILED)
    assert "meanwhile" in done.json["why"]
    assert any_server.client.get(KEY) == left[0]


def test_an_old_server_keeps_the_ttl_too(bare_pawsctl: Pawsctl, server: Server) -> None:
    """Redis before 6.0 has no KEEPTTL: the expiry is written in the same transaction."""
    server.client.set(KEY, KILLED, px=9_876_543)
    before = _expiry(server)
    with between.standing(server, refuses=lambda command: b"KEEPTTL" in command) as url:
        done = bare_pawsctl("session", "repair", "+1", "--yes", "--json", "--url", url)
    assert done.json["state"] == "repaired"
    after = _expiry(server)
    assert isinstance(before, int)
    assert isinstance(after, int)
    # What passes between the reading of the TTL and its writing is added, however long it takes.
    assert 0 <= after - before + 2 < 60_000
    assert b"__TOOL_RESULTS__" in (server.client.get(KEY) or b"")


def test_a_lost_reply_is_looked_after(
    bare_pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """If the connection ends before EXEC is answered, what is stored tells what was done."""
    server.client.set(KEY, KILLED, ex=60)
    lost: list[bytes] = []

    def see(command: list[bytes]) -> bool:
        if command[0] == b"EXEC" and not lost:
            lost.append(command[0])
            server.client.client_kill_filter(_type="normal", skipme=True)
        return False

    with between.standing(server, refuses=see) as url:
        done = bare_pawsctl("session", "repair", "+1", "--yes", "--json", "--url", url)
    assert lost
    assert done.json["state"] == "repaired", done.err
    assert b"__TOOL_RESULTS__" in (server.client.get(KEY) or b"")


@pytest.mark.parametrize("refused", ["-@transaction", "-exec", "-multi"])
def test_a_user_without_transactions_is_told(
    bare_pawsctl: Pawsctl, server: Server, refused: str
) -> None:
    """Nothing is changed, and the hint names the commands to allow."""
    server.client.set(KEY, KILLED, ex=60)
    server.client.acl_setuser(
        "plain", enabled=True, nopass=True, keys=["*"], commands=["+@all", refused]
    )
    url = f"redis://plain:x@127.0.0.1:{server.port}"
    done = bare_pawsctl("session", "repair", "+1", "--yes", "--url", url)
    server.client.acl_deluser("plain")
    assert done.status == ExitStatus.FAILED
    assert "+watch +multi +discard +exec" in done.err
    assert server.client.get(KEY) == KILLED


def test_a_user_who_may_not_change_this_session_is_told_that_alone(
    bare_pawsctl: Pawsctl, server: Server
) -> None:
    """No command is missing, but the right to a key."""
    server.client.set(KEY, KILLED, ex=60)
    rights = ("reset", "on", ">x", "%R~*", "~wh:session:+2", "+@all")
    server.client.execute_command("ACL", "SETUSER", "other", *rights)
    url = f"redis://other:x@127.0.0.1:{server.port}"
    done = bare_pawsctl("session", "repair", "+1", "--yes", "--url", url)
    server.client.acl_deluser("other")
    assert done.status == ExitStatus.FAILED
    assert "Ask for the permission" in done.err
    assert "+watch" not in done.err
    assert server.client.get(KEY) == KILLED
