"""The packages that a command imports, which decide how soon it starts."""

import os
import subprocess
import sys

from tests.cli_runner import Pawsctl

HEAVY = {"redis", "docker", "rich", "dotenv", "yaml", "requests", "asyncio", "psutil"}


def loaded(pawsctl: Pawsctl, *arguments: str, env: dict[str, str] | None = None) -> set[str]:
    """Return the heavy packages that a command line imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pawsctl", *arguments],
        capture_output=True,
        text=True,
        cwd=pawsctl.folder,
        env=pawsctl.environment | {"PATH": os.environ["PATH"]} | (env or {}),
        check=False,
    )
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pawsctl.cli.app" in modules
    return HEAVY & {module.partition(".")[0] for module in modules}
