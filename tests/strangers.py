"""Another user of this machine, who writes files where they can."""

import os
import subprocess
from pathlib import Path

from tests.needs import skip_or_fail

# Numbers that no user has; whoever has one has no more rights for that.
UID = 54_321


def run(*command: str, uid: int = UID) -> None:
    """Run a command as another user, in no group but one of the same number."""
    if os.geteuid() != 0:
        skip_or_fail("only root can be another user")
    numbers = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    subprocess.run(["setpriv", *numbers, "--", *command], check=True, timeout=10)


def write(path: Path, text: str) -> Path:
    """Have another user write a file, in a folder that lets them."""
    run("sh", "-c", 'printf %s "$2" > "$1"', "sh", str(path), text)
    return path


def folder(path: Path, mode: int = 0o755) -> Path:
    """Give another user a folder of their own, where a test's are nobody else's."""
    if os.geteuid() != 0:
        skip_or_fail("only root can give a folder away")
    path.mkdir()
    os.chown(path, UID, UID)
    path.chmod(mode)
    return path
