"""Files that stay in the state directory."""

import sys

import pytest

from tests.stack_fixtures import Stack
from tests.topology_fixtures import Topology

# The record of all changes, which is no project's.
AUDIT = "pawsctl/audit.jsonl"
ALL = ["single", "sentinel", "cluster"]


def _left(stack: Stack) -> list[str]:
    state = stack.folder / "state"
    return sorted(str(each.relative_to(state)) for each in state.rglob("*"))


@pytest.mark.parametrize("topology", ALL)
@pytest.mark.parametrize("command", [["down"], ["down", "--volumes", "--yes"], ["status"]])
def test_what_never_existed_leaves_nothing(
    bare_stack: Stack, command: list[str], topology: str
) -> None:
    """A topology that was never started gets no directory."""
    bare_stack("redis", *command, "--topology", topology)

    assert _left(bare_stack) == []


def test_nothing_is_asked_where_there_is_nothing_to_delete(bare_stack: Stack) -> None:
    """The command runs without a terminal, so nobody could answer."""
    done = bare_stack("redis", "down", "--volumes")

    assert done.status == 0, done.err
    assert "Nothing to remove" in done.text


def test_down_with_volumes_leaves_the_lock_and_the_record(stack: Stack) -> None:
    """Another process may wait for the lock; all other files of the project are removed."""
    stack("redis", "up", env={"REDIS_PASSWORD": "secret"})

    done = stack("redis", "down", "--volumes", "--yes")

    assert done.status == 0, done.err
    project = f"pawsctl/{stack.project}"
    assert _left(stack) == ["pawsctl", AUDIT, project, f"{project}/lock"]


@pytest.mark.skipif(sys.platform == "win32", reason="the embedded server is not for Windows")
def test_no_directory_of_a_node_is_left(cluster_of_six: Topology) -> None:
    """The directories of all six nodes are removed."""
    cluster_of_six.up()

    cluster_of_six.run("down", "--volumes", "--yes")

    project = f"pawsctl/{cluster_of_six.project}"
    assert _left(cluster_of_six) == [
        "pawsctl",
        AUDIT,
        project,
        f"{project}/cluster",
        f"{project}/cluster/lock",
    ]


def test_a_state_directory_that_is_a_file_is_told(bare_stack: Stack) -> None:
    """The error also appears for a command that has nothing to write."""
    (bare_stack.folder / "state").write_text("")

    done = bare_stack("redis", "status")

    assert done.status == 1
    assert "Not a directory" in done.err
    assert "XDG_STATE_HOME" in done.err
