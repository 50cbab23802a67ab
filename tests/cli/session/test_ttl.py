"""`pawsctl session ttl` as its users run it."""

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import GOOD
from tests.servers import Server, store_session

SIX_HOURS = 21_600


def test_ttl_without_a_phone_tells_how_expiry_is_spread(pawsctl: Pawsctl, server: Server) -> None:
    """With --check, a session that never expires, or lives too long, gives exit 1."""
    store_session(server, "+1", GOOD[0].read_bytes(), 30)
    store_session(server, "+2", GOOD[0].read_bytes(), 1_800)
    found = pawsctl("session", "ttl", "--json", "--check")
    assert found.status == ExitStatus.OK
    assert found.json["sessions"] == 2
    assert (found.json["within_15m"], found.json["within_60m"]) == (1, 2)
    store_session(server, "+3", GOOD[0].read_bytes(), None)
    store_session(server, "+4", GOOD[0].read_bytes(), SIX_HOURS + 60)
    found = pawsctl("session", "ttl", "--json", "--check")
    assert found.status == ExitStatus.FAILED
    assert (found.json["never"], found.json["over_6h"]) == (1, 1)


@pytest.mark.parametrize(
    ("ttls", "told", "hint"),
    [
        ([None], "1 session never expires.", "'pawsctl session list --never-expires' shows"),
        ([None, None], "2 sessions never expire.", "--never-expires"),
        ([SIX_HOURS + 60], "1 session lives longer than 6 h.", "--sort ttl --reverse' shows"),
        (
            [None, SIX_HOURS + 60, SIX_HOURS + 60],
            "1 session never expires and 2 sessions live longer than 6 h.",
            "--never-expires' and 'pawsctl session list --sort ttl --reverse' show which",
        ),
    ],
)
def test_what_a_check_of_expiry_found_is_a_sentence(
    pawsctl: Pawsctl, server: Server, ttls: list[int | None], told: str, hint: str
) -> None:
    """It names only the kinds of sessions that were found."""
    for number, seconds in enumerate(ttls):
        store_session(server, f"+{number}", GOOD[0].read_bytes(), seconds)
    phones = [f"+{number}" for number in range(len(ttls))]
    for result in (
        pawsctl("session", "ttl", "--check"),
        pawsctl("session", "ttl", *phones, "--check"),
    ):
        assert result.status == ExitStatus.FAILED
        assert f"error: {told}" in result.err
        assert hint in result.err


def test_one_session_expires_and_two_expire(pawsctl: Pawsctl, server: Server) -> None:
    """`ttl` and `stats` use the singular and the plural."""
    store_session(server, "+1", GOOD[0].read_bytes(), None)
    for command in ("ttl", "stats"):
        assert "! 1 session that never expires\n" in pawsctl("session", command).text
    store_session(server, "+2", GOOD[0].read_bytes(), None)
    assert "! 2 sessions that never expire\n" in pawsctl("session", "ttl").text


def test_ttl_of_one_phone_is_one_object(pawsctl: Pawsctl, server: Server) -> None:
    """The TTL is in seconds, -1 for never."""
    store_session(server, "+1", b"{}", None)
    assert pawsctl("session", "ttl", "+1", "--json").json == {
        "phone": "+1",
        "key": "wh:session:+1",
        "ttl": -1,
    }
