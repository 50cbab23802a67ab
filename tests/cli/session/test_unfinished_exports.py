"""The unfinished files of interrupted exports, and how they are removed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.files import atomic_file, links, temporary_files
from tests.cli.session.test_export import frozen, wait_for_part
from tests.cli_runner import Pawsctl
from tests.servers import Server


def parts(folder: Path) -> list[str]:
    """Return the unfinished files in a folder."""
    return sorted(each.name for each in folder.iterdir() if each.name.endswith(".part"))


@pytest.mark.parametrize(
    "next_command", ["session export b.jsonl.gz", "session lint --junit report.xml"]
)
def test_the_next_command_that_writes_there_sweeps(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, next_command: str
) -> None:
    """SIGKILL leaves whole conversations behind; only files with our name are deleted."""
    server.client.set("wh:session:+1", b'{"status":"active","messages":[],"updatedAt":1}', ex=60)
    with frozen(server):
        process = pawsctl.start("session", "export", "a.jsonl")
        wait_for_part(tmp_path)
        process.kill()
        process.communicate()
    assert len(parts(tmp_path)) == 1
    others = [".a.jsonl.part", "film.part", ".a.jsonl.pawsctl-0123.part", "a.pawsctl-x.part"]
    for name in others:
        (tmp_path / name).write_text("of another program")
    pawsctl(*next_command.split())
    assert parts(tmp_path) == sorted(others)
    assert (tmp_path / next_command.split()[2 if "export" in next_command else 3]).exists()


def test_an_export_that_is_still_written_is_left(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """Two exports at once both succeed, whatever their names."""
    server.client.set("wh:session:+1", b"{}")
    with frozen(server):
        process = pawsctl.start("session", "export", "a.jsonl", "--timeout", "30")
        wait_for_part(tmp_path)
        (being_written,) = parts(tmp_path)
        failed = pawsctl("session", "export", "b.jsonl", "--url", "redis://127.0.0.1:1")
        assert failed.status == ExitStatus.UNREACHABLE
        assert parts(tmp_path) == [being_written]
    process.communicate(timeout=60)
    assert process.returncode == ExitStatus.OK
    assert (tmp_path / "a.jsonl").exists()
    assert parts(tmp_path) == []


def test_a_link_with_our_name_is_not_followed(tmp_path: Path) -> None:
    """A folder with such a name is not deleted either."""
    precious = tmp_path / "precious"
    precious.write_text("old")
    link = temporary_files.name_beside(tmp_path / "a")
    link.symlink_to(precious)
    folder = temporary_files.name_beside(tmp_path / "a")
    folder.mkdir()
    temporary_files.sweep(tmp_path)
    assert precious.read_text() == "old"
    assert folder.is_dir()


@contextmanager
def interrupted_at(number: int, reached: Callable[[], None]) -> Iterator[None]:
    """Raise KeyboardInterrupt before the instruction with that number in the modules that write."""
    files = {module.__file__ for module in (links, temporary_files, atomic_file)}
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            count += 1
            if count == number:
                sys.settrace(None)
                reached()
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


# Files that are open when Ctrl-C comes are closed with the process.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("overwrite", [False, True])
def test_no_ctrl_c_leaves_an_unfinished_file(tmp_path: Path, *, overwrite: bool) -> None:
    """Before whichever instruction it comes, the file is there whole or not at all."""
    number = 0
    was_reached = True

    def reached() -> None:
        nonlocal was_reached
        was_reached = True

    while was_reached:
        was_reached = False
        number += 1
        path = tmp_path / "a"
        try:
            with (
                interrupted_at(number, reached),
                atomic_file.replacing(path, private=True, overwrite=overwrite) as write,
            ):
                write(b"whole")
        except KeyboardInterrupt:
            pass
        left = list(tmp_path.iterdir())
        assert left in ([], [path]), number
        if left:
            assert path.read_bytes() == b"whole"
            path.unlink()
    assert number > 100
