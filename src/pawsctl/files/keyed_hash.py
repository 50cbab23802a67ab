"""Keyed hashes: a plain hash of a phone is guessed in seconds, since there are so few phones.

The key is made when it is first needed, and stays in the state directory: two hashes of one phone
can be compared by whoever has the key, and mean nothing to others.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pawsctl.errors import OperationFailed, UsageError
from pawsctl.files import atomic_file, state_dir, temporary_files

_BYTES = 32


def path() -> Path:
    """Return the file of the key, whether it exists or not."""
    return state_dir.path_of() / "hash.key"


def hashed(text: str) -> str:
    """Return the keyed hash of a text, as `hmac-sha256:…`.

    Raises OperationFailed if the key can't be read or kept, UsageError if the state directory is
    not safe.
    """
    return all_hashed([text])[0]


def all_hashed(texts: Sequence[str]) -> list[str]:
    """Return the keyed hash of each text; the key is read once. Raises what `hashed` raises."""
    key = _key() if texts else b""
    data = [each.encode("utf-8", "surrogateescape") for each in texts]
    return [f"hmac-sha256:{hmac.new(key, each, hashlib.sha256).hexdigest()}" for each in data]


def derived(purpose: str) -> bytes:
    """Return a key for a purpose of its own. Raises what `hashed` raises."""
    return hmac.new(_key(), purpose.encode(), hashlib.sha256).digest()


def _key() -> bytes:
    place = path()
    if not place.exists():
        state_dir.made(place.parent)
        # If another process makes it at the same time, its key counts.
        with (
            suppress(UsageError),
            atomic_file.replacing(place, private=True, overwrite=False) as write,
        ):
            write(secrets.token_hex(_BYTES).encode() + b"\n")
    # One that was killed while it made the key has left it under another name too.
    temporary_files.sweep(place.parent)
    with state_dir.usable(place.parent):
        text = place.read_bytes().strip()
    try:
        key = bytes.fromhex(text.decode("ascii", "replace"))
    except ValueError:
        key = b""
    if len(key) != _BYTES:
        raise OperationFailed(
            f"{place} holds no key of {_BYTES} bytes in hexadecimal.",
            hint="Put it back from a copy, or remove it: then hashes made before can't be compared "
            "with new ones.",
        )
    return key
