"""`pawsctl test-session`."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.sessions.contract import keys
from pawsctl.sessions.contract.keyspace import BOT
from pawsctl.sessions.smoke.flow import Flow
from pawsctl.sessions.smoke.steps import steps_of
from tests import servers
from tests.cli_runner import Pawsctl
from tests.faults.proxy import Bend, Cut, bending
from tests.leaks import own_keys
from tests.ports import free_port
from tests.processes import wait_until
from tests.servers import Server

NAMES = [name for name, _ in steps_of(BOT)]
ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md"}


def test_every_step_passes_and_nothing_is_left_behind(tmp_path: Path, any_server: Server) -> None:
    """On Valkey and on Redis; keys that were there before stay."""
    any_server.client.set("wh:session:+1", "{}")
    result = Pawsctl(tmp_path, any_server.url)("test-session", "--json")
    assert result.status == ExitStatus.OK
    assert result.json["ok"] is True
    assert result.json["target"] == any_server.url
    assert [step["name"] for step in result.json["steps"]] == NAMES
    assert any_server.client.keys() == [b"wh:session:+1"]


def test_text_has_a_line_for_each_step(pawsctl: Pawsctl) -> None:
    """The last line sums up."""
    lines = pawsctl("test-session").text.splitlines()
    assert [line.startswith("✓ ") for line in lines] == [True] * len(NAMES) + [False]
    assert lines[-1].startswith(f"{len(NAMES)} of {len(NAMES)} steps passed")


def test_an_operation_slower_than_allowed_fails_its_step(pawsctl: Pawsctl) -> None:
    """Exit 1, and the later steps are reported as not run."""
    result = pawsctl("test-session", "--max-latency", "0.0001ms", "--json")
    assert result.status == ExitStatus.FAILED
    first, *rest = result.json["steps"]
    assert "more than 0.0001 ms" in first["detail"]
    assert {step["detail"] for step in rest} == {"not run, since 'connect' failed"}


def test_a_full_redis_fails_the_step_that_writes(pawsctl: Pawsctl, server: Server) -> None:
    """The step's detail has Redis's error message; doctor has the next step."""
    server.client.config_set("maxmemory", 1)
    server.client.config_set("maxmemory-policy", "noeviction")
    try:
        result = pawsctl("test-session", "--json")
        told = pawsctl("test-session")
    finally:
        server.client.config_set("maxmemory", 0)
    assert "'pawsctl doctor' says what to do about it." in told.err
    assert "doctor" not in pawsctl("test-session", "--max-latency", "0.0001ms").err
    assert result.status == ExitStatus.FAILED
    failed = next(step for step in result.json["steps"] if not step["ok"])
    assert failed["name"] == "first message"
    assert "OOM" in failed["detail"]


@pytest.mark.parametrize(
    ("command", "failed"),
    [
        ("test-session", "connect"),
        ("health", "connect"),
        ("session lint", "every session is read"),
    ],
)
def test_a_redis_that_cannot_be_reached_is_the_failed_step_of_every_report(
    bare_pawsctl: Pawsctl, tmp_path: Path, command: str, failed: str
) -> None:
    """JUnit, one annotation and the summary; the other steps are skipped; exit 5, no stdout."""
    result = bare_pawsctl(
        *command.split(),
        *("--url", "redis://127.0.0.1:1", "--json", "--junit", "report.xml"),
        env=ACTIONS,
    )
    assert result.status == ExitStatus.UNREACHABLE
    assert b'"ok":true' not in result.out
    assert result.error["code"] == "unreachable"
    assert result.err.count("::error ") == 1
    assert f"{failed}::Redis at redis://127.0.0.1:1 can't be reached" in result.err
    suite = ET.parse(tmp_path / "report.xml").getroot()  # noqa: S314 - our own file
    first, *rest = suite.iter("testcase")
    assert (first.get("name"), [each.tag for each in first]) == (failed, ["failure"])
    assert {each.tag for case in rest for each in case} == {"skipped"}
    assert (suite.get("failures"), suite.get("skipped")) == ("1", str(len(rest)))
    summary = (tmp_path / "summary.md").read_text()
    assert (summary.count("| ❌ |"), summary.count("| ⏭️ |")) == (1, len(rest))
    # Steps that did not run took no time.
    assert summary.count(" ms |") == 1


@pytest.mark.slow
def test_a_connection_lost_halfway_fails_the_step_that_it_was_lost_in(
    tmp_path: Path, server: Server
) -> None:
    """Earlier steps count as passed; --retry-for also deletes keys that the lost run left."""
    with bending(server.port, Bend(change=lose_from(10, 10_000))) as (port, _):
        pawsctl = Pawsctl(tmp_path, f"redis://127.0.0.1:{port}")
        assert pawsctl("test-session", "--junit", "r.xml").status == ExitStatus.UNREACHABLE
    suite = ET.parse(tmp_path / "r.xml").getroot()  # noqa: S314 - our own file
    tags = [next((each.tag for each in case), "") for case in suite.iter("testcase")]
    passed = tags.index("failure")
    assert 0 < passed < len(NAMES) - 1
    assert tags == [""] * passed + ["failure"] + ["skipped"] * (len(NAMES) - passed - 1)
    with bending(server.port, Bend(change=lose_from(10, 20))) as (port, _):
        pawsctl = Pawsctl(tmp_path, f"redis://127.0.0.1:{port}")
        result = pawsctl("test-session", "--retry-for", "60s")
    assert result.status == ExitStatus.OK
    assert "these keys may be left" in result.err
    assert server.client.keys() == []


def lose_from(first: int, last: int) -> Callable[[int, bytes], bytes]:
    """Return a change that closes the connection instead of the replies with these numbers."""

    def change(number: int, reply: bytes) -> bytes:
        if first <= number <= last:
            raise Cut(b"")
        return reply

    return change


def test_a_flow_is_repeated_until_redis_is_there(tmp_path: Path) -> None:
    """With --retry-for; only the last run is on stdout. `health --wait` does the same."""
    port = free_port()
    pawsctl = Pawsctl(tmp_path, f"redis://127.0.0.1:{port}")
    flow = pawsctl.start("test-session", "--retry-for", "60s")
    check = pawsctl.start("health", "--wait", "1m")
    for process in (flow, check):
        assert process.stderr is not None
        assert b"can't be reached" in process.stderr.readline()
    with servers.running(tmp_path, port=port) as server:
        out, _ = flow.communicate(timeout=60)
        healthy, _ = check.communicate(timeout=60)
        assert (flow.returncode, check.returncode) == (ExitStatus.OK, ExitStatus.OK)
        assert len(out.decode().splitlines()) == len(NAMES) + 1
        assert healthy.decode().splitlines()[-1] == f"healthy: {server.url}"
        assert server.client.keys() == []


def test_a_junit_report_holds_every_step(pawsctl: Pawsctl, tmp_path: Path) -> None:
    """After a failed step, the others are skipped."""
    report = tmp_path / "report.xml"
    assert pawsctl("test-session", "--junit", str(report)).status == ExitStatus.OK
    suite = ET.parse(report).getroot()  # noqa: S314 - our own file
    assert [case.get("name") for case in suite.iter("testcase")] == NAMES
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "0")
    slow = ("--max-latency", "0.0001ms")
    result = pawsctl(
        "test-session", "--junit", str(report), *slow, "--retry-for", "1ms", env=ACTIONS
    )
    suite = ET.parse(report).getroot()  # noqa: S314 - our own file
    assert (suite.get("failures"), suite.get("skipped")) == ("1", str(len(NAMES) - 1))
    assert result.text.splitlines()[-1].startswith(f"0 of {len(NAMES)} steps passed, 10 not run")
    assert result.err.count("::error title=pawsctl test-session%3A connect::") == 1


@pytest.mark.parametrize("command", [["test-session"], ["session", "lint"]])
@pytest.mark.parametrize("path", ["missing/report.xml", "."])
def test_a_report_that_cannot_be_written_is_told(
    pawsctl: Pawsctl, command: list[str], path: str
) -> None:
    """Exit 2, naming the file, before anything is done."""
    result = pawsctl(*command, "--junit", path, "--json")
    assert (result.status, result.out) == (ExitStatus.USAGE, b"")
    assert f"{path} can't be written" in result.error["message"]


def test_github_actions_gets_annotations_and_a_summary(pawsctl: Pawsctl, tmp_path: Path) -> None:
    """On stderr and in the file; stdout stays JSON."""
    summary = tmp_path / "summary.md"
    result = pawsctl(
        "test-session",
        "--max-latency",
        "0.0001ms",
        "--json",
        env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)},
    )
    assert result.json["ok"] is False
    assert "::error title=pawsctl test-session%3A connect::an operation took" in result.err
    assert "| ❌ | connect |" in summary.read_text()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.3, 0.6, 0.9])
def test_an_interrupted_flow_cleans_up(
    pawsctl: Pawsctl, server: Server, delay: float, end: signal.Signals
) -> None:
    """Ctrl-C, or SIGTERM from a runner: the signal's status, no key left, and a report."""
    process = pawsctl.start("test-session", "--junit", "report.xml")
    deadline = time.monotonic() + 10
    while not server.client.keys() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(delay / 3)
    process.send_signal(end)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + end, (out, err)
    assert server.client.keys() == []
    assert 'message="Interrupted."' in (pawsctl.folder / "report.xml").read_text()


_INTERRUPTED_CLEANING = """
import signal, sys
from pawsctl.__main__ import main
from pawsctl.sessions.smoke.flow import Flow

delete_left, interruptions = Flow.delete_left, [signal.SIGINT]

def interrupted(flow):
    if flow.left and interruptions:
        signal.raise_signal(interruptions.pop())
    delete_left(flow)

Flow.delete_left = interrupted
sys.argv = ["pawsctl", "test-session"]
main()
"""


def test_a_flow_that_is_interrupted_while_it_cleans_up_leaves_nothing(
    pawsctl: Pawsctl, server: Server
) -> None:
    """It cleans up once more; else its keys would stay for hours, and nobody would know."""
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED_CLEANING],
        capture_output=True,
        env=pawsctl.environment,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (130, b"")
    assert server.client.keys() == []


def test_two_flows_at_once_do_not_meet(pawsctl: Pawsctl, server: Server) -> None:
    """Each uses phones of its own."""
    processes = [pawsctl.start("test-session", "--json") for _ in range(3)]
    for process in processes:
        out, err = process.communicate(timeout=60)
        assert process.returncode == ExitStatus.OK, (out, err)
    assert server.client.keys() == []


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
@pytest.mark.parametrize(
    ("handler", "status"),
    [(signal.SIG_DFL, 129), (signal.SIG_IGN, 0)],
    ids=["as it is", "under nohup"],
)
def test_a_closed_terminal_leaves_nothing_behind(
    pawsctl: Pawsctl, server: Server, handler: signal.Handlers, status: int
) -> None:
    """Like Ctrl-C and SIGTERM; the step that waits for an expiry takes a second."""
    # A process inherits whether this signal is ignored; these tests may run under nohup.
    before = signal.signal(signal.SIGHUP, handler)
    try:
        process = pawsctl.start("test-session", is_fresh=True)
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_until(lambda: server.client.dbsize() > 0, "a session")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=20)
    assert process.returncode == status
    assert server.client.dbsize() == 0


def test_a_check_whose_output_nobody_reads_is_made_all_the_same(
    pawsctl: Pawsctl, server: Server
) -> None:
    """`| head -n 1` in CI must not turn a failure into a success."""
    server.client.set("wh:session:+1", "{}")
    line = 'set -o pipefail; "$@" | true'
    for command, status in (
        ("session lint --junit lint.xml", ExitStatus.FAILED),
        ("session ttl --check", ExitStatus.FAILED),
        ("session get +9 --json", ExitStatus.NO_SESSION),
        ("session delete +8 +9", ExitStatus.NO_SESSION),
        ("test-session --max-latency 0.0001ms", ExitStatus.FAILED),
        ("session list", ExitStatus.OK),
    ):
        done = subprocess.run(
            ["bash", "-c", line, "bash", sys.executable, "-m", "pawsctl", *command.split()],
            capture_output=True,
            cwd=pawsctl.folder,
            env=pawsctl.environment,
            check=False,
        )
        assert done.returncode == status, command
        assert b"Traceback" not in done.stderr
    assert (pawsctl.folder / "lint.xml").exists()


def test_its_keys_are_seen_if_a_test_leaves_them_behind(server: Server) -> None:
    """Every test ends with a look for keys of this form, see `tests.leaks`."""
    wanted: list[bytes] = []
    flow = Flow(None, wanted)  # type: ignore[arg-type]  # nothing is stored by it
    for key in (BOT.key(flow.phone), keys.seen_key(flow.message_id)):
        server.client.set(key, "1")
        wanted.append(key)
    server.client.mset({"wh:session:+5511999999999": "1", "wh:seen:1": "1"})
    assert own_keys(server) == {key.decode() for key in wanted}
    server.client.flushall()
