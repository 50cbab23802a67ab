"""Ctrl-C, SIGTERM and a closed terminal at any moment of a command, from its very start."""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.cli_runner import Pawsctl
from tests.servers import Server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to send")

# The script that users start; `python -m` would first run some of Python's own modules.
SCRIPT = Path(sys.executable).with_name("pawsctl")
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def _ended(
    pawsctl: Pawsctl, number: signal.Signals, after: float, *arguments: str
) -> tuple[int, str]:
    """Start a command that waits for ever, send the signal, and return status and stderr."""
    # Files left open by an interrupted import cause warnings that users don't see.
    environment = {k: v for k, v in pawsctl.environment.items() if k != "PYTHONWARNINGS"}
    process = subprocess.Popen(
        [SCRIPT, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=pawsctl.folder,
        env=environment,
    )
    time.sleep(after)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said.decode()


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_a_command_with_its_own_status(
    pawsctl: Pawsctl, number: signal.Signals
) -> None:
    """130, 143 or 129, as shells report it; session watch never ends by itself."""
    watching = pawsctl.start("session", "watch", "--json")
    assert watching.stderr
    assert b"watching" in watching.stderr.readline().lower()

    watching.send_signal(number)
    watching.communicate(timeout=60)

    assert watching.returncode == SIGNALS[number]


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_while_it_starts_shows_no_traceback_of_ours(
    pawsctl: Pawsctl, number: signal.Signals
) -> None:
    """Before main() the system ends the process; later it is reported like any interruption.

    `import -` waits for its stdin, so the command never ends before the signal comes.
    """
    for step in range(24):
        status, said = _ended(pawsctl, number, step * 0.015, "session", "import", "-")

        assert "src/pawsctl" not in said, (step, said)
        assert "Exception ignored" not in said, (step, said)
        # We can't change what Python prints for a Ctrl-C during its own start; it may be one word.
        if "raceback" not in said and said != "KeyboardInterrupt\n":
            assert status in (SIGNALS[number], -number), (step, said)


@pytest.mark.parametrize("command", ["import -", "verify a.jsonl"])
def test_no_temporary_file_is_left(pawsctl: Pawsctl, command: str) -> None:
    """Python writes one to find out whether the folder for them can be written; it goes first."""
    assert pawsctl("session", "export", "a.jsonl").status == 0
    folder = Path(tempfile.gettempdir())
    before = set(folder.iterdir())
    moment, words = f"os.remove {folder}/", ("session", *command.split())
    ended = pawsctl.signalled(signal.SIGTERM, moment, *words, stdin=subprocess.PIPE)
    ended.communicate(timeout=60)

    assert ended.returncode == 143
    assert set(folder.iterdir()) == before


def _run(pawsctl: Pawsctl, code: str) -> tuple[int, bytes]:
    """Run Python code that runs pawsctl in its own way; return status and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        env=pawsctl.environment,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stderr


def test_a_class_body_that_is_interrupted_is_an_interruption(pawsctl: Pawsctl) -> None:
    """Python wraps exceptions raised in `__set_name__` in a RuntimeError."""
    code = """
import os, signal, sys
from pawsctl.cli import app

class Interrupts:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), signal.SIGTERM)

def invoke(*_):
    class Body:
        attribute = Interrupts()

app._invoke = invoke
sys.argv = ["pawsctl", "health", "--json"]
from pawsctl.__main__ import main
main()
"""
    status, said = _run(pawsctl, code)
    assert (status, said) == (
        143,
        b'{"error":{"code":"interrupted","message":"Interrupted.","hint":""}}\n',
    )


def test_an_interruption_that_is_repeated_too_late_changes_nothing(pawsctl: Pawsctl) -> None:
    """The first signal has already ended the command, and its status stands."""
    code = """
import os, signal, time
from pawsctl import __main__
from pawsctl import process_setup
from pawsctl.cli import app

def run(_arguments):
    signal.raise_signal(signal.SIGTERM)

def late():
    settled()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)

settled, process_setup.let_go = process_setup.let_go, late
app.run = run
__main__.main()
"""
    assert _run(pawsctl, code) == (143, b"")


def test_an_interruption_that_python_ignores_comes_again(pawsctl: Pawsctl) -> None:
    """Python ignores it in a destructor, or while an import releases its lock."""
    code = """
import time
from pawsctl import __main__
from pawsctl.cli import app

class Late:
    def __del__(self):
        raise KeyboardInterrupt

def run(_arguments):
    Late()
    time.sleep(300)
    return 0

app.run = run
__main__.main()
"""
    assert _run(pawsctl, code) == (130, b"")


def test_a_signal_before_or_after_a_command_shows_no_traceback() -> None:
    """At each instruction: 130, or 0 if the command has done its work."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.interrupting_ends"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    # The last line says that there was no further instruction.
    ends = done.stdout.decode().splitlines()[:-1]
    assert {each.strip() for each in ends} == {"0", "130"}
    # Far fewer would not be the code around a command.
    assert len(ends) > 300


def test_a_signal_just_before_signals_are_held_back_leaves_none_blocked(
    pawsctl: Pawsctl,
) -> None:
    """Python handles it in the call that blocks them."""
    code = """
import signal, sys
from pawsctl import process_setup

change = signal.pthread_sigmask

def handling(how, numbers):
    found = change(how, numbers)
    if numbers and how == signal.SIG_BLOCK:
        raise KeyboardInterrupt
    return found

signal.pthread_sigmask = handling
try:
    with process_setup.undisturbed():
        pass
except KeyboardInterrupt:
    sys.stderr.write(str(change(signal.SIG_BLOCK, [])))
"""
    assert _run(pawsctl, code) == (0, b"set()")


_INTERRUPTED_THERE = """
import signal, sys
from pawsctl.{module} import {name}
from pawsctl.__main__ import main

def interrupted(*_):
    signal.raise_signal(signal.SIGINT)

{name}.{method} = interrupted
sys.argv = ["pawsctl", *{words}]
main()
"""


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("seed 3", "3 sessions were written."),
        ("import {archive}", "3 of 3 sessions were gone through: 3 imported, 0 kept"),
        ("copy --all --to {url}/9", "3 sessions were copied."),
        ("import {archive} --dry-run", "3 of 3 sessions were gone through, and none was written."),
        (
            "copy --all --to {url}/9 --dry-run",
            "3 sessions were gone through, and none was written.",
        ),
    ],
)
@pytest.mark.parametrize("is_last", [False, True])
def test_an_interruption_after_the_last_write_says_what_was_written(
    pawsctl: Pawsctl, server: Server, command: str, expected: str, *, is_last: bool
) -> None:
    """While Redis is asked whether it evicted keys, and just before the result is printed."""
    archive = pawsctl.folder / "a.jsonl"
    assert pawsctl("session", "seed", "3", "--seed", "7").status == 0
    assert pawsctl("session", "export", str(archive)).status == 0
    if command.startswith("import"):
        server.client.flushall()
    module, name, method = "sessions.store.evictions", "Evictions", "count"
    if is_last:
        module, name, method = "cli.output.stdout", "Output", "show"
    words = ["session", *command.format(url=server.url, archive=archive).split()]
    code = _INTERRUPTED_THERE.format(module=module, name=name, method=method, words=words)
    status, said = _run(pawsctl, code)

    assert (status, f"error: Interrupted: {expected}" in said.decode()) == (130, True)


@pytest.mark.slow
def test_a_signal_in_code_that_python_was_given_as_text_keeps_its_status(
    pawsctl: Pawsctl,
) -> None:
    """`python -m` would then end as by Ctrl-C: named tuples are made from such code at start-up."""
    (pawsctl.folder / "sitecustomize.py").write_text("""
import builtins, os, sys

python_eval = builtins.eval

def first(*arguments):
    if "pawsctl.process_setup" not in sys.modules:
        return python_eval(*arguments)
    builtins.eval = python_eval
    return python_eval("os.kill(os.getpid(), 15)", {"os": os})

builtins.eval = first
""")
    process = pawsctl.start("config", env={"PYTHONPATH": str(pawsctl.folder)})
    process.communicate(timeout=60)
    assert process.returncode == 143
