"""Failures as users and scripts see them: message, hint and exit status."""

import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests import servers
from tests.cli_runner import Pawsctl
from tests.ports import free_port
from tests.servers import Server

SECRET = "hunter2"


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Server]:
    """A server with a password."""
    with servers.running(tmp_path, password=SECRET) as server:
        yield server


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """A port that answers every request with the same bytes, unlike any Redis."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_redis_that_is_not_running_is_named_with_the_command_that_starts_it(
    bare_pawsctl: Pawsctl,
) -> None:
    """Exit 5."""
    result = bare_pawsctl("session", "list", env={"REDIS_URL": f"redis://localhost:{free_port()}"})
    assert result.status == ExitStatus.UNREACHABLE
    assert result.out == b""
    assert "connection was refused" in result.err
    assert "pawsctl redis up" in result.err


def test_a_redis_that_is_stuck_is_not_to_be_started(bare_pawsctl: Pawsctl) -> None:
    """It has the port, and takes connections, so that `redis up` would be refused."""
    with socket.create_server(("127.0.0.1", 0)) as stuck:
        url = f"redis://127.0.0.1:{stuck.getsockname()[1]}"
        result = bare_pawsctl("session", "list", "--timeout", "0.5", env={"REDIS_URL": url})
    assert result.status == ExitStatus.UNREACHABLE
    assert "it did not answer in time" in result.err
    assert "redis up" not in result.err
    assert "→ It takes connections, and may be busy or stuck" in result.err
    assert "this one is from REDIS_URL in the environment" in result.err


def test_the_default_redis_is_named_with_the_command_that_starts_it(bare_pawsctl: Pawsctl) -> None:
    """`redis up` follows REDIS_PORT."""
    result = bare_pawsctl("session", "list", env={"REDIS_PORT": str(free_port())})
    assert result.status == ExitStatus.UNREACHABLE
    assert "pawsctl redis up" in result.err


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://localhost:1", "the connection was refused."),
        ("unix:///nosuch.sock", "no such file or directory."),
        ("redis://no.such.host.invalid", "no.such.host.invalid can't be found: "),
        ("redis+cluster://localhost:1", "the connection was refused."),
        ("redis+sentinel://localhost:1/mymaster", "the connection was refused."),
    ],
)
def test_what_redis_up_would_not_start_is_no_reason_to_run_it(
    bare_pawsctl: Pawsctl, url: str, reason: str
) -> None:
    """The hint is to check the URL; the reason is in plain words."""
    result = bare_pawsctl("session", "list", "--url", url, "--failover-timeout", "0.1")
    assert result.status == ExitStatus.UNREACHABLE
    assert reason in result.err
    assert "redis up" not in result.err
    assert "Look at --url and REDIS_URL ('pawsctl config')" in result.err
    assert "rror" not in result.err.removeprefix("error: ")


@pytest.mark.parametrize(("options", "url"), [(["-n", "99"], ""), ([], "/99")])
def test_a_database_that_is_not_there_is_told_by_its_number(
    bare_pawsctl: Pawsctl, server: Server, options: list[str], url: str
) -> None:
    """The hint does not refer to Redis's log, which says no more."""
    result = bare_pawsctl("session", "list", "--url", server.url + url, *options)
    assert result.status == ExitStatus.FAILED
    assert "has no database 99." in result.err
    assert "'databases'" in result.err


@pytest.mark.parametrize(
    "options",
    [
        ["-n", "9" * 21],
        ["--url", "redis://localhost/" + "9" * 5_000],
        ["--url", "redis://localhost/abc"],
    ],
)
def test_what_can_be_no_database_is_wrong_usage(bare_pawsctl: Pawsctl, options: list[str]) -> None:
    """The message does not blame a password if there is none."""
    result = bare_pawsctl("session", "list", *options)
    assert result.status == ExitStatus.USAGE
    assert "a number from 0 to 2147483647" in result.err
    assert "ercent-encode" not in result.err


@pytest.mark.parametrize("command", [["test-session"], ["session", "seed", "1"]])
def test_a_refusal_ends_in_one_full_stop(
    pawsctl: Pawsctl, server: Server, command: list[str]
) -> None:
    """Some of Redis's own messages already end in one."""
    server.client.config_set("maxmemory", 1)
    try:
        result = pawsctl(*command)
    finally:
        server.client.config_set("maxmemory", 0)
    told = result.err + result.text
    assert "'maxmemory'" in told
    assert ".." not in told


@pytest.mark.parametrize("name", ["--timeout", "--connect-timeout", "--failover-timeout"])
@pytest.mark.parametrize("value", ["0", "99999999999", "1e99", "nan"])
def test_a_timeout_out_of_bounds_names_both(bare_pawsctl: Pawsctl, name: str, value: str) -> None:
    """Exit 2."""
    result = bare_pawsctl("session", "list", name, value)
    assert result.status == ExitStatus.USAGE
    assert "above 0, 86400 at most" in result.err


def test_json_mode_ends_stderr_with_an_error_object(bare_pawsctl: Pawsctl) -> None:
    """It has code, message and hint for scripts; stdout stays empty."""
    result = bare_pawsctl("--json", "--url", f"redis://localhost:{free_port()}", "session", "list")
    assert result.out == b""
    assert result.error["code"] == "unreachable"
    assert set(result.error) == {"code", "message", "hint"}


@pytest.mark.parametrize("command", [["session", "list"], ["test-session"]])
def test_a_wrong_password_is_told_and_never_shown(
    bare_pawsctl: Pawsctl, locked: Server, command: list[str]
) -> None:
    """Exit 5, and the password appears nowhere."""
    url = f"redis://:wrong-one@127.0.0.1:{locked.port}"
    result = bare_pawsctl(*command, "--url", url, "-v")
    assert result.status == ExitStatus.UNREACHABLE
    assert "refuses the login" in result.err
    assert "wrong-one" not in result.err


def test_a_missing_password_is_asked_for(bare_pawsctl: Pawsctl, locked: Server) -> None:
    """NOAUTH becomes a sentence with a hint."""
    result = bare_pawsctl("session", "list", "--url", locked.url)
    assert result.status == ExitStatus.UNREACHABLE
    assert "asks for a password" in result.err


@pytest.mark.parametrize("name", ["REDIS_PASSWORD", "REDISCLI_AUTH"])
def test_a_password_in_the_environment_completes_a_local_url(
    bare_pawsctl: Pawsctl, locked: Server, name: str
) -> None:
    """Both variables work on loopback."""
    result = bare_pawsctl("session", "list", "--url", locked.url, env={name: SECRET})
    assert result.status == ExitStatus.OK


@pytest.mark.parametrize("password", ["pa/ss", "pa#ss", "pa?ss=1", "p@ss/x", "pa:ss/"])
def test_a_url_with_an_unescaped_password_is_not_echoed(
    bare_pawsctl: Pawsctl, password: str
) -> None:
    """Exit 2; the message explains the escaping and shows no part of the URL."""
    result = bare_pawsctl("session", "list", "--url", f"redis://:{password}@localhost:1/0")
    assert result.status == ExitStatus.USAGE
    assert "ercent-encode" in result.err or "%3F" in result.err
    assert not any(part in result.err for part in (password, "pa/", "ss/", ":pa"))


def test_a_server_that_speaks_no_redis_is_no_crash(bare_pawsctl: Pawsctl) -> None:
    """For example, an HTTP server on the port."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        result = bare_pawsctl("session", "list", "--url", f"redis://127.0.0.1:{port}")
    assert result.status == ExitStatus.UNREACHABLE
    assert "something answers there that is not Redis" in result.err
    assert "redis up" not in result.err


def test_a_line_of_the_env_file_that_cannot_be_read_is_named(
    bare_pawsctl: Pawsctl, tmp_path: Path
) -> None:
    """Exit 2 with the line's number, counted as editors count."""
    (tmp_path / ".env").write_text("# a comment\n\nREDIS_PORT=6379\n\nREDIS_URL redis://x\n")
    result = bare_pawsctl("session", "list")
    assert result.status == ExitStatus.USAGE
    assert ".env, line 5," in result.err


def test_a_url_that_was_not_understood_lists_what_is(bare_pawsctl: Pawsctl) -> None:
    """The hint lists the known schemes."""
    result = bare_pawsctl("session", "list", "--url", "http://localhost")
    assert result.status == ExitStatus.USAGE
    assert "rediss://" in result.err


def test_an_unknown_phone_is_exit_4(pawsctl: Pawsctl) -> None:
    """For get and ttl alike; no result is printed."""
    for command in ("get", "ttl"):
        result = pawsctl("session", command, "+999")
        assert result.status == ExitStatus.NO_SESSION
        assert "No session is stored for +999" in result.err
    assert pawsctl("session", "get", "+999").out == b""


def test_a_phone_without_a_digit_is_wrong_usage(pawsctl: Pawsctl) -> None:
    """Exit 2."""
    assert pawsctl("session", "get", "hello").status == ExitStatus.USAGE


@pytest.mark.parametrize("command", ["get", "ttl", "touch", "delete"])
def test_an_empty_phone_and_an_empty_stdin_are_wrong_usage(pawsctl: Pawsctl, command: str) -> None:
    """An argument or a stdin that a script left empty by mistake must not look like success."""
    empty = pawsctl("session", command, "")
    assert (empty.status, empty.out) == (ExitStatus.USAGE, b"")
    assert "'' has no digit" in empty.err
    silent = pawsctl("session", command, "-", stdin=b"\n")
    assert (silent.status, silent.out) == (ExitStatus.USAGE, b"")
    assert "No phone on stdin." in silent.err


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_bytes_that_are_not_utf_8_are_told_as_bytes(pawsctl: Pawsctl, options: list[str]) -> None:
    """This covers stdin and arguments."""
    for result in (
        pawsctl("session", "ttl", "-", *options, stdin=b"\xff\xfe\n"),
        pawsctl("session", "ttl", b"\xff\xfe", *options),
    ):
        assert result.status == ExitStatus.USAGE
        message = result.error["message"] if options else result.err
        assert r"'\xff\xfe' has no digit" in message


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["redi", "up"], "'redis'"),
        (["test-sesion"], "'test-session'"),
        (["session", "lst"], "'list'"),
        (["redis", "stats"], "'status'"),
    ],
)
def test_a_mistyped_command_is_answered_with_the_one_meant(
    bare_pawsctl: Pawsctl, typed: list[str], meant: str
) -> None:
    """This works for groups and subcommands."""
    result = bare_pawsctl(*typed)
    assert result.status == ExitStatus.USAGE
    assert "Did you mean" in result.err
    assert meant in result.err


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (["session", "get", "-LWqK7"], "For an id that begins with -, write -- before it"),
        (["session", "delete", "--no-backup", "-9f"], "write -- before it"),
        (["session", "get", "-abc"], "write -- before it"),
        (["session", "list", "-a"], "Leave it out: it lists all"),
        (["session", "flush", "--all"], "Leave it out: without a filter, it deletes all."),
        (["session", "flush", "--older-than", "2h"], "Write --idle TIME."),
        (["session", "list", "--sort", "-ttl"], "--reverse turns it round"),
        (["session", "import", "a.jsonl", "--yes"], "Leave it out: it does not ask."),
        (["session", "touch", "+1", "-y"], "Leave it out: it does not ask."),
        (["session", "get", "--wrong", "+1"], "See 'pawsctl session get --help'."),
    ],
)
def test_an_option_that_is_none_is_answered_with_what_to_write(
    bare_pawsctl: Pawsctl, typed: list[str], hint: str
) -> None:
    """Ids of web sessions may begin with a dash."""
    result = bare_pawsctl(*typed)
    assert result.status == ExitStatus.USAGE
    assert hint in result.err


def test_wrong_usage_is_json_where_json_was_asked_for(pawsctl: Pawsctl) -> None:
    """This holds even if parsing fails before --json is reached."""
    result = pawsctl("session", "list", "--bogus", "--json")
    assert result.status == ExitStatus.USAGE
    assert result.error["code"] == "usage"


def test_a_refusal_of_redis_is_told_with_its_code(server: Server, pawsctl: Pawsctl) -> None:
    """For example, a user who may not SCAN: exit 1."""
    server.client.execute_command("ACL", "SETUSER", "blind", "on", ">x", "~*", "+@all", "-scan")
    try:
        url = f"redis://blind:x@127.0.0.1:{server.port}"
        result = pawsctl("session", "list", "--url", url)
    finally:
        server.client.execute_command("ACL", "DELUSER", "blind")
    assert result.status == ExitStatus.FAILED
    assert "NOPERM" in result.err


def test_a_password_file_completes_a_url(
    bare_pawsctl: Pawsctl, locked: Server, tmp_path: Path
) -> None:
    """REDIS_PASSWORD_FILE is read without its trailing newline."""
    file = tmp_path / "password"
    file.write_text(SECRET + "\n")
    file.chmod(stat.S_IRUSR)
    environment = {"REDIS_PASSWORD_FILE": str(file)}
    result = bare_pawsctl("session", "list", "--url", locked.url, env=environment)
    assert result.status == ExitStatus.OK


def test_a_closed_pipe_ends_quietly(pawsctl: Pawsctl, server: Server) -> None:
    """For example `pawsctl session list | head -1`."""
    pipe = server.client.pipeline(transaction=False)
    for number in range(20_000):
        pipe.set(f"wh:session:+{number}", b'{"status":"active","messages":[],"updatedAt":1}')
    pipe.execute()
    process = pawsctl.start("session", "list")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(30) == ExitStatus.OK
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize(
    "command",
    [
        "session flush --yes",
        "session export a.jsonl",
        "test-session",
        "session get +1",
        "session watch",
        "redis maxmemory 1gb --yes",
        "redis down --volumes --yes",
        "health",
    ],
)
def test_csv_of_what_is_no_list_is_refused_before_anything_is_done(
    pawsctl: Pawsctl, server: Server, command: str
) -> None:
    """Exit 2, and nothing is changed."""
    server.client.set("wh:session:+1", "{}", ex=60)
    result = pawsctl(*command.split(), "-o", "csv")
    assert result.status == ExitStatus.USAGE
    assert "no list to print as csv" in result.err
    assert server.client.keys() == [b"wh:session:+1"]
    assert server.client.config_get("maxmemory") == {"maxmemory": "0"}
    assert not list(pawsctl.folder.iterdir())


@pytest.mark.parametrize(
    ("arguments", "is_json"),
    [
        ("session list --bogus --json", True),
        ("session list -o json --bogus", True),
        ("session list --bogus -ojson", True),
        ("session list --bogus --output=json", True),
        ("session list --json --bogus -o text", False),
        ("session list --bogus -- --json", False),
        ("session list --bogus -o", False),
    ],
)
def test_wrong_usage_is_told_in_the_format_that_was_asked_for(
    bare_pawsctl: Pawsctl, arguments: str, is_json: bool
) -> None:
    """The option may stand anywhere on the command line."""
    result = bare_pawsctl(*arguments.split())
    assert result.status == ExitStatus.USAGE
    assert ('"code":"usage"' in result.err) == is_json


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("--timeout=9 redis status", "acts on this project's own containers"),
        ("--db=5 redis status", "acts on this project's own containers"),
        ("--prefer-replica redis status", "acts on this project's own containers"),
        ("redis cli --url=redis://a -- PING", "acts on this project's own containers"),
        ("session verify --url=redis://a a.jsonl", "restores into a server of its own"),
        ("session verify -n5 a.jsonl", "restores into a server of its own"),
        ("config --connect-timeout=3", "reaches no Redis"),
        ("--prefer-replica config --show-url", "reaches no Redis"),
    ],
)
def test_options_on_how_to_reach_a_redis_are_refused_where_none_is_reached(
    bare_pawsctl: Pawsctl, options: str, why: str
) -> None:
    """They would have no effect."""
    result = bare_pawsctl(*options.split())
    assert result.status == ExitStatus.USAGE
    assert f"does not apply: this command {why}." in result.err


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("session get +1 --json --last 1", "--last is about the transcript"),
        ("session get +1 -o jsonl --full", "--full is about the transcript"),
        ("session watch --last 3", "--last is about one conversation"),
        ("session watch +1 --match +2*", "--match is about many sessions"),
        ("session watch --interval 5ms", "'--interval'"),
        ("session list --url redis://h/1?db=2", "names two databases"),
    ],
)
def test_options_that_would_do_nothing_are_wrong_usage(
    bare_pawsctl: Pawsctl, command: str, said: str
) -> None:
    """Exit 2, and the message names the option."""
    result = bare_pawsctl(*command.split())
    assert result.status == ExitStatus.USAGE
    assert said in result.err


def test_a_working_directory_that_is_gone_is_told(bare_pawsctl: Pawsctl) -> None:
    """Without it, the nearest `.env` can't be found."""
    done = subprocess.run(
        [
            "sh",
            "-c",
            f"mkdir gone; cd gone; rmdir ../gone; exec {sys.executable} -m pawsctl config",
        ],
        capture_output=True,
        cwd=bare_pawsctl.folder,
        env=bare_pawsctl.environment,
        check=False,
    )
    assert done.returncode == ExitStatus.USAGE
    assert done.stderr.startswith(b"error: The working directory can't be used")


def test_an_interruption_is_told_to_programs(bare_pawsctl: Pawsctl) -> None:
    """The error object is the last line of stderr, as in every failure."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        process = bare_pawsctl.start("session", "list", "--json", "--timeout=30", "--url", url)
        connection, _ = listener.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=20)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert err.splitlines()[-1].startswith(b'{"error":{"code":"interrupted"')


def test_commands_on_the_stack_say_that_they_leave_another_machines_redis_alone(
    bare_pawsctl: Pawsctl,
) -> None:
    """Whoever looks why REDIS_URL does not answer would else start another Redis here."""
    sentence = "not on that of REDIS_URL, redis://redis.example.com:6379."
    far = {"REDIS_URL": "redis://:secret@redis.example.com", "REDIS_PORT": str(free_port())}
    for command in ("status", "logs"):
        told = bare_pawsctl("redis", command, env=far)
        assert sentence in told.err, command
        assert "secret" not in told.err
    for url in (f"redis://127.0.0.1:{far['REDIS_PORT']}", "redis://no port:x", ""):
        assert "not on that of" not in bare_pawsctl("redis", "logs", env={"REDIS_URL": url}).err
