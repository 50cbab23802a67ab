"""The modes of files that appear whole."""

import os
import stat
from pathlib import Path

import pytest

from pawsctl.errors import UsageError
from pawsctl.files import atomic_file
from pawsctl.files.atomic_file import NotWritten


@pytest.mark.parametrize(
    ("umask", "private", "mode"),
    [(0o022, False, 0o644), (0o027, False, 0o640), (0, False, 0o666), (0, True, 0o600)],
)
def test_a_file_has_the_mode_that_the_umask_gives(
    tmp_path: Path, umask: int, private: bool, mode: int
) -> None:
    """A private one is its owner's alone, whatever the umask; the umask stays as it was."""
    before = os.umask(umask)
    try:
        with atomic_file.replacing(tmp_path / "a", private=private) as write:
            write(b"1")
    finally:
        assert os.umask(before) == umask
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
    assert (tmp_path / "a").read_bytes() == b"1"


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    """If the writer fails, and if it may not overwrite; nothing else is left."""
    (tmp_path / "a").write_bytes(b"before")
    with pytest.raises(KeyError), atomic_file.replacing(tmp_path / "a", private=False) as write:
        write(b"half")
        raise KeyError
    with (
        pytest.raises(UsageError),
        atomic_file.replacing(tmp_path / "a", private=False, overwrite=False),
    ):
        pass
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a", b"before")]


def test_a_file_that_came_meanwhile_is_left(tmp_path: Path) -> None:
    """Where it may not be overwritten; without it, the new one is written."""
    with atomic_file.replacing(tmp_path / "a", private=True, overwrite=False) as write:
        write(b"new")
    with (
        pytest.raises(UsageError, match="exists already"),
        atomic_file.replacing(tmp_path / "b", private=True, overwrite=False) as write,
    ):
        write(b"new")
        (tmp_path / "b").write_bytes(b"theirs")
    found = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    assert found == {"a": b"new", "b": b"theirs"}


def test_a_failure_says_what_is_there_now(tmp_path: Path) -> None:
    """Nothing, or the file that was there before; and why it could not be written."""
    with (
        pytest.raises(NotWritten) as caught,
        atomic_file.replacing(tmp_path / "none" / "a", private=False),
    ):
        pass
    assert caught.value.message == f"{tmp_path}/none/a can't be written: No such file or directory."
    assert caught.value.hint == "Create its folder, or choose another place."
    (tmp_path / "a").write_bytes(b"before")
    with (
        pytest.raises(NotWritten) as caught,
        atomic_file.replacing(tmp_path / "a", private=False) as write,
    ):
        for each in tmp_path.glob(".a.*"):
            each.unlink()
        write(b"lost")
    assert caught.value.hint.startswith("The file there is as it was.")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a", b"before")]


def test_no_folder_is_replaced_by_a_file(tmp_path: Path) -> None:
    """Nor another thing that is no file."""
    with (
        pytest.raises(UsageError, match="is no file"),
        atomic_file.replacing(tmp_path, private=False),
    ):
        pass
