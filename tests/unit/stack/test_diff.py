"""Changes are described by names that a person knows."""

from pathlib import Path

import pytest

from pawsctl.stack.engine import diff


@pytest.mark.parametrize(
    ("before", "wanted", "names"),
    [
        (["redis-server", "--maxmemory", "1"], ["redis-server", "--maxmemory", "2"], "maxmemory"),
        (["redis-server"], ["redis-server", "--appendonly", "yes"], "appendonly"),
        (["redis-server", "--save", ""], ["redis-server"], "save"),
        (["redis-server", "--port", "1"], ["valkey-server", "--port", "1"], "command"),
        (["a", "--include", "b", "--include", "c"], ["a", "--include", "b"], "include"),
        (["a", "--x", "1", "--y", "2"], ["a", "--y", "2", "--x", "1"], ""),
    ],
)
def test_options_that_differ_are_named(before: list[str], wanted: list[str], names: str) -> None:
    """Their order does not matter."""
    assert " ".join(diff.options(before, wanted)) == names


def test_files_that_differ_say_what_they_hold(tmp_path: Path) -> None:
    """For files that are equal, or gone, only the general word `secrets` is given."""
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "redis.conf").write_text(folder.name)
        (folder / "commander.json").write_text("{}")

    def named(name: str) -> tuple[str, ...]:
        return diff.contents([str(old / name)], [str(new / name)])

    assert named("redis.conf") == ("password",)
    assert named("commander.json") == ("secrets",)
    assert named("gone") == ("secrets",)
    (new / "commander.json").write_text("[]")
    assert named("commander.json") == ("login",)
