"""The behaviour that both engines share, tested through the command line."""

import re
import socket

from tests.imports import loaded
from tests.stack_fixtures import Stack

SESSION = "wh:session:+1234"


def test_up_returns_when_redis_answers(stack: Stack) -> None:
    """A script need not wait after `up`."""
    done = stack("redis", "up")

    assert done.status == 0, done.err
    with stack.client() as client:
        assert client.ping()
    assert f"redis://127.0.0.1:{stack.port}" in done.text


def test_commands_of_every_day_load_only_what_their_engine_needs(running: Stack) -> None:
    """No parser of YAML, and on Docker nothing that looks at processes; its SDK loads requests."""
    needed = {
        "docker": {"docker", "requests", "redis", "asyncio"},
        "embedded": {"psutil", "redis", "asyncio"},
    }
    for command in ("status", "logs", "up"):
        assert loaded(running, "redis", command) <= needed[running.engine], command


def test_a_second_up_changes_nothing(running: Stack) -> None:
    """`up` is safe to repeat."""
    before = running("redis", "status", "--json").json["services"][0]

    done = running("redis", "up", "--json")

    after = running("redis", "status", "--json").json["services"][0]
    assert done.json["services"][0]["action"] == "running"
    assert after["name"] == before["name"]
    assert after["uptime"] >= before["uptime"]


def test_a_session_is_there_after_down_and_up_with_its_ttl_running(stack: Stack) -> None:
    """`down` keeps the data."""
    stack("redis", "up")
    with stack.client() as client:
        client.set(SESSION, "{}", ex=3600)

    down = stack("redis", "down")
    up = stack("redis", "up")

    assert (down.status, up.status) == (0, 0)
    with stack.client() as client:
        assert client.get(SESSION) == b"{}"
        assert 3500 < client.ttl(SESSION) <= 3600


def test_what_was_stopped_starts_again_with_its_data(stack: Stack) -> None:
    """`stop` and `start` are a pair."""
    stack("redis", "up")
    with stack.client() as client:
        client.set(SESSION, "{}")

    stopped = stack("redis", "stop", "--json")
    status = stack("redis", "status", "--json")
    started = stack("redis", "start", "--json")

    assert stopped.json["stopped"] == [stack.container]
    assert (status.status, status.json["services"][0]["state"]) == (1, "exited")
    assert started.json["services"][0]["action"] == "started"
    with stack.client() as client:
        assert client.get(SESSION) == b"{}"


def test_restart_gives_another_process_the_same_data(stack: Stack) -> None:
    """`restart` ends the server cleanly and starts it again."""
    stack("redis", "up")
    with stack.client() as client:
        client.set(SESSION, "{}")
        before = client.info("server")["run_id"]

    done = stack("redis", "restart")

    assert done.status == 0, done.err
    with stack.client() as client:
        assert client.info("server")["run_id"] != before
        assert client.get(SESSION) == b"{}"


def test_restart_stops_nothing_that_could_not_start_again(stack: Stack) -> None:
    """The settings name another port by now, which is taken."""
    stack("redis", "up")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = stack("redis", "restart", env={"REDIS_PORT": str(listener.getsockname()[1])})

    assert done.status == 7
    with stack.client() as client:
        assert client.ping()


def test_start_without_anything_to_start_says_what_to_do(stack: Stack) -> None:
    """Nothing exists before the first `up`."""
    done = stack("redis", "start")

    assert done.status == 1
    assert "pawsctl redis up" in done.err


def test_reset_deletes_nothing_unless_it_is_confirmed(stack: Stack) -> None:
    """Without a terminal, only --yes confirms."""
    stack("redis", "up")
    with stack.client() as client:
        client.set(SESSION, "{}")

    done = stack("redis", "reset")

    assert done.status == 3
    assert "(1 key)" in done.err
    with stack.client() as client:
        assert client.exists(SESSION)


def test_reset_starts_again_with_no_data(stack: Stack) -> None:
    """`reset --yes` leaves an empty Redis that answers."""
    stack("redis", "up")
    with stack.client() as client:
        client.set(SESSION, "{}")

    done = stack("redis", "reset", "--yes")

    assert done.status == 0, done.err
    with stack.client() as client:
        assert client.dbsize() == 0


def test_down_with_volumes_asks_before_it_deletes_data(stack: Stack) -> None:
    """Without a confirmation no data is deleted."""
    stack("redis", "up")

    refused = stack("redis", "down", "--volumes")
    running = stack("redis", "status")

    assert (refused.status, running.status) == (3, 0)


def test_down_with_volumes_deletes_the_data(stack: Stack) -> None:
    """The next `up` begins empty."""
    stack("redis", "up")
    with stack.client() as client:
        client.set(SESSION, "{}")

    down = stack("redis", "down", "--volumes", "--yes")
    stack("redis", "up")

    assert down.status == 0
    with stack.client() as client:
        assert client.dbsize() == 0


def test_a_dry_run_of_down_names_all_and_removes_nothing(stack: Stack) -> None:
    """`down` then removes exactly what --dry-run names."""
    stack("redis", "up")

    planned = stack("redis", "down", "--volumes", "--dry-run", "--json")
    still = stack("redis", "status")
    removed = stack("redis", "down", "--volumes", "--yes", "--json")

    assert still.status == 0
    assert planned.json["dry_run"] is True

    def names(things: list[dict[str, str]]) -> list[str]:
        return sorted(each["name"] for each in things)

    assert names(planned.json["removed"]) == names(removed.json["removed"])


def test_down_of_nothing_is_no_failure(stack: Stack) -> None:
    """`down` is safe to repeat."""
    done = stack("redis", "down")

    assert (done.status, done.text) == (0, "Nothing to remove.\n")


def test_down_v_says_that_it_keeps_the_data(stack: Stack) -> None:
    """Who knows `docker compose down -v` expects it to be deleted."""
    assert "--volumes deletes the data" in stack("redis", "down", "-v").err
    assert "--volumes" not in stack("redis", "down").err


def test_status_before_the_first_up_is_absent_and_exits_with_1(stack: Stack) -> None:
    """A script can test whether Redis runs."""
    done = stack("redis", "status", "--json")

    assert done.status == 1
    assert done.json["services"] == [
        {
            "service": "redis",
            "name": stack.container,
            "state": "absent",
            "health": None,
            "ports": [],
            "uptime": None,
        }
    ]


def test_status_tells_what_runs(running: Stack) -> None:
    """Engine, URL, state, health, ports, memory and keys."""
    done = running("redis", "status", "--json")

    found = done.json
    assert done.status == 0
    assert list(found) == ["engine", "url", "services", "memory", "keys", "problem"]
    assert found["engine"] == running.engine
    assert found["url"] == f"redis://127.0.0.1:{running.port}"
    assert found["memory"]["maximum"] == 256 << 20
    (service,) = found["services"]
    assert list(service) == ["service", "name", "state", "health", "ports", "uptime"]
    assert service["state"] == "running"
    assert service["health"] in ("healthy", "starting")
    assert service["ports"][0].startswith(f"127.0.0.1:{running.port}")


def test_redis_runs_as_the_compose_file_says(running: Stack) -> None:
    """AOF, memory limit and eviction policy apply on both engines."""
    with running.client() as client:
        found = client.config_get("*")

    wanted = {
        "appendonly": "yes",
        "maxmemory": str(256 << 20),
        "maxmemory-policy": "allkeys-lru",
    }
    assert {name: found[name] for name in wanted} == wanted


def test_a_url_is_no_business_of_the_stack(bare_stack: Stack) -> None:
    """The stack's commands refuse --url, since they act on this project's Redis only."""
    done = bare_stack("redis", "status", "--url", "redis://example.invalid")

    assert done.status == 2
    assert "--url does not apply" in done.err


def test_cli_ends_with_the_exit_status_of_redis_cli(running: Stack) -> None:
    """Scripts see the same status as from redis-cli."""
    fine = running.cli("ping")
    failed = running.cli("--", "-e", "nonsense")

    assert (fine.status, fine.text) == (0, "PONG\n")
    assert failed.status == 1
    assert "unknown command" in failed.text + failed.err


def test_cli_hands_on_options_and_stdin(running: Stack) -> None:
    """Arguments after the first word or `--` go to redis-cli, and so does stdin."""
    commands = running.cli(stdin=b"echo one\necho two\n")
    value = running.cli("--", "-x", "echo", stdin=b"three")
    option = running.cli("echo", "--json")

    assert (commands.text, value.text, option.text) == ("one\ntwo\n", "three\n", "--json\n")


def test_logs_are_cut_to_the_last_lines(running: Stack) -> None:
    """--tail counts lines."""
    done = running("redis", "logs", "--tail", "2")

    lines = done.text.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("redis           | ") for line in lines)
    assert "Ready to accept connections" in lines[-1]


def test_logs_have_times_and_no_prefix_where_asked(running: Stack) -> None:
    """--timestamps and --no-log-prefix."""
    done = running("redis", "logs", "-n", "1", "-t", "--no-log-prefix")

    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \d+:M ", done.text)


def test_logs_since_a_time_to_come_are_empty(running: Stack) -> None:
    """--since takes a time or a time span."""
    recent = running("redis", "logs", "--since", "1h")
    none = running("redis", "logs", "--since", "2999-01-01T00:00:00")

    assert "Ready to accept connections" in recent.text
    assert (none.status, none.text) == (0, "")


def test_logs_since_before_computers_are_all(running: Stack) -> None:
    """Docker counts from 1970, and accepts no earlier time."""
    everything = running("redis", "logs").text

    for since in ("1960-01-01", "1970-01-01"):
        assert running("redis", "logs", "--since", since).text == everything


def test_logs_as_json_are_one_array(running: Stack) -> None:
    """Each line has its service and time."""
    done = running("redis", "logs", "-n", "1", "--json")

    (line,) = done.json
    assert list(line) == ["service", "time", "text"]
    assert line["service"] == "redis"
    assert line["time"].endswith("Z")


def test_followed_logs_end_when_redis_stops(stack: Stack) -> None:
    """-f prints new lines, and ends with the server."""
    stack("redis", "up")
    following = stack.start("redis", "logs", "-f")

    assert following.stdout is not None
    # Its first line shows that it is following.
    first = following.stdout.readline()
    stack("redis", "stop")
    rest, _ = following.communicate(timeout=20)

    assert following.returncode == 0
    assert b"bye bye" in first + rest


def test_logs_of_an_unknown_service_name_the_known_ones(running: Stack) -> None:
    """A typing error is wrong usage."""
    done = running("redis", "logs", "rediss")

    assert done.status == 2
    assert "redis-commander" in done.err


def test_a_tail_may_be_all(running: Stack) -> None:
    """As for `docker logs`, which also takes -1; other words are wrong usage."""
    everything = running("redis", "logs").text

    for tail in ("all", "-1"):
        assert running("redis", "logs", "--tail", tail).text == everything
    assert running("redis", "logs", "--tail", "some").status == 2
