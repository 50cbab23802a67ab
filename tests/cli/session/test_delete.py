"""`pawsctl session delete` as its users run it."""

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.servers import Server


def test_delete_ends_the_sessions_that_are_named(anywhere: Pawsctl, any_server: Server) -> None:
    """It asks no question, and deletes no other session."""
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


def test_a_server_that_takes_no_writes_is_not_said_to_refuse_scripts(
    anywhere: Pawsctl, any_server: Server
) -> None:
    """It is a replica, or has too few of them; what is said of scripts would be false."""
    any_server.client.set("wh:session:+1", "{}", ex=30)
    any_server.client.config_set("min-replicas-to-write", 3)
    try:
        done = anywhere("session", "delete", "+1")
    finally:
        any_server.client.config_set("min-replicas-to-write", 0)
    assert done.status == ExitStatus.FAILED
    assert "NOREPLICAS" in done.err
    assert "→ Redis takes no writes while fewer than min-replicas-to-write" in done.err
    assert "0 sessions were deleted" in done.err
    assert "refused here" not in done.err
    assert any_server.client.exists("wh:session:+1")


@pytest.mark.parametrize("command", ["delete", "touch"])
def test_a_mistyped_phone_is_not_taken_for_another(
    pawsctl: Pawsctl, server: Server, command: str
) -> None:
    """The bot drops what is no digit: +1o2 would be +12. A scheme is no typo."""
    server.client.set("wh:session:+12", "{}", ex=30)
    for phone in ("+1o2", "whatsapp:+1O2", "+12*", "+1Ñ2"):
        for given, stdin in ((phone, b""), ("-", f"+12\n{phone}\n".encode())):
            refused = pawsctl("session", command, given, stdin=stdin)
            assert refused.status == ExitStatus.USAGE
            assert "it is the phone +12." in refused.err
    assert server.client.ttl("wh:session:+12") <= 30
    assert pawsctl("session", command, "WhatsApp: +1 (2)").status == ExitStatus.OK


def test_delete_on_another_machine_must_name_it(pawsctl: Pawsctl, server: Server) -> None:
    """0.0.0.0 reaches this machine but is no loopback name."""
    server.client.set("wh:session:+1", "{}", ex=30)
    url = ("--url", f"redis://0.0.0.0:{server.port}")
    assert pawsctl("session", "delete", "+1", *url).status == ExitStatus.NOT_CONFIRMED
    wrong = pawsctl("session", "delete", "+1", "--confirm", "localhost", *url)
    assert wrong.status == ExitStatus.NOT_CONFIRMED
    assert server.client.dbsize() == 1
    right = pawsctl("session", "delete", "+1", "--confirm", "0.0.0.0", *url)
    assert right.status == ExitStatus.OK
    assert server.client.dbsize() == 0
