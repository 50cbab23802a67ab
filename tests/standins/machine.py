"""Copying this machine's programs with their libraries, and npm packages, into a stand-in."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path


class CannotBuildError(Exception):
    """This machine lacks a part of a stand-in; the message says which."""


def find_program(name: str) -> Path:
    """Return the file behind a command with links resolved: Debian's redis-server is one.

    Raises CannotBuildError if there is no such command.
    """
    # An unprivileged user's PATH has no sbin, where some distributions keep busybox.
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        raise CannotBuildError(f"{name} is not installed")
    return Path(found).resolve()


def libraries_of(programs: Iterable[Path]) -> list[Path]:
    """Return every shared library, and the loader, that the programs need to start.

    A static program needs none. Raises CannotBuildError if a library is missing.
    """
    found: set[Path] = set()
    for program in programs:
        try:
            ldd = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise CannotBuildError("ldd is not installed: not a Linux machine?") from error
        if "=> not found" in ldd.stdout:
            raise CannotBuildError(f"{program} lacks libraries:\n{ldd.stdout}")
        found.update(Path(path) for path in re.findall(r"(/\S+) \(0x", ldd.stdout))
    return sorted(found)


def node_builtins(node: Path) -> list[Path]:
    """Return the JavaScript files that Debian's Node.js keeps outside its executable.

    Other builds of Node.js have all of them inside, so the list is empty.
    """
    script = "console.log(JSON.stringify(process.config))"
    printed = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    return [Path(path) for path in re.findall(r'/usr/share/nodejs/[^"]+\.js', printed.stdout)]


def npm_package(name: str, version: str) -> Path:
    """Return a `node_modules` folder with the package and all its dependencies.

    It is installed once per machine, under the user's cache folder, and appears there whole or
    not at all: an interrupted or a simultaneous run does no harm.
    """
    cache = cache_folder()
    installed = cache / f"{name}-{version}"
    if not installed.is_dir():
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            _npm_install(f"{name}@{version}", Path(scratch))
            try:
                (Path(scratch) / "node_modules").rename(installed)
            except OSError:
                if not installed.is_dir():
                    raise
    return installed


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Wait for the lock of that name, shared by this user's processes, and hold it."""
    try:
        # Windows has no fcntl, nor the programs of a stand-in.
        import fcntl
    except ImportError:
        yield
        return
    with (cache_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cache_folder() -> Path:
    """Return the folder of this user for what is made or installed once, and make it."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pawsctl-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _npm_install(package: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise CannotBuildError("npm is not installed")
    # None of these packages needs its install scripts; running none is safer.
    options = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    command = [npm, "install", *options, "--prefix", str(folder), package]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotBuildError(f"npm could not install {package}:\n{done.stderr}")
