"""Read Docker's config.json as the docker command does.

The SDK raises AttributeError, TypeError and ValueError for forms that the docker command accepts,
and can't find a context if the file is missing.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Bytes; no real settings file is longer.
_LONGEST = 16 << 20


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of config.json and the contexts; relative if this user has no home."""
    stated = environ.get("DOCKER_CONFIG")
    return Path(stated) if stated else Path(os.path.expanduser("~")) / ".docker"  # noqa: PTH111


def read(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the object in config.json; empty if the file is missing or can't be read.

    If it can't be read, the docker command warns and goes on.
    """
    try:
        found = json.loads(content(folder(environ) / "config.json"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def content(path: Path) -> bytes:
    """Return the content of a regular file.

    Raises OSError if it is no regular file: a pipe or a device might have no end.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")
    with path.open("rb") as file:
        return file.read(_LONGEST)


def table(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the object that config.json has under a name; an empty one if it has none."""
    found = _entry(config, name)
    return found if isinstance(found, dict) else {}


def text(config: Mapping[str, Any], name: str) -> str:
    """Return the text that config.json has under a name; empty if it has none."""
    found = _entry(config, name)
    # The docker command turns lone surrogates into replacement characters.
    return re.sub("[\ud800-\udfff]", "\ufffd", found) if isinstance(found, str) else ""


def _entry(config: Mapping[str, Any], name: str) -> Any:
    """Return the value of a name, case-insensitively, as the docker command does."""
    same = [value for key, value in config.items() if key.lower() == name.lower()]
    return same[-1] if same else None
