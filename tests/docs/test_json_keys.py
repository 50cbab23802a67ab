"""The JSON keys in the pages, checked against what each command prints."""

import json
import signal
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from msgspec import inspect

from tests.bot import HEALTHY, bot
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.docs import results
from tests.servers import Server
from tests.serving import serving
from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology

PYTHON: dict[type[inspect.Type], type | tuple[type, ...]] = {
    inspect.StrType: str,
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.FloatType: (int, float),
    inspect.NoneType: type(None),
    inspect.DateTimeType: str,
    inspect.DictType: dict,
}


def assert_told(found: Any, command: str, number: int = 0) -> None:
    """Assert that JSON has exactly the keys of the command's result with that number."""
    types = results.RESULTS[command][number].types
    for each in found if isinstance(found, list) else [found]:
        assert_fields(each, types, command)
    assert found != [], f"{command}: nothing to look at"


def assert_fields(found: Any, types: tuple[type, ...], where: str) -> None:
    """Assert that an object has exactly the fields of these structs, with their types."""
    fields = {
        each.encode_name: (struct, each) for struct in types for each in results.fields((struct,))
    }
    always = {name for name, each in fields.items() if not results.may_be_left_out(*each)}
    assert isinstance(found, dict), where
    assert always <= found.keys() <= fields.keys(), where
    for name, value in found.items():
        assert_type(value, fields[name][1].type, f"{where}, {name}")


def assert_type(value: Any, of: inspect.Type, where: str) -> None:
    """Assert that a value has a type, and that the values in it do."""
    match of:
        case inspect.UnionType():
            (of,) = (
                each for each in of.types if isinstance(each, inspect.NoneType) is (value is None)
            )
            assert_type(value, of, where)
        case inspect.StructType():
            assert_fields(value, (of.cls,), where)
        case inspect.ListType() | inspect.VarTupleType():
            for each in value:
                assert_type(each, of.item_type, where)
        case inspect.RawType() | inspect.LiteralType():
            pass
        case _:
            assert isinstance(value, PYTHON[type(of)]), where


@pytest.fixture
def filled(pawsctl: Pawsctl, server: Server) -> Iterator[Pawsctl]:
    """pawsctl on a server with every kind of session, beside a healthy bot."""
    values = {"+1": "greeting.json", "+2": "broken/truncated.txt", "+3": "waiting.json"}
    values["+4"] = "trimmed/begins-with-results.json"
    values["+5"] = "stuck/killed-in-a-tool.json"
    for phone, name in values.items():
        server.client.set(f"wh:session:{phone}", (SAMPLES / name).read_bytes(), ex=3_600)
    server.client.set("temp_image:+1:1", "{}", ex=600)
    (pawsctl.folder / "pawsctl.toml").write_text(f'[profiles.dev]\nurl = "{server.url}"\n')
    with bot(200, HEALTHY) as url:
        pawsctl.environment |= {"APP_URL": url, "EDITOR": "true"}
        yield pawsctl
    server.client.config_set("maxmemory", 0)


ON_SESSIONS = (
    "session list",
    "session get +1 +2",
    "session ttl +1",
    "session ttl +1 +3",
    "session touch +1",
    "session stats",
    "session lint",
    "session repair +1 +5 --yes",
    "session edit +1",
    "session delete +1",
    "session copy +3 --to {url}/1",
    "session erase +5 --yes",
    "session flush --yes",
    "backup purge --yes",
    "session export a.jsonl",
    "session seed 3",
    "test-session",
    "health",
    "doctor",
    "redis memory",
    "redis maxmemory 200mb --yes",
    "config",
    "profile list",
    "profile show dev",
    "profile check dev",
)
# Commands whose result depends on the call, with the number of the result they print here.
ON_SESSIONS_TOO = {
    "session ttl": 1,
    "session flush --dry-run": 1,
    "config --show-url": 1,
}


def name_of(command: str) -> str:
    """Return the command of a command line."""
    return next(name for name in results.RESULTS if f"{command} ".startswith(f"{name} "))


@pytest.mark.slow
@pytest.mark.parametrize("command", ON_SESSIONS)
def test_results_have_the_keys_of_their_structs(filled: Pawsctl, command: str) -> None:
    """Results, and the objects in them, have exactly these keys."""
    line = command.format(url=filled.environment["REDIS_URL"])
    assert_told(filled(*line.split(), "--json").json, name_of(command))


@pytest.mark.parametrize("command", ON_SESSIONS_TOO)
def test_so_have_the_other_results(filled: Pawsctl, command: str) -> None:
    """Results that depend on the call, such as those of a dry run, have them too."""
    found = filled(*command.split(), "--json").json
    assert_told(found, name_of(command), ON_SESSIONS_TOO[command])


def test_archives_have_the_keys_of_their_structs(filled: Pawsctl) -> None:
    """This covers export, import and verify."""
    assert filled("session", "export", "a.jsonl").status == 0
    for command in ("import", "verify"):
        assert_told(filled("session", command, "a.jsonl", "--json").json, f"session {command}")


def test_backups_have_the_keys_of_their_structs(filled: Pawsctl) -> None:
    """This covers list, show and restore."""
    assert filled("session", "delete", "+1").status == 0
    for command in ("list", "show --latest", "restore --latest"):
        found = filled("backup", *command.split(), "--json").json
        assert_told(found, f"backup {command.split()[0]}")


@pytest.mark.parametrize("phone", [(), ("+1",)])
def test_events_have_the_keys_of_their_structs(
    filled: Pawsctl, server: Server, phone: tuple[str, ...]
) -> None:
    """A watch of all sessions, and of one, whose messages are events."""
    process = filled.start("session", "watch", *phone, "--interval", "0.1s", "--json")
    assert process.stdout is not None
    if not phone:
        assert process.stderr is not None
        process.stderr.readline()
    else:
        assert_told(json.loads(process.stdout.readline()), "session watch", 1)
    server.client.delete("wh:session:+1")
    lines: list[Mapping[str, Any]] = []
    while not lines or lines[-1]["event"] == "message":
        lines.append(json.loads(process.stdout.readline()))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert_told(dict(lines[-1]), "session watch")


def test_the_log_of_a_server_has_the_keys_of_its_struct(filled: Pawsctl) -> None:
    """A line for each event of the server, and for each request."""
    with serving(filled, "--json") as served:
        served.ask()
        served.logged('"path":"/api/health"')
        lines = list(map(json.loads, served.log.splitlines()))
    for line in (lines[0], lines[-1]):
        assert_told(line, "serve")


def test_a_stack_has_the_keys_of_its_structs(embedded_stack: Stack) -> None:
    """Every command from `up` to `down`, with sessions to back up."""

    def printed(*command: str) -> Any:
        result = embedded_stack(*command, "--json")
        assert result.status == 0, result.err
        return result.json

    assert_told(printed("redis", "up"), "redis up")
    assert embedded_stack("session", "seed", "3").status == 0
    for name in ("restart", "start", "status", "stop"):
        assert_told(printed("redis", name), f"redis {name}")
    assert_told(printed("redis", "logs", "-n", "3"), "redis logs")
    assert_told(printed("redis", "up"), "redis up")
    assert_told(printed("redis", "reset", "--yes"), "redis reset")
    (kept,) = printed("backup", "list")
    assert (kept["before"], kept["sessions"], kept["expires_at"]) == ("reset", 3, None)
    down = embedded_stack("redis", "down", "--volumes", "--yes", "--json")
    assert_told(down.json, "redis down")
    assert "Left: 1 backup in " in down.err
    recorded = printed("audit", "list")
    assert_told(recorded, "audit list")
    assert [each["command"] for each in recorded] == [
        *("redis down", "redis reset", "redis up", "redis stop", "redis start"),
        *("redis restart", "session seed", "redis up"),
    ]


def test_redis_dev_has_the_keys_of_its_struct(docker_stack: Stack) -> None:
    """The result has the login of Redis Commander."""
    result = docker_stack("redis", "dev", "--json")
    assert result.status == 0, result.err
    assert_told(result.json, "redis dev")


def test_a_topology_has_the_keys_of_its_structs(sentinels: Topology) -> None:
    """This covers its status and a failover."""
    sentinels.up()
    assert_told(sentinels.status(), "redis status", 1)
    assert_told(sentinels.run("failover", "--json").json, "redis failover")


def test_every_command_is_held_to_its_structs() -> None:
    """A new command needs a case here."""
    elsewhere = {"session import", "session verify", "session watch", "redis failover", "redis cli"}
    elsewhere |= {"serve", "backup list", "backup show", "backup restore", "audit list"}
    stack = ("up", "dev", "restart", "start", "status", "stop", "logs", "reset", "down")
    held = {name_of(command) for command in ON_SESSIONS} | {f"redis {name}" for name in stack}
    assert held | elsewhere == results.RESULTS.keys()
