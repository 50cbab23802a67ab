"""The applications whose sessions are tried: their settings, and how their libraries are run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from tests.standins import machine

_APPS = Path(__file__).parent / "apps"


class Application(NamedTuple):
    """A library with the settings that its sessions need, and the encoding of its values.

    `versions` are those that are installed. Without a `program`, it can't be run here.
    """

    name: str
    versions: str
    prefix: str
    ttl: str
    encoding: str
    program: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """pawsctl's settings for its sessions."""
        return {
            "SESSION_PREFIX": self.prefix,
            "SESSION_TTL": self.ttl,
            "SESSION_FORMAT": "raw",
        }


APPLICATIONS = (
    Application("connect-redis", "9.0.0", "sess:", "1h", "json", "connect_redis.js"),
    Application(
        "Flask-Session",
        "Flask-Session==0.8.0 Flask==3.1.3 redis==8.1.0 msgspec==0.22.0",
        "session:",
        "31d",
        "hex",
        "flask_app.py",
    ),
    Application(
        "Django",
        "Django==5.2.19 redis==8.1.0",
        ":1:django.contrib.sessions.cache",
        "14d",
        "hex",
        "django_app.py",
    ),
)


def run(application: Application, url: str, *arguments: str) -> dict[str, Any]:
    """Have a library write a session, or read that of a cookie; return id, cookie and user."""
    program = _APPS / application.program
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "REDIS_URL": url}
    if program.suffix == ".js":
        # Its peers, express-session and redis, come with it.
        modules = machine.npm_package(application.name, application.versions)
        environment["NODE_PATH"] = str(modules)
        command = ["node", str(program)]
    else:
        command = [str(_python(application)), str(program)]
    done = subprocess.run(
        [*command, *arguments], env=environment, capture_output=True, check=False, timeout=60
    )
    if done.returncode:
        raise RuntimeError(f"{application.name}: {done.stderr.decode()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _python(application: Application) -> Path:
    """Return the Python of an environment with the library, which is installed once."""
    folder = machine.cache_folder() / f"{application.name}-{application.versions.split()[0]}"
    python = folder / "bin" / "python"
    with machine.locked(application.name):
        if not (folder / "complete").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
            subprocess.run(
                [str(python), "-m", "pip", "install", "-q", *application.versions.split()],
                check=True,
            )
            (folder / "complete").touch()
    return python
