"""The compose files as JSON: pawsctl reads those, since a parser of YAML takes long to load."""

from pathlib import Path

import msgspec

from pawsctl.stack.project import compose_tree
from pawsctl.stack.project.mounted_files import compose_file


def generated() -> dict[Path, str]:
    """Return the path and the text of each."""
    return {
        compose_tree.parsed_path(path): _json(compose_tree.parse(path.read_bytes()))
        for path in sorted(compose_file().parent.glob("*.yaml"))
    }


def _json(parsed: compose_tree.Parsed) -> str:
    return msgspec.json.format(msgspec.json.encode(parsed)).decode() + "\n"
