"""The files of a container, started or not, as the engine hands them out."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker.api import APIClient

# Bytes; a file may have gigabytes, and what is read here is small.
_MOST = 1 << 16
_CHUNK = 1 << 12


def exists(api: APIClient, container_id: str, path: str) -> bool:
    """Return whether a container has a file or folder at `path`. Raises APIError."""
    with _archive(api, container_id, path) as chunks:
        return chunks is not None


def beginning(api: APIClient, container_id: str, path: str) -> bytes | None:
    """Return the first bytes of a file, all of a small one; None if there is none.

    Raises APIError.
    """
    packed = b""
    with _archive(api, container_id, path) as chunks:
        if chunks is None:
            return None
        for chunk in chunks:
            packed += chunk
            if len(packed) > _MOST:
                break
    # Zeros end an archive, and stand for the rest of a file that was not read.
    with tarfile.open(fileobj=io.BytesIO(packed + bytes(2 * tarfile.BLOCKSIZE))) as archive:
        found = archive.next()
        content = archive.extractfile(found) if found and found.size <= _MOST else None
        return content.read() if content else b""


@contextmanager
def _archive(api: APIClient, container_id: str, path: str) -> Iterator[Iterator[bytes] | None]:
    """Yield the pieces of an archive that holds a file alone; None if there is no such file."""
    from docker.errors import NotFound

    try:
        stream, _ = api.get_archive(container_id, path, chunk_size=_CHUNK)
    except NotFound:
        yield None
        return
    try:
        yield stream
    finally:
        # The rest of it need not come.
        stream.close()
