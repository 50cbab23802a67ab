"""What GitHub's runner takes for its own commands in the log of a job, made plain text. Pure.

The runner obeys a line that begins with `::`, blanks before it aside, and one that holds `##[`:
`::error::`, `::add-mask::`, `::stop-commands::`, `##[group]`. What users of the bot write must be
neither.
"""

import re
from collections.abc import Mapping

# A carriage return alone ends a line, too.
_BEGIN = re.compile(r"(?:^|(?<=\r))(\s*):(?=:)", re.MULTILINE)


def is_read(environ: Mapping[str, str]) -> bool:
    """Whether stdout and stderr are the log of a job."""
    return environ.get("GITHUB_ACTIONS") == "true"


def text(line: str) -> str:
    r"""Return the line, or lines, with `\x3a` and `\x23` where a command would begin."""
    return _BEGIN.sub(r"\1\\x3a", line).replace("##[", r"#\x23[")


def json(lines: bytes) -> bytes:
    r"""Return the same JSON values: `##[` can only stand in a string, and becomes `#\u0023[`."""
    return lines.replace(b"##[", rb"#\u0023[")


def raw(output: bytes) -> bytes:
    """Return what another program printed, whole lines of it, as `text` has it."""
    return text(output.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def csv(rows: bytes) -> bytes:
    """Return the rows of a table as `text` has it."""
    return text(rows.decode()).encode()
