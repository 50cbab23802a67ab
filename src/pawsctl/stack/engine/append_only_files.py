"""The files of which an append-only file consists, and whether all are there. Pure."""

import shlex
from collections.abc import Callable, Iterator

FOLDER, FILE = "appendonlydir", "appendonly.aof"
"""The defaults of the settings `appenddirname` and `appendfilename`."""


def begins(folder: str, name: str) -> tuple[str, str]:
    """Return the files of which a server reads the first that is there, in its own folder.

    The first is a manifest; before Redis 7 there was one file and no folder. `folder` and `name`
    are the settings `appenddirname` and `appendfilename`.
    """
    return f"{folder}/{name}.manifest", name


def are_there(folder: str, name: str, read: Callable[[str], bytes | None]) -> bool:
    """Whether an append-only file is whole: the files that its manifest lists, or the one file.

    `folder` and `name` are as for `begins`. `read` returns the content of a file in the server's
    own folder, at least a part of it; None if there is none.
    """
    first, single = begins(folder, name)
    manifest = read(first)
    if manifest is None:
        return read(single) is not None
    try:
        return all(read(f"{folder}/{each}") is not None for each in _listed(manifest))
    except ValueError:
        # A quote without an end.
        return False


def _listed(manifest: bytes) -> Iterator[str]:
    """Yield the files that a manifest lists, but for those that are to be removed.

    A line is `file NAME seq 1 type b`, the name in quotes if it has blanks.
    """
    for line in manifest.decode("utf-8", "replace").splitlines():
        words = shlex.split(line)
        if words[:1] == ["file"] and words[-2:] != ["type", "h"]:
            yield words[1]
