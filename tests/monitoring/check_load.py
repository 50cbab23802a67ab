"""Many clients at once: each gets its answer, and memory stays as it is."""

import json
import subprocess
import sys

import psutil

from tests.cli_runner import Pawsctl
from tests.docs.pages import ROOT
from tests.servers import Server, store_session
from tests.serving import serving

CLIENTS, SECONDS = "200", "20"
MOST_MORE = 40 << 20


def test_two_hundred_clients_are_served(pawsctl: Pawsctl, server: Server) -> None:
    """They ask again as soon as they are answered, beside a scraper; none is dropped."""
    for number in range(500):
        store_session(server, f"+{number}", b'{"status":"active","messages":[],"updatedAt":1}')
    with serving(pawsctl) as served:
        arguments = [sys.executable, "-m", "benchmarks.serve", str(served.port), CLIENTS]
        subprocess.run([*arguments, "1"], cwd=ROOT, check=True, capture_output=True, timeout=120)
        memory = psutil.Process(served.process.pid).memory_info
        before = memory().rss
        done = subprocess.run(
            [*arguments, SECONDS], cwd=ROOT, check=True, capture_output=True, timeout=300
        )
        assert memory().rss - before < MOST_MORE
    told = json.loads(done.stdout)
    assert told["dropped"] == 0
    assert told["answers"] > 0
