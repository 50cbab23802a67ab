"""Another user of this machine, who writes files wherever they may."""

import os
import subprocess
from pathlib import Path

from tests.needs import skip_or_fail

# Ids that no user has; they give no extra rights.
UID = 54_321


def run(*command: str, uid: int = UID) -> None:
    """Run a command as another user, whose only group has the same id."""
    if os.geteuid() != 0:
        skip_or_fail("only root can be another user")
    numbers = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    subprocess.run(["setpriv", *numbers, "--", *command], check=True, timeout=10)


def write(path: Path, text: str) -> Path:
    """Write a file as another user, in a folder that lets them."""
    run("sh", "-c", 'printf %s "$2" > "$1"', "sh", str(path), text)
    return path


def folder(path: Path, mode: int = 0o755) -> Path:
    """Create a folder that belongs to another user."""
    if os.geteuid() != 0:
        skip_or_fail("only root can give a folder away")
    path.mkdir()
    os.chown(path, UID, UID)
    path.chmod(mode)
    return path
