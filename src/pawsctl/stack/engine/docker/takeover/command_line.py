"""Read a server's settings for its data from the command of its container. Pure.

A configuration file or a script may change them: then the command does not tell all.
"""

import shlex
from collections.abc import Mapping
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any

from pawsctl.stack.engine import append_only_files

# Redis's defaults; of `save`, only whether it is empty matters.
DEFAULTS = {
    "appendonly": "no",
    "appendfilename": append_only_files.FILE,
    "appenddirname": append_only_files.FOLDER,
    "dbfilename": "dump.rdb",
    "save": "3600 1",
}
_OUR_FILES = "/run/secrets/"
# Keeps nothing of the server's own file but whose replica it is; options then have the last word.
_OUR_ENTRYPOINT = ["sh", f"{_OUR_FILES}start.sh"]
_SERVERS = ("redis-server", "valkey-server")
# The entrypoint that starts redis-server if it gets nothing but options.
_ENTRYPOINT = "docker-entrypoint.sh"
_BEFORE = (_ENTRYPOINT, "tini", "dumb-init", "--", "sh", "-c", "exec")
# Options for the server that entrypoints of Redis's and Valkey's images add to the command.
_ADDED = ("REDIS_ARGS=", "VALKEY_EXTRA_FLAGS=")


def settings(config: Mapping[str, Any]) -> dict[str, str]:
    """Return `dir` and the settings of DEFAULTS; `config` is Config of the container's inspect."""
    words = _words(config)
    found = {**DEFAULTS, "dir": config.get("WorkingDir") or "/"}
    if any(_is_ours(each) for each in words):
        found["appendonly"] = "yes"
    for option, value in zip(words, [*words[1:], ""], strict=False):
        if option.removeprefix("--") in found and option.startswith("--"):
            found[option.removeprefix("--")] = value
    found["dir"] = str(PurePosixPath(config.get("WorkingDir") or "/") / found["dir"])
    return found


def port(config: Mapping[str, Any]) -> int | None:
    """Return the port that an option names, or None."""
    words = _words(config)
    named = [value for option, value in pairwise(words) if option == "--port"]
    return int(named[-1]) if named and named[-1].isdecimal() else None


def tells_all(config: Mapping[str, Any]) -> bool:
    """Whether the command starts a server directly, with options and no file but ours."""
    words = _words(config)
    included = [word for option, word in pairwise(words) if option == "--include"]
    if any("$" in each for each in words) or not all(_is_ours(each) for each in included):
        return False
    if config.get("Entrypoint") == _OUR_ENTRYPOINT:
        return True
    names = [PurePosixPath(each).name for each in words]
    at = next((i for i, each in enumerate(names) if each not in _BEFORE), len(names))
    if names[at : at + 1] and names[at] in _SERVERS:
        at += 1
    elif names[:1] != [_ENTRYPOINT]:
        return False
    first = words[at] if at < len(words) else "--"
    return first.startswith("--") or _is_ours(first)


def _is_ours(word: str) -> bool:
    return word.startswith(_OUR_FILES) and word.endswith(".conf")


def _words(config: Mapping[str, Any]) -> list[str]:
    """Return the words of the command; a shell line in it is split into its words."""
    added = [each.partition("=")[2] for each in config.get("Env") or () if each.startswith(_ADDED)]
    found: list[str] = []
    for word in [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ()), *added]:
        try:
            parts = shlex.split(word) if " " in word else [word]
        except ValueError:
            parts = word.split()
        found += parts
    return found
