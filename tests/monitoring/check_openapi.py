"""schemathesis asks the running server what its description allows, and what it does not."""

import subprocess
import sys
from pathlib import Path

from tests.cli_runner import Pawsctl
from tests.serving import DEVELOPMENT, serving


def test_the_server_does_what_it_describes(pawsctl: Pawsctl) -> None:
    """Statuses, types, schemas and methods are as described; odd requests get no failure."""
    program = Path(sys.executable).with_name("schemathesis")
    with serving(pawsctl, env=DEVELOPMENT) as served:
        done = subprocess.run(
            [program, "run", f"{served.url}/openapi.json", "--max-examples", "200"],
            cwd=pawsctl.folder,
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
