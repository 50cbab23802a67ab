"""The modes of files that appear whole."""

import os
import stat
from pathlib import Path

import pytest

from pawsctl.errors import UsageError
from pawsctl.files import atomic_file


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
