"""Saving a server's data before it is stopped."""

from pathlib import Path

from pawsctl.stack.engine.docker.takeover import save_first
from pawsctl.stack.engine.paused_writers import Writers
from tests import servers


def test_a_save_that_is_under_way_is_waited_for(tmp_path: Path) -> None:
    """A replica's synchronisation or the server's own schedule may have begun it."""
    with servers.running(tmp_path, program="redis-server") as server:
        server.client.mset({f"key{number}": "value" for number in range(10)})
        # Microseconds for each key.
        server.client.config_set("rdb-key-save-delay", 50_000)
        server.client.bgsave()
        server.client.config_set("rdb-key-save-delay", 0)
        assert server.client.info("persistence")["rdb_bgsave_in_progress"] == 1
        server.client.set("later", "value")
        writers = Writers(server.port, None)
        writers.hold()

        save_first.save(server.port, None, writers)

        writers.release()
        assert server.client.info("persistence")["rdb_changes_since_last_save"] == 0
        server.process.kill()
        server.process.wait()
        server.restart()
        servers.wait_until_ready(server, tmp_path / f"{server.port}.log")
        assert server.client.dbsize() == 11
