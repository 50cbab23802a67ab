"""The README tells the truth: every command and option stands there, and its examples are real."""

import re
from pathlib import Path
from typing import Any

import docker
import pytest
import typer

from pawsctl.cli.app import app
from pawsctl.cli.options import LazyGroup
from tests import readme
from tests.readme import README, masked
from tests.servers import Server


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, Any]]:
    """Every command with its full name, hidden ones left out."""
    if command.hidden:
        return []
    names = command.list_commands(None) if hasattr(command, "list_commands") else []
    if not names:
        return [(" ".join(path), command)]
    return [
        each for name in names for each in commands(command.get_command(None, name), (*path, name))
    ]


def every_command() -> list[tuple[str, Any]]:
    """Every command of pawsctl."""
    root = typer.main.get_command(app)
    assert isinstance(root, LazyGroup)
    return commands(root)


def section_of(name: str) -> str:
    """What the README says under a command's heading."""
    text = README.read_text("utf-8")
    heading = f"\n### `pawsctl {name}`\n"
    assert heading in text, f"the README has no heading for pawsctl {name}"
    begin = text.index(heading) + len(heading)
    end = text.find("\n##", begin)
    return text[begin : end if end > 0 else len(text)]


@pytest.mark.parametrize(("name", "command"), every_command(), ids=str)
def test_every_command_and_option_is_documented(name: str, command: Any) -> None:
    """Under the command's own heading; what all commands share stands once."""
    section = section_of(name)
    assert re.search(rf"^\$ .*\bpawsctl {name}\b", section, re.MULTILINE), "there is no example"
    whole = README.read_text("utf-8")
    for parameter in command.params:
        for option in (each for each in parameter.opts if each.startswith("--")):
            is_global = parameter.rich_help_panel == "Global options"
            assert option in (whole if is_global else section), f"{option} is not documented"


def test_session_examples_print_what_the_readme_says(tmp_path: Path, redis_server: Server) -> None:
    """Numbers and spacing aside."""
    with readme.session_examples(tmp_path, redis_server) as examples:
        for block in (*readme.blocks("Sessions"), *readme.blocks("Checks, memory, settings")):
            assert masked(examples.run(block)) == masked(block)


def test_stack_examples_print_what_the_readme_says(
    tmp_path: Path, docker_engine: docker.DockerClient, project: str
) -> None:
    """On a real Docker Engine, numbers and spacing aside."""
    assert docker_engine.ping()
    with readme.stack_examples(tmp_path, project, "docker") as examples:
        for block in readme.blocks("Redis"):
            assert masked(examples.run(block)) == masked(block)


def test_production_examples_print_what_the_readme_says(tmp_path: Path) -> None:
    """On embedded topologies and over TLS, numbers and spacing aside."""
    with readme.production_examples(tmp_path, readme.PROJECT) as examples:
        for block in readme.blocks("Production"):
            assert masked(examples.run(block)) == masked(block)


def test_examples_of_trouble_print_what_the_readme_says(tmp_path: Path) -> None:
    """With the embedded server, numbers and spacing aside."""
    with readme.trouble_examples(tmp_path, readme.PROJECT) as examples:
        for block in readme.blocks("When something is wrong"):
            assert masked(examples.run(block)) == masked(block)
