"""The command that adds an extra to pawsctl, by the way in which that was installed."""

import json
import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit


def install_command(extra: str = "embedded") -> str:
    """Return the command for this installation; `extra` may be several, with commas between."""
    try:
        written = distribution("pawsctl").read_text("direct_url.json")
        found = json.loads(written or "{}")
    except (PackageNotFoundError, ValueError):
        found = {}
    has_pip = find_spec("pip") is not None
    return command_for(
        found, prefix=Path(sys.prefix), python=sys.executable, has_pip=has_pip, extra=extra
    )


def command_for(
    origin: dict[str, Any], *, prefix: Path, python: str, has_pip: bool, extra: str = "embedded"
) -> str:
    """Return the command for an installation in `prefix` that runs with `python`.

    `origin` is what pip and uv note of an installation from elsewhere than an index, see
    https://packaging.python.org/specifications/direct-url.
    """
    what = _source(origin, f"[{extra}]")
    if (prefix / "pipx_metadata.json").exists():
        return shlex.join(["pipx", "install", "--force", what])
    if (prefix / "uv-receipt.toml").exists():
        return shlex.join(["uv", "tool", "install", "--force", what])
    edit = ["--editable"] if origin.get("dir_info", {}).get("editable") else []
    if not has_pip:
        return shlex.join(["uv", "pip", "install", "--python", python, *edit, what])
    return shlex.join([python, "-m", "pip", "install", *edit, what])


def _source(origin: dict[str, Any], extra: str) -> str:
    """Return what to install: a path, an address, or the package's name."""
    url = str(origin.get("url", ""))
    if "vcs_info" in origin:
        return f"pawsctl{extra} @ {origin['vcs_info'].get('vcs', 'git')}+{url}"
    if not url.startswith("file:"):
        return f"pawsctl{extra} @ {url}" if url else f"pawsctl{extra}"
    path = unquote(urlsplit(url).path)
    return f"{path}{extra}" if Path(path).exists() else f"pawsctl{extra}"
