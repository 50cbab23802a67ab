"""The files of `make mutants` are about code and tests that there are."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MUTANTS = ROOT / "tests" / "mutants"


def test_each_reason_is_about_a_line_that_there_is() -> None:
    """Else it would excuse nothing, or some later line."""
    named = tomllib.loads((MUTANTS / "no_behaviour.toml").read_text("utf-8"))["mutant"]
    for each in named:
        lines = (ROOT / each["module"]).read_text("utf-8").splitlines()
        assert each["before"] in map(str.strip, lines), each["before"]
        assert each["why"]
    changes = [(each["module"], each["before"], each["after"]) for each in named]
    assert len(set(changes)) == len(changes)


def test_each_module_is_tried_on_tests_that_there_are() -> None:
    """Of the commands that it serves."""
    commands = tomllib.loads((MUTANTS / "commands.toml").read_text("utf-8"))
    for begin, files in commands.items():
        assert [each for each in files if not (ROOT / each).is_file()] == []
        assert list((ROOT / "src" / "pawsctl").glob(f"{begin}*")), begin
