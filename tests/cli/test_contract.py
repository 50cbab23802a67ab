"""The interface for scripts: the keys of JSON results and the numbers of exit statuses."""

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import GOOD
from tests.servers import Server


def test_exit_statuses_never_change() -> None:
    """Scripts test for these numbers."""
    assert {status.name: int(status) for status in ExitStatus} == {
        "OK": 0,
        "FAILED": 1,
        "USAGE": 2,
        "NOT_CONFIRMED": 3,
        "NO_SESSION": 4,
        "UNREACHABLE": 5,
        "NO_ENGINE": 6,
        "CONFLICT": 7,
        "TIMEOUT": 8,
        "PARTIAL": 9,
        "INTERRUPTED": 130,
    }


def test_the_keys_of_json_results_never_change(pawsctl: Pawsctl, server: Server) -> None:
    """No key may be added either."""
    server.client.set("wh:session:+1", GOOD[0].read_bytes(), ex=60)
    (item,) = pawsctl("session", "list", "--json").json
    assert list(item) == [
        "phone",
        "key",
        "ttl",
        "status",
        "messages",
        "updated_at",
        "bytes",
        "problem",
    ]
    assert list(pawsctl("session", "get", "+1", "--json").json) == [
        "phone",
        "key",
        "ttl",
        "session",
    ]
    assert list(pawsctl("session", "ttl", "+1", "--json").json) == ["phone", "key", "ttl"]
    report = pawsctl("test-session", "--json").json
    assert list(report) == ["ok", "target", "steps"]
    assert list(report["steps"][0]) == ["name", "ok", "seconds", "detail"]
    flushed = pawsctl("session", "flush", "--yes", "--json").json
    assert list(flushed) == ["url", "deleted", "others", "unknown", "changed", "backup"]
    (setting, *_) = pawsctl("config", "--json").json
    assert list(setting) == ["name", "value", "origin"]
