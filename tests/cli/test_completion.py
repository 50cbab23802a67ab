"""The Tab key, in real shells, for everything that completes."""

import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from pawsctl.cli import lookups
from pawsctl.cli.app import app
from pawsctl.cli.completion import candidates
from pawsctl.config.setting_specs import SETTING_SPECS
from pawsctl.errors import ExitStatus
from pawsctl.sessions.contract.rules import RULES
from pawsctl.sessions.query.sort_fields import SORT_FIELDS
from tests import shells
from tests.cli_runner import Pawsctl
from tests.docs import commands
from tests.servers import Server, store_session
from tests.shells import Shell, in_time

ROOT: Any = typer.main.get_command(app)
FORMATS = "text json jsonl"
RULE_IDS = " ".join(rule.id for rule in RULES)

# Typed words → their completion in every shell. The folder holds notes.txt alone.
CASES = {
    "pawsctl re": "pawsctl redis",
    "pawsctl session f": "pawsctl session flush",
    "pawsctl session list --never": "pawsctl session list --never-expires",
    "pawsctl session list -o ": f"pawsctl session list -o {FORMATS} csv",
    "pawsctl session get --output ": f"pawsctl session get --output {FORMATS}",
    "pawsctl redis status -o ": f"pawsctl redis status -o {FORMATS} env",
    "pawsctl -o jsonl": "pawsctl -o jsonl",
    "pawsctl help session f": "pawsctl help session flush",
    "pawsctl session get +598": "pawsctl session get +59891 +59892",
    "pawsctl session ttl +59891 +598": "pawsctl session ttl +59891 +59892",
    "pawsctl session watch +59892": "pawsctl session watch +59892",
    "pawsctl session touch wh:session:+59891": "pawsctl session touch wh:session:+59891",
    "pawsctl session delete +1": "pawsctl session delete +1",
    "pawsctl --env-file n": "pawsctl --env-file notes.txt",
    "pawsctl session import ": "pawsctl session import notes.txt",
    "pawsctl session export n": "pawsctl session export notes.txt",
    "pawsctl session verify n": "pawsctl session verify notes.txt",
    "pawsctl test-session --junit n": "pawsctl test-session --junit notes.txt",
    "pawsctl doctor --bundle=n": "pawsctl doctor --bundle=notes.txt",
    "pawsctl session list --sort upd": "pawsctl session list --sort updated_at",
    "pawsctl session list --sort=upd": "pawsctl session list --sort=updated_at",
    "pawsctl session list --columns phone,prob": "pawsctl session list --columns phone,problem",
    "pawsctl session lint --rule ": f"pawsctl session lint --rule {RULE_IDS}",
    "pawsctl session lint --ignore no-t": "pawsctl session lint --ignore no-ttl",
    "pawsctl session flush --status ": "pawsctl session flush --status active done",
    "pawsctl redis up --topology ": "pawsctl redis up --topology single sentinel cluster",
    "pawsctl redis up --pull a": "pawsctl redis up --pull always",
    "pawsctl redis logs ": "pawsctl redis logs redis redis-commander",
    "pawsctl redis logs --topology cluster node-6": "pawsctl redis logs --topology cluster node-6",
    "pawsctl config REDIS_UR": "pawsctl config REDIS_URL",
    # Neither knows anything, and files are not meant.
    "pawsctl session list --grep ": "pawsctl session list --grep",
    "pawsctl --url ": "pawsctl --url",
    "pawsctl redis cli -- ": "pawsctl redis cli --",
    "pawsctl nonsense ": "pawsctl nonsense",
}


@pytest.fixture(params=["bash", "zsh"])
def shell(request: pytest.FixtureRequest, server: Server, pawsctl: Pawsctl) -> Iterator[Shell]:
    """A shell in which completion is set up, beside a Redis with sessions."""
    name = request.param
    script = pawsctl(env={"_PAWSCTL_COMPLETE": f"source_{name}"})
    (pawsctl.folder / "script").write_bytes(script.out)
    folder = pawsctl.folder / "work"
    folder.mkdir()
    (folder / "notes.txt").touch()
    (folder / "script").symlink_to("../script")
    store_session(server, "+59891", b'{"status":"active","messages":[],"updatedAt":1}')
    store_session(server, "+59892", b'{"status":"done","messages":[],"updatedAt":1}')
    for hostile in ("+5981$(touch pwned)", "+5981`touch pwned`", "+5981';touch pwned;'", "+5981*"):
        store_session(server, hostile, b'{"status":"$(touch pwned)"}')
    with shells.running(name, folder, pawsctl.environment) as running:
        (folder / "script").unlink()
        yield running


@pytest.mark.slow
def test_the_tab_key_completes_what_may_stand_there(shell: Shell, tmp_path: Path) -> None:
    """Words, phones and files, each where it is meant; what Redis holds is not run."""

    def made(typed: str) -> list[str]:
        return sorted(shell.completed(typed).split())

    wanted = {typed: sorted(line.split()) for typed, line in CASES.items()}
    found = {typed: in_time(partial(made, typed), words) for typed, words in wanted.items()}
    assert found == wanted
    assert [each.name for each in (tmp_path / "work").iterdir()] == ["notes.txt"]


@pytest.mark.slow
def test_installed_completion_works_in_a_new_shell(shell: Shell) -> None:
    """It does so at the first press of the key."""
    shell.set_up("pawsctl --install-completion")
    shell.start_anew()
    assert shell.completed("pawsctl session flu") == "pawsctl session flush"
    assert shell.completed("pawsctl session import ") == "pawsctl session import notes.txt"


def words(*line: str, begun: str = "") -> list[str]:
    """Return what completes behind these words."""
    return [each.word for each in candidates.of(ROOT, line, begun).words]


def test_every_option_of_every_command_completes_or_is_silent(
    bare_pawsctl: Pawsctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Choices are offered whole, files where files are meant; options that it refuses are not.

    An option with a default is offered like all others, until it is typed.
    """
    monkeypatch.chdir(bare_pawsctl.folder)
    for name, command in commands.every_command().items():
        line = name.split()
        offered = words(*line, begun="--")
        assert ("--output" in offered) is (name != "redis cli"), name
        for option in command.params:
            is_taken = option.param_type_name == "option" and not option.is_flag
            if not is_taken or option.hidden:
                assert not (set(option.opts) & set(offered)) or not option.hidden
                continue
            long = option.opts[0]
            assert long in offered, name
            value = next(iter(getattr(option.type, "choices", ())), "1")
            is_offered_again = long in words(*line, long, value, begun="--")
            assert is_offered_again is option.multiple, (name, long)
            found = candidates.of(ROOT, [*line, long], "")
            assert found.files == (option.metavar or "").startswith("FILE"), (name, option.opts)
            for choice in getattr(option.type, "choices", ()):
                assert choice in [each.word for each in found.words]


def test_completion_names_what_the_code_knows() -> None:
    """Fields, rules, settings, and the services of each topology."""
    assert words("session", "list", "--sort") == list(SORT_FIELDS)
    assert words("session", "lint", "--rule") == [rule.id for rule in RULES]
    assert words("config") == [each.name for each in SETTING_SPECS]
    compose = Path(__file__).parents[2] / "compose"
    files = {"single": "compose", "sentinel": "compose.sentinel", "cluster": "compose.cluster"}
    for topology, file in files.items():
        described = yaml.safe_load((compose / f"{file}.yaml").read_text())["services"]
        assert words("redis", "logs", "--topology", topology) == list(described)


def test_phones_are_few_and_from_this_machine_alone(
    server: Server, bare_pawsctl: Pawsctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty at most; a host that is not named as this machine is not asked."""
    monkeypatch.chdir(bare_pawsctl.folder)
    monkeypatch.setattr(lookups, "_SECONDS", 30.0)
    for number in range(200):
        store_session(server, f"+598{number:03}", b"{}")
    line = ("session", "get")
    assert len(words("--url", server.url, *line)) == 50
    assert words("--url", server.url, *line, "+598199", begun="+59819") == [
        f"+598{number}" for number in range(190, 199)
    ]
    assert words("--url", f"redis://0.0.0.0:{server.port}", *line) == []
    assert words("--url", server.url, *line, "-n", "5") == []
    assert words("--url", "nonsense://", *line) == []


def test_a_redis_that_never_answers_completes_nothing() -> None:
    """It accepts connections, and the shell does not wait for it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        assert words("--url", url, "session", "get") == []
        assert words("--url", url, "session", "list", "--status") == ["active"]


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_has_a_script(bare_pawsctl: Pawsctl, shell_name: str) -> None:
    """It asks for completion in a form that is answered."""
    script = bare_pawsctl(env={"_PAWSCTL_COMPLETE": f"source_{shell_name}"})
    assert f"complete_{shell_name}" in script.text
    asked = {"_TYPER_COMPLETE_ARGS": "pawsctl redis u", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    asked |= {"COMP_WORDS": "pawsctl redis u", "COMP_CWORD": "2"}
    asked |= {"_TYPER_COMPLETE_WORD_TO_COMPLETE": "u"}
    answer = bare_pawsctl(env=asked | {"_PAWSCTL_COMPLETE": f"complete_{shell_name}"})
    assert (answer.status, answer.err) == (0, "")
    assert "up" in answer.text


def test_a_path_that_is_split_at_a_colon_is_put_together(server: Server, pawsctl: Pawsctl) -> None:
    """bash splits a URL and a key into words; only the last part is replaced."""
    store_session(server, "+59891", b"{}")
    url = server.url.replace(":", "\n:\n")
    line = f"pawsctl\n--url\n{url}\nsession\nget\nwh\n:\nsession\n:\n+5"
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(line.count("\n"))}
    env = asked | {"_PAWSCTL_COMPLETE": "complete_bash", "REDIS_URL": ""}
    assert in_time(lambda: pawsctl(env=env).text, "+59891\n") == "+59891\n"


def test_a_press_of_tab_says_nothing_else(pawsctl: Pawsctl) -> None:
    """Details of --verbose would stand in the command line."""
    asked = {"COMP_WORDS": "pawsctl -v session get ", "COMP_CWORD": "4"}
    (pawsctl.folder / ".env").write_text("A=1\n")
    answer = pawsctl(env=asked | {"_PAWSCTL_COMPLETE": "complete_bash"})
    assert answer == (0, b"", "")


@pytest.mark.parametrize("command", ["show", "restore", "purge"])
def test_the_name_of_a_backup_completes(server: Server, pawsctl: Pawsctl, command: str) -> None:
    """Also where the name may be left out."""
    store_session(server, "+59891", b"{}")
    pawsctl("session", "delete", "+59891")
    asked = {"COMP_WORDS": f"pawsctl backup {command} 2", "COMP_CWORD": "3"}
    answer = pawsctl(env=asked | {"_PAWSCTL_COMPLETE": "complete_bash"})
    assert answer.text.endswith("-delete\n")


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_completion_is_for_the_shell_that_runs_and_takes_no_other(
    bare_pawsctl: Pawsctl, option: str
) -> None:
    """Else who names zsh in bash would get that of bash."""
    done = bare_pawsctl(option, "zsh")
    assert done.status == ExitStatus.USAGE
    assert "Run it in that shell." in done.err
    assert done.out == b""
    assert not list(bare_pawsctl.folder.glob(".*zsh*"))
