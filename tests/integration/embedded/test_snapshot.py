"""A snapshot that was put into the embedded server's folder by hand, as backups are put back."""

import shutil
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.stack_fixtures import Stack


def _data(stack: Stack) -> Path:
    (found,) = stack.folder.glob("state/pawsctl/*/embedded/data")
    return found


def _left_alone(stack: Stack) -> bytes:
    """Leave a snapshot of three keys, the server being down, and no append-only file."""
    assert stack("redis", "up").status == ExitStatus.OK
    with stack.client() as client:
        client.mset({"first": "1", "second": "2"})
        client.set("third", "3", ex=1000)
        client.save()
    assert stack("redis", "down").status == ExitStatus.OK
    shutil.rmtree(_data(stack) / "appendonlydir")
    return (_data(stack) / "dump.rdb").read_bytes()


@pytest.mark.parametrize("end", [("down",), ("stop",)])
def test_it_is_read(embedded_stack: Stack, end: tuple[str]) -> None:
    """The server itself would have started empty, and replaced it."""
    _left_alone(embedded_stack)

    up = embedded_stack("redis", "up")

    assert up.status == ExitStatus.OK, up.err
    assert f"lies in a snapshot in {_data(embedded_stack)}; it is taken over" in up.err
    assert "Took over 3 keys of 1 database" in up.err
    with embedded_stack.client() as client:
        assert client.config_get("appendonly", "maxmemory") == {
            "appendonly": "yes",
            "maxmemory": str(256 << 20),
        }
        client.set("since", "4")
    assert embedded_stack("redis", *end).status == ExitStatus.OK
    again = embedded_stack("redis", "up")
    assert "taken over" not in again.err
    with embedded_stack.client() as client:
        assert client.mget("first", "second", "third", "since") == [b"1", b"2", b"3", b"4"]
        assert 0 < client.ttl("third") <= 1000


@pytest.mark.parametrize("damage", ["another program's", "cut short"])
def test_one_that_cannot_be_read_is_left(embedded_stack: Stack, damage: str) -> None:
    """Nothing runs then, and the next `up` finds it again."""
    written = _left_alone(embedded_stack)
    bad = b"REDIS0099" + written[9:] if damage == "another program's" else written[:-20]
    (_data(embedded_stack) / "dump.rdb").write_bytes(bad)

    for _ in range(2):
        up = embedded_stack("redis", "up", "--json")

        assert up.status == ExitStatus.CONFLICT, up.err
        assert f"{_data(embedded_stack)}/dump.rdb can't be read" in up.error["message"]
        assert (_data(embedded_stack) / "dump.rdb").read_bytes() == bad
        assert not [*_data(embedded_stack).rglob("*.manifest")]
        assert embedded_stack("redis", "status", "--json").json["services"][0]["state"] != "running"

    (_data(embedded_stack) / "dump.rdb").write_bytes(written)
    assert "Took over 3 keys" in embedded_stack("redis", "up").err


def test_one_that_cannot_be_written_anew_is_left(embedded_stack: Stack) -> None:
    """It was read, and something is in the way of the append-only file."""
    written = _left_alone(embedded_stack)
    (_data(embedded_stack) / "appendonlydir").touch()

    up = embedded_stack("redis", "up")

    assert up.status == ExitStatus.CONFLICT, up.err
    assert f"{_data(embedded_stack)}/dump.rdb can't be written anew: " in up.err
    assert "remove what is in the way" in up.err
    assert (_data(embedded_stack) / "dump.rdb").read_bytes() == written
    (_data(embedded_stack) / "appendonlydir").unlink()
    assert "Took over 3 keys" in embedded_stack("redis", "up").err


def test_one_that_needs_more_memory_is_left(embedded_stack: Stack) -> None:
    """Redis would evict what it just read, or refuse each write."""
    assert embedded_stack("redis", "up").status == ExitStatus.OK
    with embedded_stack.client() as client:
        client.set("large", bytes(3 << 20))
        client.save()
    assert embedded_stack("redis", "down").status == ExitStatus.OK
    shutil.rmtree(_data(embedded_stack) / "appendonlydir")

    up = embedded_stack("redis", "up", env={"REDIS_MAXMEMORY": "2mb"})

    assert up.status == ExitStatus.CONFLICT, up.err
    assert "REDIS_MAXMEMORY allows 2097152. It is left as it is." in up.err
    assert "Took over 1 key of 1 database" in embedded_stack("redis", "up").err
