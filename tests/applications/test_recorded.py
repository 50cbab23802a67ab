"""Values that libraries wrote, recorded with their versions, as pawsctl shows and archives them.

`make applications` runs the libraries themselves and records anew. Rasa can't be installed beside
this Python: its own RedisTrackerStore (3.6.21, Python 3.10) wrote what is recorded.
"""

import json
from base64 import b64decode

import pytest

from pawsctl.errors import ExitStatus
from tests.applications.__main__ import RECORDED
from tests.applications.applications import APPLICATIONS, Application
from tests.cli_runner import Pawsctl
from tests.servers import Server

RASA = Application("Rasa", "rasa==3.6.21", "tracker:", "never", "json")


@pytest.mark.parametrize("application", [*APPLICATIONS, RASA], ids=lambda each: each.name)
def test_sessions_of_other_libraries_are_shown_and_come_back(
    pawsctl: Pawsctl, server: Server, application: Application
) -> None:
    """Each with its prefix and TTL; a pickle is never loaded, and no byte is lost."""
    recorded = json.loads(RECORDED.read_text("utf-8"))[application.name]
    assert recorded["versions"] == application.versions
    key, value, ttl = recorded["key"], b64decode(recorded["value"]), int(recorded["ttl"])
    server.client.set(key, value, ex=ttl if ttl > 0 else None)
    server.client.set("wh:session:+1", "the bot's")
    pawsctl.environment |= application.environment
    (listed,) = pawsctl("session", "list", "--json").json
    assert (f"{application.prefix}{listed['phone']}", listed["bytes"]) == (key, len(value))
    assert (listed["ttl"] > 0, listed["problem"]) == (ttl > 0, None)
    assert pawsctl("session", "ttl", "--check").status == ExitStatus.OK
    assert pawsctl("session", "get", listed["phone"], "--raw").out == value
    found = pawsctl("session", "get", listed["phone"], "--json").json
    assert found["encoding"] == application.encoding
    if application.encoding == "json":
        assert found["session"] == json.loads(value)
    else:
        assert found["session"] == value.hex()
    assert pawsctl("session", "stats", "--json").json["sessions"] == 1
    pawsctl("session", "export", "a.jsonl")
    assert pawsctl("session", "flush", "--yes", "--json").json["deleted"] == 1
    assert pawsctl("session", "import", "a.jsonl").status == ExitStatus.OK
    assert server.client.get(key) == value
    assert server.client.get("wh:session:+1") == b"the bot's"
