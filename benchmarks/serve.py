"""`pawsctl serve` under load: clients that ask again as soon as they are answered.

Run as a program, `python -m benchmarks.serve PORT CLIENTS SECONDS` is the clients, and prints what
they saw as JSON.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.cases import Scale
from benchmarks.redis_server import Store
from benchmarks.report import Report, seconds

CLIENTS, SECONDS = 200, 20
# Beside them, one scrapes.
_SCRAPE_SECONDS = 5.0
_MOST_MORE = 40 << 20

_REQUEST = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def served(store: Store, scale: Scale, report: Report) -> None:
    """Measure what many clients get, on a Redis with all sessions, beside a scraper."""
    lasts = SECONDS if scale == Scale.full() else 2
    program = [str(Path(sys.executable).with_name("pawsctl")), "serve", "--port", "0"]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([*program, "--url", store.url], stderr=log)
        try:
            port = _port(process, log)
            told = _ask(port, CLIENTS, 1)
            before = psutil.Process(process.pid).memory_info().rss
            told = _ask(port, CLIENTS, lasts)
            after = psutil.Process(process.pid).memory_info().rss
        finally:
            process.terminate()
            process.wait()
    answers, dropped = told["answers"], told["dropped"]
    report.add(
        f"`serve`: {CLIENTS} clients for {lasts} s",
        f"{answers / lasts:,.0f} a second",
        f"{answers:,} answers, {dropped} dropped",
        "",
        "none dropped",
        holds=not dropped and answers > 0,
    )
    report.add(
        "`serve`: p99 of their waits",
        seconds(told["p99"]),
        f"p50: {seconds(told['p50'])}; {told['scrapes']} scrapes of {scale.sessions:,} sessions "
        f"meanwhile, the longest {seconds(told['longest_scrape'])}",
        "",
        "≤ 2 s",
        holds=told["p99"] <= 2,
    )
    report.add(
        "`serve`: memory after them",
        f"{after >> 20} MB",
        f"before: {before >> 20} MB",
        f"{(after - before) / (1 << 20):+.0f} MB",
        f"≤ {_MOST_MORE >> 20} MB more",
        holds=after - before <= _MOST_MORE,
    )


def _port(process: "subprocess.Popen[bytes]", log: Any) -> int:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        log.seek(0)
        if found := re.search(r"Listening on http://[^:]*:(\d+)", log.read()):
            return int(found[1])
        time.sleep(0.05)
    raise RuntimeError("pawsctl serve does not listen")


def _ask(port: int, clients: int, lasts: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.serve", str(port), str(clients), str(lasts)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=lasts + 120)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class _Clients:
    """Counts answers and waits; what is no whole answer in time is dropped."""

    def __init__(self, port: int, lasts: int) -> None:
        self._port = port
        self._ends = time.monotonic() + lasts
        self.waits: list[float] = []
        self.scrapes: list[float] = []
        self.dropped = 0

    async def ask(self) -> None:
        """Ask for the health again and again, on one connection."""
        await self._again(b"/api/health", self.waits, 0)

    async def scrape(self) -> None:
        """Ask for the metrics from time to time."""
        await self._again(b"/metrics", self.scrapes, _SCRAPE_SECONDS)

    async def _again(self, path: bytes, waits: list[float], pause: float) -> None:
        writer = None
        while time.monotonic() < self._ends:
            begun = time.perf_counter()
            try:
                if writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(_REQUEST % path)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
                length = re.search(rb"content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
            except (OSError, EOFError, TimeoutError):
                self.dropped += 1
                writer = None
                continue
            # The bot's keys are not set here, so that 503 is right; Redis is up all the time.
            self.dropped += b'"status":"up"' not in body and b"pawsctl_sessions " not in body
            waits.append(time.perf_counter() - begun)
            await asyncio.sleep(pause)
        if writer is not None:
            writer.close()


async def _run(port: int, count: int, lasts: int) -> dict[str, Any]:
    clients = _Clients(port, lasts)
    await asyncio.gather(*(clients.ask() for _ in range(count)), clients.scrape())
    waits = sorted(clients.waits)
    return {
        "answers": len(waits),
        "dropped": clients.dropped,
        "p50": waits[len(waits) // 2],
        "p99": waits[len(waits) * 99 // 100],
        "scrapes": len(clients.scrapes),
        "longest_scrape": max(clients.scrapes),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_run(*map(int, sys.argv[1:4])))))
