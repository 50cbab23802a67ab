"""The help of all commands, the examples in it, and commands by names from other programs."""

import re
import shlex
from inspect import unwrap
from itertools import takewhile
from typing import Any

import pytest
import typer

from pawsctl.cli.app import app
from pawsctl.cli.completion import candidates
from pawsctl.cli.context import Invocation
from pawsctl.cli.examples import EXAMPLES
from pawsctl.cli.global_options import ABOUT_CONNECTIONS
from pawsctl.cli.groups import Group
from pawsctl.errors import ExitStatus, UsageError
from tests.cli_runner import Pawsctl
from tests.docs import commands

ROOT: Any = typer.main.get_command(app)
EVERY = ["", "redis", "session", "profile", "backup", "audit", *commands.every_command()]
# Words of the shell end the command line.
SHELL_OPERATORS = {"|", ">", ">>", "<"}


def help_of(name: str) -> str:
    """Return a command's help."""
    text: str = candidates.context(ROOT, name.split()).get_help()
    return text


@pytest.mark.parametrize("columns", ["40", "300"])
def test_every_help_is_whole_and_at_most_80_columns_wide(
    monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    """No summary is cut; commands stand before options, and the global ones at the end."""
    monkeypatch.setenv("COLUMNS", columns)
    for name in EVERY:
        text = help_of(name)
        described = text.partition("\nExamples:")[0] + text.partition("\nGlobal options:")[2]
        assert max(map(len, described.splitlines())) <= min(80, int(columns)), name
        assert max(map(len, text.splitlines())) <= 80, name
        assert not re.search(r"[a-z ]\.\.\.", text.partition("\n")[2]), name
        titles = [line for line in text.splitlines() if line.endswith(":") and line[0] != " "]
        order = ["Commands:", "Arguments:", "Options:", "Filters (all must match):", "Values:"]
        order += ["Examples:", "Global options:"]
        assert titles == [each for each in order if each in titles], name
        assert titles[-1] == "Global options:", name


def test_a_group_lists_all_its_commands() -> None:
    """Each with its whole summary; `session seed` too."""
    for group in ("redis", "session", "profile", "backup", "audit"):
        listed = " ".join(help_of(group).split())
        for name, command in commands.every_command().items():
            if name.startswith(f"{group} "):
                summary = " ".join(command.help.split("\n\n")[0].split())
                assert f" {name.partition(' ')[2]} {summary}" in listed


def test_a_command_lists_only_the_global_options_that_it_takes() -> None:
    """This project's stack has no URL."""
    untaken = ("session verify", "backup list", "backup show", "backup purge", "audit list")
    for name, command in commands.every_command().items():
        block = help_of(name).partition("\nGlobal options:\n")[2]
        is_stack = "stack_of" in unwrap(command.callback).__code__.co_names
        assert ("--url " in block) is not (
            is_stack or name in untaken or name.startswith("profile ")
        ), name
        if is_stack:
            assert not [each for each in ABOUT_CONNECTIONS if f"{each} " in block], name
        assert ("csv" in block) is ("csv" in command.formats), name
    # A group, what most of its commands take.
    for name in ("session", "redis", "backup", "audit", "profile"):
        block = help_of(name).partition("\nGlobal options:\n")[2]
        assert [each for each in ABOUT_CONNECTIONS if f"{each} " in block] == (
            list(ABOUT_CONNECTIONS) if name == "session" else []
        ), name


def test_every_command_has_examples_that_can_be_run() -> None:
    """Two to four each; their options exist."""
    assert set(EXAMPLES) == set(EVERY)
    for name, lines in EXAMPLES.items():
        assert 2 <= len(lines) <= 4, name
        for line in lines:
            assert line.startswith(name), line
            words: list[str] = [
                *takewhile(lambda word: word not in SHELL_OPERATORS, shlex.split(line))
            ]
            group: Any = ROOT.make_context("pawsctl", words, obj=Invocation())
            while isinstance(group.command, Group):
                left = group.command.words_left(group)
                called, command, rest = group.command.resolve_command(group, left)
                group = command.make_context(called, rest, parent=group)


def test_help_and_version_are_commands_too(bare_pawsctl: Pawsctl) -> None:
    """As in git and docker."""
    for asked, option in (
        (["help"], ["--help"]),
        (["help", "session", "list"], ["session", "list", "--help"]),
        (["session", "help", "list"], ["session", "list", "--help"]),
        (["version"], ["--version"]),
    ):
        done = bare_pawsctl(*asked)
        assert done == bare_pawsctl(*option)
        assert done.status == 0
    assert bare_pawsctl("help", "nonsense").status == ExitStatus.USAGE


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("up", "redis up"),
        ("down", "redis down"),
        ("logs", "redis logs"),
        ("status", "redis status"),
        ("reset", "redis reset"),
        ("ps", "redis status"),
        ("get", "session get"),
        ("list", "session list"),
        ("ls", "session list"),
        ("show", "session get PHONE"),
        ("rm", "session delete PHONE"),
        ("search", "session list --grep TEXT"),
        ("dump", "session export FILE"),
        ("restore", "session import FILE"),
        ("session ls", "session list"),
        ("session fix", "session repair PHONE"),
        ("cp", "session copy --to URL|PROFILE"),
        ("forget", "session erase PHONE"),
        ("session rm +1", "session delete PHONE"),
        ("session status", "session stats"),
        ("session up", "redis up"),
        ("session health", "health"),
        ("redis ps", "redis status"),
        ("redis get +1", "session get"),
        ("redis exec", "redis cli"),
        ("LIST", "session list"),
        ("metrics", "serve"),
        ("undo", "backup restore --latest"),
        ("backup create", "session export FILE"),
        ("backup rm", "backup purge NAME"),
        ("profile ls", "profile list"),
        ("audit show", "audit list"),
        ("session wait", "session list --waiting"),
    ],
)
def test_a_name_from_elsewhere_leads_to_the_command_that_is_meant(typed: str, meant: str) -> None:
    """Nothing is done; the hint names the command with its group."""
    with pytest.raises(UsageError, match="No such command") as caught:
        ROOT(typed.split(), "pawsctl", obj=Invocation(), standalone_mode=False)
    assert caught.value.hint.startswith(f"Use 'pawsctl {meant}'")


@pytest.mark.parametrize("group", [[], ["redis"], ["session"]])
@pytest.mark.parametrize("name", ["", " ", "\x1b[31mup", "nonsense", "--", "../up"])
def test_a_name_that_means_nothing_is_wrong_usage(
    bare_pawsctl: Pawsctl, group: list[str], name: str
) -> None:
    """It is escaped, and the hint is the help."""
    done = bare_pawsctl(*group, name)
    assert (done.status, done.out) == (ExitStatus.USAGE, b"")
    assert "--help'" in done.err
    assert "\x1b" not in done.err


def test_a_hint_comes_in_the_form_that_was_asked_for(bare_pawsctl: Pawsctl) -> None:
    """Also where --json stands behind a command that is not known."""
    done = bare_pawsctl("up", "--json")
    assert (done.status, done.out) == (ExitStatus.USAGE, b"")
    assert done.error["code"] == "usage"
    assert "redis up" in done.error["hint"]


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("redis up -d", "returns when Redis answers"),
        ("redis up -p 7000", "REDIS_PORT"),
        ("redis logs --lines 5", "--tail N"),
        ("redis memory -p 7000", "--url redis://"),
        ("session list -l 3", "--limit N"),
        ("session list --filter x", "--match"),
        ("session list --since 10m", "--updated-within"),
        ("session list --desc", "--reverse"),
        ("session list +59899000004", "session get PHONE"),
        ("session delete --all --yes", "session flush"),
        ("redis failover sentinel", "--topology sentinel"),
        ("--JSON session list", "--json"),
        ("session list -p 7000", "--url redis://"),
        ("-p 7000 health", "--url redis://"),
        ("session list --format json", "-o json"),
        ("session list --nonsense", "See 'pawsctl session list --help'."),
        ("session list --status", "See 'pawsctl session list --help'."),
    ],
)
def test_an_option_from_elsewhere_leads_to_the_one_that_is_meant(
    bare_pawsctl: Pawsctl, typed: str, instead: str
) -> None:
    """As docker compose and redis-cli have them."""
    done = bare_pawsctl(*typed.split())
    assert (done.status, done.out) == (ExitStatus.USAGE, b"")
    assert instead in done.err.partition("→")[2]


@pytest.mark.parametrize("options", ["--scan", "-p 7000", "--bigkeys -i 0.1", "-x SET a"])
def test_options_of_redis_cli_need_two_dashes(bare_pawsctl: Pawsctl, options: str) -> None:
    """The hint is the command line that works."""
    done = bare_pawsctl("redis", "cli", *options.split())
    assert done.status == ExitStatus.USAGE
    assert f"pawsctl redis cli -- {options}" in done.err


@pytest.mark.parametrize(
    "options", ["-a s3cret PING", "--pass s3cret", "-p 1 -u redis://:s3cret@h"]
)
def test_a_password_on_the_line_is_not_repeated(bare_pawsctl: Pawsctl, options: str) -> None:
    """The hint has a placeholder instead."""
    done = bare_pawsctl("redis", "cli", *options.split())
    assert done.status == ExitStatus.USAGE
    assert "pawsctl redis cli -- OPTIONS" in done.err
    assert "s3cret" not in done.err
