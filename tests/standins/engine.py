"""The few `docker` commands that building and pushing images takes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


class EngineError(Exception):
    """Docker refused; the message is Docker's."""


@dataclass(frozen=True)
class LocalImage:
    """An image of the engine: its id, and the labels that it was built with."""

    id: str
    labels: Mapping[str, str]


def find_image(name: str) -> LocalImage | None:
    """Return the local image of that name, or None if there is none."""
    form = '{"id": {{json .Id}}, "labels": {{json .Config.Labels}}}'
    try:
        printed = json.loads(_docker("image", "inspect", "--format", form, name))
    except EngineError as error:
        if "No such image" in str(error):
            return None
        raise
    return LocalImage(printed["id"], printed["labels"] or {})


def build(image: str, context: Path, labels: Mapping[str, str]) -> None:
    """Build the Dockerfile in `context` as `image`."""
    marks = [f"--label={name}={value}" for name, value in labels.items()]
    # A build downloads nothing, so it needs no network.
    _docker("build", "--network", "none", "--tag", image, *marks, str(context))


def push(image: str, registry: str) -> str:
    """Push a local image to the registry at `registry`, and return its name there.

    The new name is removed locally: to have the image under it, one has to pull it.
    """
    name = f"{registry}/{image.rpartition('/')[2]}"
    _docker("tag", image, name)
    try:
        _docker("push", name)
    finally:
        remove_image(name)
    return name


@contextlib.contextmanager
def never_pulled(base: str, registry: str) -> Iterator[str]:
    """Yield the name of an image in the registry that has to be downloaded.

    It is `base` with two layers of noise on top, 4 MB each, that this engine does not have; the
    layers of `base` it may have. A pulled image is removed at the end.
    """
    name = f"{registry}/never-pulled:{uuid.uuid4().hex[:12]}"
    with tempfile.TemporaryDirectory(prefix="pawsctl-test-noise-") as folder:
        context = Path(folder)
        for layer in ("first", "second"):
            (context / layer).write_bytes(os.urandom(4_000_000))
        (context / "Dockerfile").write_text(f"FROM {base}\nCOPY first /\nCOPY second /\n")
        build(name, context, {})
    try:
        _docker("push", name)
        remove_image(name)
        yield name
    finally:
        if find_image(name):
            remove_image(name)


def remove_image(image: str) -> None:
    """Delete the name, and the image if that was its last one; a container may use it."""
    _docker("image", "rm", "--force", image)


def _docker(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["docker", *arguments],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            text=True,
        )
    except FileNotFoundError as error:
        raise EngineError("the docker command is not installed") from error
    if done.returncode:
        raise EngineError(f"docker {arguments[0]} failed: {(done.stderr or done.stdout).strip()}")
    return done.stdout
