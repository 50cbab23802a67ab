"""Escape text in a job's log that GitHub's runner would take for its own commands. Pure.

The runner obeys a line that begins with `::`, after any blanks, and one that contains `##[`:
`::error::`, `::add-mask::`, `::stop-commands::`, `##[group]`. Text from the bot's users must not
be taken for either.
"""

import re
from collections.abc import Mapping

# A carriage return alone ends a line, too.
_BEGIN = re.compile(r"(?:^|(?<=\r))(\s*):(?=:)", re.MULTILINE)


def is_read(environ: Mapping[str, str]) -> bool:
    """Return whether stdout and stderr go to the log of a GitHub job."""
    return environ.get("GITHUB_ACTIONS") == "true"


def text(line: str) -> str:
    r"""Return one or more lines with `\x3a` or `\x23` where a command would begin."""
    return _BEGIN.sub(r"\1\\x3a", line).replace("##[", r"#\x23[")


def json(lines: bytes) -> bytes:
    r"""Return the same JSON values: `##[` can only be inside a string, and becomes `#\u0023[`."""
    return lines.replace(b"##[", rb"#\u0023[")


def raw(output: bytes) -> bytes:
    """Return whole lines of another program's output, escaped like `text`."""
    return text(output.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def csv(rows: bytes) -> bytes:
    """Return CSV rows, escaped like `text`."""
    return text(rows.decode()).encode()
