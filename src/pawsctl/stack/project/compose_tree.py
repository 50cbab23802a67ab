"""Read a compose file as a tree of dicts, lists and texts.

Each compose file of this project is also kept as JSON in `parsed/`, written by `make docs`: to load
a parser of YAML takes 10 to 20 ms, a tenth of a short command.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec


class Parsed(msgspec.Struct, frozen=True):
    """The tree of a compose file, and the checksum of the file that it was read from."""

    sha256: str
    tree: dict[str, Any]


def read(path: Path) -> Any:
    """Return the tree of a compose file: from its JSON, or parsed anew if that is of another text.

    Raises ValueError if it is no YAML.
    """
    text = path.read_bytes()
    try:
        kept = msgspec.json.decode(parsed_path(path).read_bytes(), type=Parsed)
    except (OSError, msgspec.DecodeError):
        return parse(text).tree
    return kept.tree if kept.sha256 == hashlib.sha256(text).hexdigest() else parse(text).tree


def parse(text: bytes) -> Parsed:
    """Return a compose file's text as what is kept of it. Raises ValueError if it is no YAML."""
    import yaml

    # The parser in C is nine times as quick; some builds of PyYAML lack it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        tree = yaml.load(text, Loader=loader)  # noqa: S506 - it is a safe one
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return Parsed(hashlib.sha256(text).hexdigest(), tree)


def parsed_path(path: Path) -> Path:
    """Return where a compose file is kept as JSON."""
    return path.parent / "parsed" / f"{path.stem}.json"
