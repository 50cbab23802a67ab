"""Make the virtual environment of a checkout, with pip in it.

Debian and Ubuntu keep ensurepip, which puts pip there, in the package python3-venv. Without it, the
wheel of pip is downloaded from the package index, checked against the index's hash, and installs
itself: `python tools/make_venv.py FOLDER`. Needs nothing but Python.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import venv
from importlib.util import find_spec
from pathlib import Path

_FORMAT = "application/vnd.pypi.simple.v1+json"
_WHEEL = re.compile(r"pip-(\d+(?:\.\d+)*)-py3-none-any\.whl")
_SECONDS = 60


def make(folder: Path) -> None:
    """Make the environment, or go on with one. Exits with a message if pip can't be downloaded."""
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    has_ensurepip = find_spec("ensurepip") is not None
    venv.create(folder, with_pip=has_ensurepip, symlinks=os.name != "nt")
    if has_ensurepip or (programs / "pip").exists():
        return
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    print(f"This Python has no ensurepip: pip is downloaded from {_shown(index)}", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        try:
            wheel = download(index, Path(temporary))
        except (OSError, ValueError) as error:
            sys.exit(
                f"pip can't be downloaded: {error}.\n"
                f"Install what is missing, and run make again:  {_apt()}"
            )
        install = [f"{wheel}/pip", "install", "--quiet", "--no-index", str(wheel)]
        subprocess.run([programs / "python", *install], check=True)


def download(index: str, folder: Path) -> Path:
    """Download the newest wheel of pip and return its path.

    Raises OSError if the index can't be reached, ValueError for a wheel that is not the index's.
    """
    asked = urllib.request.Request(index, headers={"Accept": _FORMAT})
    with urllib.request.urlopen(asked, timeout=_SECONDS) as reply:
        files = json.load(reply)["files"]
    wheels = [each for each in files if _WHEEL.fullmatch(each["filename"]) and not each["yanked"]]
    newest = max(wheels, key=lambda each: _version(each["filename"]))
    with urllib.request.urlopen(
        urllib.parse.urljoin(index, newest["url"]), timeout=_SECONDS
    ) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != newest["hashes"]["sha256"]:
        raise ValueError(f"{newest['filename']} is not what {_shown(index)} says")
    wheel = folder / str(newest["filename"])
    wheel.write_bytes(content)
    return wheel


def _version(name: str) -> tuple[int, ...]:
    found = _WHEEL.fullmatch(name)
    return tuple(map(int, found[1].split("."))) if found else ()


def _shown(url: str) -> str:
    """Return a URL without the login in it."""
    return re.sub(r"//[^/@]*@", "//", url)


def _apt() -> str:
    by = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
    return f"{by}apt install python3-venv"


if __name__ == "__main__":
    make(Path(sys.argv[1]))
