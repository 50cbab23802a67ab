"""A real Prometheus scrapes the server, and its alerts see what is wrong."""

import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.docs.pages import DOCS
from tests.ports import free_port
from tests.servers import Server, required, store_session
from tests.serving import serving, until


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[int]:
    """Run Prometheus with the configuration of the docs, at a quicker pace; yield its port."""
    source = DOCS / "monitoring"
    told = (source / "prometheus.yml").read_text()
    told = told.replace("127.0.0.1:3000", f"127.0.0.1:{target}").replace("15s", "1s")
    (folder / "prometheus.yml").write_text(told)
    (folder / "alerts.yml").write_bytes((source / "alerts.yml").read_bytes())
    port = free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                required("prometheus"),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def asked(port: int, path: str, **query: str) -> Any:
    """Return the data of an answer of Prometheus's API, or None while it does not answer."""
    url = f"http://127.0.0.1:{port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return json.load(answer)["data"]
    except OSError:
        return None


def test_prometheus_scrapes_and_alerts(pawsctl: Pawsctl, server: Server, tmp_path: Path) -> None:
    """It gets the figures, and the alerts on what is wrong become pending; no other does."""
    store_session(server, "+1", (SAMPLES / "greeting.json").read_bytes(), None)
    store_session(server, "+2", (SAMPLES / "stuck" / "killed-in-a-tool.json").read_bytes())
    waiting = b'{"status":"active","messages":[{"role":"user","content":"?"}],"updatedAt":%d}'
    store_session(server, "+3", waiting % int((time.time() - 700) * 1000))
    with (
        serving(pawsctl, "--metrics-every", "1s") as served,
        prometheus(tmp_path, served.port) as port,
    ):

        def value(expression: str) -> str | None:
            found = asked(port, "query", query=expression)
            return found["result"][0]["value"][1] if found and found["result"] else None

        def alerts() -> set[str]:
            found = asked(port, "alerts")
            return {each["labels"]["alertname"] for each in found["alerts"]} if found else set()

        until(lambda: value("pawsctl_sessions") == "3")
        assert value("pawsctl_sessions_without_ttl") == "1"
        until(lambda: alerts() == {"SessionsWithoutTTL", "ConversationsStuck", "CustomersWaiting"})
        # What Redis refuses is seen as well: its memory is full.
        server.client.config_set("maxmemory-policy", "noeviction")
        server.client.config_set("maxmemory", 1)
        try:
            until(lambda: "RedisRefuses" in alerts())
            assert served.ask().json["services"]["redis"]["status"] == "up"
            assert served.ask(path="/readyz").status == 503
        finally:
            server.client.config_set("maxmemory", 0)
        until(lambda: "RedisRefuses" not in alerts())
