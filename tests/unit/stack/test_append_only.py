"""Whether all data of a server is in its append-only file."""

from pathlib import Path

import pytest

from pawsctl.stack.engine import append_only
from tests import servers

WRITTEN = {
    "aof_enabled": "1",
    "aof_rewrite_in_progress": "0",
    "aof_rewrite_scheduled": "0",
    "aof_last_bgrewrite_status": "ok",
}


def test_all_data_is_in_the_file_only_if_everything_says_so() -> None:
    """Old servers do not tell how the last write went."""
    assert append_only.is_written(WRITTEN)
    assert append_only.is_written({**WRITTEN, "aof_last_write_status": "ok"})
    assert not append_only.is_written({**WRITTEN, "aof_last_write_status": "err"})
    for name in WRITTEN:
        assert not append_only.is_written({**WRITTEN, name: "2"}), name
        assert not append_only.is_written({k: v for k, v in WRITTEN.items() if k != name}), name


LISTED = [f"d/appendonly.aof.{each}" for each in ("2.base.rdb", "2.incr.aof", "3.incr.aof")]
MANIFEST = b"""file appendonly.aof.2.base.rdb seq 2 type b
file appendonly.aof.1.base.rdb seq 1 type h
file appendonly.aof.2.incr.aof seq 2 type i
file "appendonly.aof.3.incr.aof" seq 3 type i startoffset 5
"""


@pytest.mark.parametrize(
    ("files", "is_whole"),
    [
        ({"d/f.manifest": MANIFEST}, False),
        ({"d/f.manifest": MANIFEST, **dict.fromkeys(LISTED, b"")}, True),
        *(
            ({"d/f.manifest": MANIFEST, **dict.fromkeys({*LISTED} - {one}, b"")}, False)
            for one in LISTED
        ),
        ({"d/f.manifest": b""}, True),
        ({"d/f.manifest": b'file "f seq 1 type b'}, False),
        ({"f": b""}, True),
        ({"d/f": b"", **dict.fromkeys(LISTED, b"")}, False),
        ({}, False),
    ],
)
def test_each_file_of_the_manifest_must_be_there(files: dict[str, bytes], is_whole: bool) -> None:
    """But for those that the server is about to remove."""
    assert append_only.are_there("d", "f", files.get) is is_whole


def test_a_file_that_waits_for_a_snapshot_is_waited_for(tmp_path: Path) -> None:
    """It says that it is on, and has not begun to write what came while it was off."""
    with servers.running(tmp_path, "--appendonly", "yes", "--dir", str(tmp_path)) as server:
        server.client.config_set("appendonly", "no")
        server.client.mset({f"key{number}": "value" for number in range(10)})
        # Microseconds for each key.
        server.client.config_set("rdb-key-save-delay", 30_000)
        server.client.bgsave()
        server.client.config_set("rdb-key-save-delay", 0)
        server.client.config_set("appendonly", "yes")
        assert server.client.info("persistence")["aof_rewrite_scheduled"] == 1

        append_only.complete(server.port, None)

        server.process.kill()
        server.process.wait()
        server.restart()
        servers.wait_until_ready(server, tmp_path / f"{server.port}.log")
        assert server.client.dbsize() == 10
