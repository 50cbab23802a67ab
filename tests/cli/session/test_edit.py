"""`pawsctl session edit` as its users run it; their editor is a script."""

import json
import os
import signal
import stat
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.sessions.contract import json_text
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.processes import wait_until
from tests.servers import Server
from tests.terminal import screen

KEY = "wh:session:+1"
STORED = (
    rb'{"status":"active","messages":[{"role":"user","content":"ma\u00f1ana \ud83d","n":1.10}],'
    rb'"updatedAt":1704067200000.50,"seq":12345678901234567890123,"x":[],"y":{}}'
)


@pytest.fixture
def with_editor(pawsctl: Pawsctl, tmp_path: Path) -> Pawsctl:
    """pawsctl whose editor is a shell script, the value of $DO; the file is $1."""
    script = tmp_path / "an editor"
    script.write_text('#!/bin/sh\nprintf "%s" "$1" >"$HOME/path"\neval "$DO"\n')
    script.chmod(0o755)
    pawsctl.environment |= {"EDITOR": f"'{script}'", "VISUAL": ""}
    return pawsctl


def _store(server: Server) -> object:
    server.client.set(KEY, STORED, px=9_876_543)
    return server.client.execute_command("PEXPIRETIME", KEY)


def _left(pawsctl: Pawsctl) -> list[Path]:
    """Return the files that are left in the folder of edits."""
    return sorted((pawsctl.folder / "state" / "pawsctl" / "session.edits").iterdir())


def test_an_edit_changes_what_was_edited_alone(with_editor: Pawsctl, server: Server) -> None:
    """Numbers, unknown fields, escapes and the TTL stay; the file was private and is gone."""
    expiry = _store(server)
    do = 'stat -c %a "$1" >mode; cp "$1" seen; sed -i s/active/open/ "$1"'
    done = with_editor("session", "edit", "+1", "--json", env={"DO": do})
    assert done.status == ExitStatus.OK, done.err
    assert done.json["state"] == "edited"
    assert server.client.get(KEY) == STORED.replace(b"active", b"open")
    assert server.client.execute_command("PEXPIRETIME", KEY) == expiry
    assert (with_editor.folder / "mode").read_text() == "600\n"
    seen = (with_editor.folder / "seen").read_text()
    assert '\n      "n": 1.10\n' in seen
    assert json.loads(seen) == json.loads(STORED)
    path = Path((with_editor.folder / "path").read_text())
    assert path.name == "+1.json"
    assert _left(with_editor) == []


def test_what_is_not_saved_is_not_written(with_editor: Pawsctl, server: Server) -> None:
    """An editor that fails, leaves no file, changes nothing or spaces alone; a lost session."""
    expiry = _store(server)
    for do in ("true", 'echo >>"$1"'):
        same = with_editor("session", "edit", "+1", env={"DO": do})
        assert (same.status, same.text) == (ExitStatus.OK, "+1  unchanged\n")
    for do in ("exit 3", 'rm "$1"', "kill -9 $$"):
        failed = with_editor("session", "edit", "+1", env={"DO": do})
        assert failed.status == ExitStatus.FAILED
        assert "nothing was changed" in failed.err
    assert with_editor("session", "edit", "+2").status == ExitStatus.NO_SESSION
    none = with_editor("session", "edit", "+1", env={"VISUAL": "no-such-editor --wait"})
    assert none.status == ExitStatus.USAGE
    assert "VISUAL names 'no-such-editor --wait'" in none.err
    unset = with_editor("session", "edit", "+1", env={"EDITOR": ""})
    assert (unset.status, "No editor is set" in unset.err) == (ExitStatus.USAGE, True)
    assert server.client.get(KEY) == STORED
    assert server.client.execute_command("PEXPIRETIME", KEY) == expiry
    assert _left(with_editor) == []


@pytest.mark.parametrize(
    ("do", "fault"),
    [
        ('printf "{" >"$1"', "json: not JSON"),
        (': >"$1"', "json: the value is empty"),
        ('sed -i s/user/nobody/ "$1"', "role: message 1 has the role 'nobody'"),
        ('sed -i \'s/"n": 1.10/"n": 01/\' "$1"', "json: not JSON"),
    ],
)
def test_what_lint_would_find_is_not_written(
    with_editor: Pawsctl, server: Server, do: str, fault: str
) -> None:
    """The edited text is kept, for this user only."""
    _store(server)
    refused = with_editor("session", "edit", "+1", "--json", env={"DO": do})
    assert refused.status == ExitStatus.FAILED
    assert fault in refused.error["message"]
    assert server.client.get(KEY) == STORED
    (kept,) = _left(with_editor)
    assert str(kept) in refused.error["message"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_broken_value_can_be_edited(with_editor: Pawsctl, server: Server) -> None:
    """A value that is no JSON is shown as it is; what was broken before may stay so."""
    server.client.set(KEY, (SAMPLES / "broken" / "truncated.txt").read_bytes())
    done = with_editor("session", "edit", "+1", env={"DO": 'printf \'"}]}\' >>"$1"'})
    assert done.status == ExitStatus.FAILED
    assert "updated-at" in done.err
    done = with_editor("session", "edit", "+1", env={"DO": 'printf \'"}],"updatedAt":1}\' >>"$1"'})
    assert (done.status, done.text.splitlines()[1:]) == (
        ExitStatus.OK,
        ["  ! no-ttl: the session never expires"],
    )
    value = server.client.get(KEY)
    assert isinstance(value, bytes)
    assert json.loads(value)["messages"] == [{"role": "user", "content": "Ho"}]


@pytest.mark.parametrize("change", ["SET wh:session:+1 {}", "DEL wh:session:+1"])
def test_a_session_that_changed_meanwhile_is_left(
    with_editor: Pawsctl, server: Server, change: str
) -> None:
    """Both versions are kept; a session that is gone is not brought back."""
    _store(server)
    cli = f"exec 3<>/dev/tcp/127.0.0.1/{server.port}; printf '{change}\\r\\n' >&3; head -1 <&3"
    do = f'sed -i s/active/mine/ "$1"; bash -c "{cli}"'
    refused = with_editor("session", "edit", "+1", env={"DO": do})
    is_there = change.startswith("SET")
    assert refused.status == (ExitStatus.FAILED if is_there else ExitStatus.NO_SESSION)
    assert server.client.get(KEY) == (b"{}" if is_there else None)
    kept = {each.name.rpartition("-")[2]: each.read_text() for each in _left(with_editor)}
    assert '"status": "mine"' in kept.pop("edited.json")
    assert kept == ({"stored.json": "{}\n"} if is_there else {})
    assert all(str(each) in refused.err.replace("\n", " ") for each in _left(with_editor))


def test_a_draft_is_removed_whatever_ends_the_command(with_editor: Pawsctl, server: Server) -> None:
    """SIGTERM while the editor is open; what SIGKILL leaves goes with the next edit."""
    _store(server)
    with_editor.environment["DO"] = "echo $$ >pid; touch open; exec sleep 60"
    is_open = with_editor.folder / "open"
    for number in (signal.SIGTERM, signal.SIGKILL):
        process = with_editor.start("session", "edit", "+1")
        wait_until(is_open.exists, "an open editor")
        is_open.unlink()
        process.send_signal(number)
        if number == signal.SIGKILL:
            process.wait(timeout=30)
            os.kill(int((with_editor.folder / "pid").read_text()), signal.SIGTERM)
        process.communicate(timeout=30)
        assert len(_left(with_editor)) == (number == signal.SIGKILL)
    assert with_editor("session", "edit", "+1", env={"DO": "true"}).status == ExitStatus.OK
    assert _left(with_editor) == []


def test_on_a_terminal_a_broken_text_can_be_edited_again(
    with_editor: Pawsctl, server: Server
) -> None:
    """With the text as it was left."""
    _store(server)
    with_editor.environment["DO"] = (
        'if [ -e once ]; then sed -i s/nobody/user/\\;s/active/open/ "$1"; '
        'else touch once; sed -i s/user/nobody/ "$1"; fi'
    )
    shown = screen(with_editor, "session", "edit", "+1", columns=120, typed=b"y\n")
    assert shown.status == 0, shown.lines
    assert any("breaks a rule" in line for line in shown.lines)
    assert server.client.get(KEY) == STORED.replace(b"active", b"open")


def test_indenting_and_back_changes_no_token() -> None:
    """Also of empty lists, brackets in texts, and bytes that are no UTF-8."""
    for text in (STORED.decode(), '[[],{},"[{,:}] \\" ",[{"a":[1,-2.0e+5,null]}]]', "\udcf1", '""'):
        assert json_text.compact(json_text.pretty(text)) == text
    assert json_text.pretty('{"a":[1,{"b":[]}]}') == (
        '{\n  "a": [\n    1,\n    {\n      "b": []\n    }\n  ]\n}\n'
    )
