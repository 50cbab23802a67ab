"""Whether all data of a server is in its append-only file."""

from pathlib import Path

from pawsctl.connection import probe
from pawsctl.stack.engine import append_only
from tests import servers
from tests.processes import wait_until

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


def test_a_server_that_loads_its_data_has_nothing_to_write(tmp_path: Path) -> None:
    """It says that its file is off, and would refuse to switch it on; it may load for minutes."""
    options = ("--appendonly", "yes", "--dir", str(tmp_path), "--rdbcompression", "no")
    with servers.running(tmp_path, *options) as server:
        server.client.mset({f"key{number}": "value" * 50 for number in range(500)})
        server.client.bgrewriteaof()
        wait_until(lambda: append_only.is_written(probe.info(server.port, None)), "the file")
        server.client.shutdown(save=True)
        server.process.wait()
        # Microseconds for each key.
        delay = ("--key-load-delay", "20000", "--loading-process-events-interval-bytes", "1024")
        server.restart(*delay)
        wait_until(lambda: probe.ping(server.port, None).startswith("LOADING"), "it loads")

        append_only.complete(server.port, None)

        assert server.client.info("persistence")["loading"] == 1
