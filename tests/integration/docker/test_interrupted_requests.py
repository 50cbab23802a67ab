"""Ctrl-C in the middle of a request to the engine: the requests that undo it are answered."""

import subprocess
import sys

import docker

SECONDS = 100


def test_the_next_request_is_answered(docker_engine: docker.DockerClient) -> None:
    """It neither waits for a lock that nobody will let go, nor reads the answer of another."""
    assert docker_engine.ping()
    done = subprocess.run(
        [sys.executable, "-m", "tests.interrupting"],
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    # Far fewer would not be the code that lends connections.
    assert len(done.stdout.splitlines()) > 60
