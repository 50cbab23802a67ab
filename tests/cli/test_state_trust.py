"""A state directory that another user owns or may write is refused."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from pawsctl.errors import ExitStatus
from pawsctl.files import trust
from tests import strangers
from tests.cli_runner import Pawsctl
from tests.needs import skip_or_fail
from tests.stack_fixtures import Stack

COMMANDS = ("redis up", "redis status", "redis down --volumes --yes", "redis reset --yes")
SECURED = {"REDIS_PASSWORD": "random"}


@pytest.fixture
def state(bare_pawsctl: Pawsctl) -> Iterator[Path]:
    """The state directory of a project, in a place that every user can reach."""
    if os.geteuid() != 0:
        skip_or_fail("only root can give a folder away")
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        bare_pawsctl.environment["XDG_STATE_HOME"] = folder
        yield Path(folder) / "pawsctl" / "pawsctl-test-cli"


def refused(pawsctl: Pawsctl, place: Path) -> None:
    """Assert that every command names the path and does nothing.

    The session commands are refused because they need the password in it.
    """
    for command in (*COMMANDS, "session list", "health"):
        done = pawsctl(*command.split(), "--json", env=SECURED)
        assert (done.status, done.out) == (ExitStatus.USAGE, b""), (command, done.err)
        assert str(place) in done.error["message"]
        assert "XDG_STATE_HOME" in done.error["hint"]


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
@pytest.mark.parametrize("below", ["", "pawsctl-test-cli", "pawsctl-test-cli/files"])
def test_one_that_others_may_write_is_refused(
    bare_pawsctl: Pawsctl, state: Path, below: str, mode: int
) -> None:
    """Also if it is sticky: others could create files that are missing."""
    place = state.parent / below
    place.mkdir(parents=True)
    os.chown(place, 0, strangers.UID)
    place.chmod(mode)
    refused(bare_pawsctl, place)
    assert list(place.rglob("password")) == []


@pytest.mark.parametrize("below", ["", "pawsctl-test-cli", "pawsctl-test-cli/embedded"])
def test_one_of_another_user_is_refused(bare_pawsctl: Pawsctl, state: Path, below: str) -> None:
    """Its mode does not matter, since the owner can change it."""
    place = state.parent / below
    place.mkdir(parents=True, mode=0o700)
    os.chown(place, strangers.UID, strangers.UID)
    refused(bare_pawsctl, place)


def test_a_folder_above_it_counts(bare_pawsctl: Pawsctl, state: Path) -> None:
    """Its owner could replace the directory, or create it first."""
    above = state.parents[1]
    for mode, uid in ((0o777, 0), (0o755, strangers.UID)):
        os.chown(above, uid, uid)
        above.chmod(mode)
        refused(bare_pawsctl, above)
        state.mkdir(parents=True, exist_ok=True)
        refused(bare_pawsctl, above)
    os.chown(above, 0, 0)
    above.chmod(0o1777)
    assert bare_pawsctl("redis", "status", env=SECURED).status == ExitStatus.FAILED


@pytest.mark.parametrize("how", ["theirs", "link", "link to theirs", "directory"])
def test_a_password_of_another_user_is_refused(
    bare_pawsctl: Pawsctl, state: Path, how: str
) -> None:
    """They would know the password, or could have us read another file of ours as one."""
    state.mkdir(parents=True)
    place = state / "password"
    match how:
        case "theirs":
            place.write_text("x" * 48)
            os.chown(place, strangers.UID, strangers.UID)
        case "link":
            place.symlink_to(bare_pawsctl.folder)
            os.chown(place, strangers.UID, strangers.UID, follow_symlinks=False)
        case "link to theirs":
            place.symlink_to(strangers.write(bare_folder(state), "x" * 48))
        case _:
            place.mkdir()
    for command in (*COMMANDS, "session list"):
        done = bare_pawsctl(*command.split(), env=SECURED)
        assert done.status == ExitStatus.USAGE, (command, done.err)
        assert str(place) in done.err
        assert "Traceback" not in done.err


def bare_folder(state: Path) -> Path:
    """A path in a folder where another user may write."""
    folder = state.parents[1] / "theirs"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder / "secret"


def test_a_careless_umask_makes_nothing_that_is_refused(
    embedded_stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pawsctl trusts the files it creates, and only this user can read them."""
    # Only a child of this process has its mask.
    monkeypatch.setenv("PAWSCTL_TEST_FRESH", "1")
    before = os.umask(0)
    try:
        embedded_stack.environment |= SECURED
        for command in ("up", "stop", "start", "reset --yes", "status"):
            done = embedded_stack("redis", *command.split())
            assert done.status == ExitStatus.OK, (command, done.err)
    finally:
        os.umask(before)
    state = embedded_stack.folder / "state"
    for each in (state, *state.rglob("*")):
        if each.is_dir() and "appendonlydir" not in each.parts:
            assert each.stat().st_mode & 0o077 == 0, each


ACL_USER_OBJECT, ACL_USER, ACL_GROUP_OBJECT, ACL_GROUP, ACL_MASK, ACL_OTHER = 1, 2, 4, 8, 16, 32


@pytest.mark.parametrize(
    ("entry", "mask", "who"),
    [
        ((ACL_USER, 6, strangers.UID), 6, "another user (54321) may write"),
        ((ACL_GROUP, 6, strangers.UID), 7, "another group (54321) may write"),
        ((ACL_USER, 4, strangers.UID), 6, ""),
        ((ACL_USER, 6, strangers.UID), 4, ""),
        ((ACL_USER, 6, 0), 6, ""),
    ],
)
def test_an_access_list_lets_others_write(
    tmp_path: Path, entry: tuple[int, int, int], mask: int, who: str
) -> None:
    """The mode alone shows an ACL only as the bits of the owning group."""
    file = tmp_path / ".env"
    file.write_text("")
    none = 0xFFFFFFFF
    entries = [
        (ACL_USER_OBJECT, 6, none),
        entry,
        (ACL_GROUP_OBJECT, 4, none),
        (ACL_MASK, mask, none),
        (ACL_OTHER, 0, none),
    ]
    entries.sort(key=lambda each: each[0])
    packed = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in entries)
    try:
        os.setxattr(file, "system.posix_acl_access", packed)
    except OSError as error:
        skip_or_fail(f"this file system has no access lists: {error}")
    assert (who in trust.fault(file)) if who else trust.fault(file) == ""
