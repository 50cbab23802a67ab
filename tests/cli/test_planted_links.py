"""Links that another user of the machine may plant at paths to which pawsctl writes."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.needs import skip_or_fail
from tests.servers import Server

NOBODY = 65534


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder like /tmp, where every user of the machine may create files."""
    if os.geteuid() != 0:
        skip_or_fail("only root can act as a second user")
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o1777)
        yield Path(folder)


def as_nobody(*command: str) -> None:
    """Run a command as another user."""
    subprocess.run(["setpriv", f"--reuid={NOBODY}", "--clear-groups", *command], check=True)


@pytest.mark.parametrize("mode", [0o1777, 0o777])
@pytest.mark.parametrize("arguments", [["a.jsonl"], ["a.jsonl.gz", "--force"]])
def test_an_export_follows_no_link_of_another_user(
    pawsctl: Pawsctl, server: Server, shared: Path, mode: int, arguments: list[str]
) -> None:
    """Neither to an existing file, which stays unchanged, nor to a missing one."""
    server.client.set("wh:session:+1", b"{}")
    shared.chmod(mode)
    name, *option = arguments
    precious = pawsctl.folder / "precious"
    precious.write_text("old")
    for target in (precious, pawsctl.folder / "new"):
        as_nobody("ln", "-sfn", str(target), str(shared / name))
        result = pawsctl("session", "export", str(shared / name), *option, "--json")
        assert result.status == ExitStatus.USAGE
        assert "is a link that another user made (user id 65534)" in result.error["message"]
    assert precious.read_text() == "old"
    assert sorted(each.name for each in pawsctl.folder.iterdir()) == ["precious"]
    assert [each.name for each in shared.iterdir()] == [name]


def test_nor_one_to_a_folder_on_the_way(pawsctl: Pawsctl, server: Server, shared: Path) -> None:
    """Also if a link of our own leads to it, and if the path goes back up."""
    server.client.set("wh:session:+1", b"{}")
    (pawsctl.folder / "mine").mkdir()
    as_nobody("ln", "-s", str(pawsctl.folder / "mine"), str(shared / "way"))
    (pawsctl.folder / "chain").symlink_to(shared / "way")
    for path in (shared / "way/a.jsonl", "chain/a.jsonl", f"{shared}/way/../a.jsonl"):
        result = pawsctl("session", "export", str(path))
        assert result.status == ExitStatus.USAGE, path
    junit = pawsctl("session", "lint", "--junit", str(shared / "way/a.xml"))
    assert junit.status == ExitStatus.USAGE
    assert list((pawsctl.folder / "mine").iterdir()) == []


def test_links_of_ones_own_are_followed_there_too(
    pawsctl: Pawsctl, server: Server, shared: Path
) -> None:
    """Files of other users are no links; the sticky folder's own rules protect them."""
    server.client.set("wh:session:+1", b"{}")
    (shared / "mine").symlink_to(pawsctl.folder)
    (shared / "a.jsonl").symlink_to("mine/b.jsonl")
    assert pawsctl("session", "export", str(shared / "a.jsonl")).status == ExitStatus.OK
    assert (pawsctl.folder / "b.jsonl").is_file()


@pytest.mark.parametrize("where", ["", "pawsctl-test-cli", "pawsctl-test-cli/lock"])
def test_the_state_directory_follows_none(bare_pawsctl: Pawsctl, shared: Path, where: str) -> None:
    """Neither on the path to it, nor in it: nothing is created at the target."""
    victim = bare_pawsctl.folder / "victim"
    victim.mkdir()
    link = shared / "pawsctl" / where
    link.parent.mkdir(parents=True, exist_ok=True)
    link.parent.chmod(0o1777)
    as_nobody("ln", "-s", str(victim), str(link))
    state = {"XDG_STATE_HOME": str(shared)}
    for command in ("status", "up", "reset --yes", "down"):
        result = bare_pawsctl("redis", *command.split(), env=state)
        assert result.status == ExitStatus.USAGE, (command, result.err)
        assert "another user made" in result.err
    assert list(victim.iterdir()) == []


def test_backups_are_put_behind_none(bare_pawsctl: Pawsctl, shared: Path) -> None:
    """A reset deletes nothing then."""
    state = {"XDG_STATE_HOME": str(shared)}
    directory = shared / "pawsctl" / "pawsctl-test-cli"
    directory.mkdir(parents=True)
    directory.chmod(0o1777)
    as_nobody("ln", "-s", str(bare_pawsctl.folder), str(directory / "backups"))
    result = bare_pawsctl("redis", "reset", "--yes", env=state)
    assert result.status == ExitStatus.USAGE
    assert str(directory / "backups") in result.err
