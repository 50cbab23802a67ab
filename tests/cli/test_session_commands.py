"""`pawsctl session …` as its users run it."""

import json

from tests.cli_runner import Pawsctl
from tests.conftest import GOOD
from tests.servers import Server


def test_get_raw_prints_the_stored_bytes_and_not_one_more(pawsctl: Pawsctl, server: Server) -> None:
    """--raw gives every sample back as it was stored."""
    for sample in GOOD:
        value = sample.read_bytes()
        server.client.set("wh:session:+123", value, ex=21_600)
        result = pawsctl("session", "get", "--raw", "whatsapp:+1 (23)")
        assert (result.status, result.out) == (0, value)


def test_a_list_in_json_is_one_array(pawsctl: Pawsctl, server: Server) -> None:
    """Every sample is listed once, under the keys that scripts rely on."""
    for number, sample in enumerate(GOOD):
        server.client.set(f"wh:session:+{number}", sample.read_bytes(), ex=21_600)
    items = pawsctl("--json", "session", "list").json
    assert len(items) == len(GOOD)
    assert list(items[0]) == [
        "phone", "key", "ttl", "status", "messages", "updated_at", "bytes", "problem",
    ]  # fmt: skip
    assert json.loads(pawsctl("session", "list", "--json").out) == items
