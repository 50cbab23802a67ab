"""Docker's config.json, read as the docker command reads it.

The SDK raises AttributeError, TypeError and ValueError for forms that the docker command accepts,
and finds no context without the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where config.json and the contexts are; relative if this user has no home."""
    stated = environ.get("DOCKER_CONFIG")
    return Path(stated) if stated else Path(os.path.expanduser("~")) / ".docker"  # noqa: PTH111


def read(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return what config.json says; what is missing or can't be read says nothing.

    The docker command warns of the latter, and goes on.
    """
    try:
        found = json.loads((folder(environ) / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def table(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the object that config.json has under a name; an empty one if it has none."""
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def text(config: Mapping[str, Any], name: str) -> str:
    """Return the text that config.json has under a name; empty if it has none."""
    found = config.get(name)
    return found if isinstance(found, str) else ""
