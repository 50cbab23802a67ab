"""Rules for the layout of the code, beyond the contracts of import-linter."""

import ast
import re
import tomllib
from pathlib import Path

import pawsctl
from pawsctl.cli.redis.group import RedisGroup
from pawsctl.cli.session.group import SessionGroup

PACKAGE = Path(pawsctl.__file__).parent
ROOT = Path(__file__).parent.parent.parent
MODULES = sorted(PACKAGE.rglob("*.py"))
FOLDERS_OF_COMMANDS = {PACKAGE / "cli" / "redis", PACKAGE / "cli" / "session"}


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def test_every_module_that_calls_itself_pure_is_held_to_it() -> None:
    """An import-linter contract covers the module, or a package that contains it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (held,) = (
        each["source_modules"]
        for each in contracts["contracts"]
        if each["name"] == "pure modules touch nothing"
    )
    pure = {
        _name(path)
        for path in MODULES
        if "Pure" in (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]
    }
    assert {name for name in pure if not name.startswith(tuple(held))} == set()


def test_folders_and_modules_stay_small() -> None:
    """16 modules in a folder, 24 in the two folders of commands, 300 lines in a module."""
    folders = {path.parent for path in MODULES}
    assert {
        folder.name: count
        for folder in folders
        if (count := len(list(folder.glob("*.py")))) > (24 if folder in FOLDERS_OF_COMMANDS else 16)
    } == {}
    assert {
        _name(path): lines
        for path in MODULES
        if (lines := len(path.read_text().splitlines())) > 300
    } == {}


def test_every_command_is_in_the_file_of_its_name() -> None:
    """The groups name the modules; every module of a command is named."""
    for group in (RedisGroup, SessionGroup):
        for name, module in group.sources.items():
            assert module.rpartition(".")[2].rstrip("_") == name
            command = group(name="any").get_command(None, name)
            assert command.callback.__module__ == module
            assert command.name == name


def test_a_docstring_begins_with_what_the_thing_is_or_does() -> None:
    """Nobody should have to turn a sentence round that begins with "What"."""
    modules = [each for folder in ("src", "tests") for each in (ROOT / folder).rglob("*.py")]
    turned = [
        each for each in modules if re.search(r'^ *r?"""What ', each.read_text(), re.MULTILINE)
    ]
    assert turned == []
