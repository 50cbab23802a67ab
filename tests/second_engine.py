"""A Docker Engine for one test, set up in a way that the shared one must not be."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import skip_or_fail

DEADLINE_SECONDS = 60.0

_CONTAINERD = """
version = 2
root = "{folder}/containerd-data"
state = "{folder}/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{folder}/containerd.sock"
"""


@contextmanager
def second_engine(
    *options: str,
    images: tuple[str, ...] = (),
    hidden: tuple[Path, ...] = (),
    unmounted: tuple[str, ...] = (),
    has_own_containerd: bool = True,
) -> Iterator[str]:
    """Yield the address of a new engine that has these images; stop it at the end.

    It runs with these `options` of dockerd. Instead of each of the `hidden` directories it sees an
    empty one, like an engine in a snap or a virtual machine. The `unmounted` ones it lacks. Its
    containerd is a child of its own, and dies with it, or as most systems have it a service.
    """
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("dockerd"):
        skip_or_fail("a second dockerd needs root, on Linux")
    # A socket's path may have at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="pawsctl-test-engine-", dir="/var/tmp"))
    address = f"unix://{folder}/docker.sock"
    covers = "".join(f"mount -t tmpfs none '{each}' && " for each in hidden)
    covers += "".join(f"umount '{each}' && " for each in unmounted)
    if not has_own_containerd:
        settings = folder / "containerd.toml"
        settings.write_text(_CONTAINERD.format(folder=folder))
        covers += f"{{ containerd --config {settings} & echo $! > {folder}/containerd.pid; }} && "
        options = (*options, "--containerd", f"{folder}/containerd.sock")
    pool = () if any("address-pool" in each for each in options) else (_POOL,)
    bridge = f"paws{secrets.token_hex(4)}"
    command = [
        *("unshare", "--mount", "sh", "-c", f'{covers}exec dockerd "$@"', "dockerd"),
        *("--host", address, "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
        *("--pidfile", f"{folder}/pid", "--bridge", bridge, "--iptables=false", *pool, *options),
    ]
    # Without a bridge of its own, it would remove the one that the other engine uses.
    subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], check=True)
    subprocess.run(["ip", "address", "add", "10.215.0.1/24", "dev", bridge], check=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            # containerd writes its stacks there.
            env=os.environ | {"TMPDIR": str(folder)},
            start_new_session=True,
        )
    try:
        _wait(address, process, folder / "log")
        for image in images:
            give_image(image, address)
        yield address
    finally:
        process.terminate()
        process.wait()
        if not has_own_containerd:
            os.kill(int((folder / "containerd.pid").read_text()), signal.SIGTERM)
        subprocess.run(["ip", "link", "delete", bridge], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def give_image(image: str, address: str) -> None:
    """Copy an image from the shared engine to the one at `address`."""
    saved = subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE)
    with saved:
        subprocess.run(
            ["docker", "-H", address, "load"], stdin=saved.stdout, check=True, capture_output=True
        )


_POOL = "--default-address-pool=base=10.213.0.0/16,size=24"


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        asked = subprocess.run(["docker", "-H", address, "info"], capture_output=True, check=False)
        if asked.returncode == 0 and b"ERROR" not in asked.stdout + asked.stderr:
            return
        time.sleep(0.1)
    skip_or_fail(f"a second dockerd does not start: {log.read_text()[-500:]}")
