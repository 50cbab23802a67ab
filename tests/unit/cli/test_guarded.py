"""The tables of commands that change something hold for every command there is."""

from inspect import unwrap

import pytest
from msgspec.structs import replace

from pawsctl.cli.context import Invocation
from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import ReadOnly
from pawsctl.safety.guarded import GUARDED, UNGUARDED, changes_something
from tests.docs import commands, pages
from tests.servers import Server

COMMANDS = commands.every_command()
_GUARDS = {"confirm_on", "confirm_sessions", "confirm_stack", "confirm_backups"}
# Calls of a command that changes something; one that changes the stack says so by a constant.
_CHANGING = {"store", "require_changeable", "record_stack", *_GUARDS}


def _used(name: str) -> set[str]:
    code = unwrap(COMMANDS[name].callback).__code__
    inner = [each.co_names for each in code.co_consts if hasattr(each, "co_names")]
    return {*code.co_names, *(name for names in inner for name in names)}


def _only_reads_the_stack(name: str) -> bool:
    constants = unwrap(COMMANDS[name].callback).__code__.co_consts
    return any("reads" in each for each in constants if type(each) is tuple)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_changes_something_is_in_a_table(name: str) -> None:
    """One that is in none gets a connection that only reads, and may not change the stack."""
    if changes_something(name):
        return
    assert not _used(name) & _CHANGING
    assert "stack_of" not in _used(name) or _only_reads_the_stack(name)


def test_the_tables_name_commands_that_there_are() -> None:
    """Each is in one of them."""
    assert GUARDED.keys() <= COMMANDS.keys()
    assert UNGUARDED.keys() <= COMMANDS.keys()
    assert not GUARDED.keys() & UNGUARDED.keys()


def test_the_page_names_every_guarded_command() -> None:
    """With what the guard is for."""
    page = (pages.DOCS / "safety.md").read_text("utf-8")
    table = page.partition("| guarded | what for |")[2].partition("\n\n")[0]
    assert {name for name in GUARDED if f"`{name}" not in table} == set()


@pytest.mark.parametrize("name", GUARDED)
def test_a_guarded_command_asks_the_guard(name: str) -> None:
    """And takes the option that confirms."""
    options = {each for parameter in COMMANDS[name].params for each in parameter.opts}
    assert "--confirm" in options
    assert _used(name) & _GUARDS


def test_a_command_in_no_table_can_not_write(server: Server) -> None:
    """Its connection refuses to send anything that is not on the list of reads."""
    run = Invocation()
    run.command = name = "session list"
    server.client.set("k", "v")
    with connect(run.held(parse(server.url, origin="test"))) as connection:
        with pytest.raises(ReadOnly, match=f"'{name}', which changes nothing"):
            connection.call("DEL", "k")
        assert connection.call("GET", "k") == b"v"
    run.command = "session flush"
    with connect(run.held(parse(server.url, origin="test"))) as connection:
        assert connection.call("DEL", "k") == 1
    assert replace(parse(server.url, origin="test"), read_only="x") == run.held(
        replace(parse(server.url, origin="test"), read_only="x")
    )
