"""Mask what is about to be written, whatever it is. Nothing here writes.

Sessions are masked where they are read; this is for phones in all the rest: paths, URLs, settings,
what a server said, and what was typed.
"""

import json
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from pawsctl.cli.output import Format

if TYPE_CHECKING:
    from pawsctl.sessions.contract.mask import Mask

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# No phone and no key: no mark, and few digits.
_HARMLESS = re.compile(r'"[^+:%\\0-9]*(?:[0-9]{1,6}[^+:%\\0-9]*)?"')
# Not the apostrophe of a word.
_QUOTED = re.compile(r"(?<!\w)'(.*?)'(?!\w)", re.DOTALL)
# Names of options and of values, such as '--limit' / '-n', 'PHONE...' and 'N'.
_OWN = re.compile(r"-{1,2}[a-z][a-z-]*|\[?[A-Z][A-Z_.|-]*\]?")
_UNKNOWN_OPTION = re.compile(r"(?<=^No such option: )[^\s.]+")
_EXTRA_ARGUMENTS = re.compile(r"(?<=^Got unexpected extra argument)(\(?s?\)? )\((.*)\)", re.DOTALL)
_VALUE = re.compile(r"(?<=: )[^\s']+(?= is not )")
_COMMAND_LINE = re.compile(r"(?<= -- ).*", re.DOTALL)


def encoded(data: bytes, output_format: Format, mask: "Mask") -> bytes:
    """Return whole lines of stdout with the phones in them masked; numbers in JSON stay."""
    text = data.decode("utf-8", "surrogateescape")
    if output_format in ("json", "jsonl"):
        shown = _STRING.sub(lambda found: _literal(found[0], mask), text)
    else:
        shown = mask.data(text)
    return shown.encode("utf-8", "surrogateescape")


def _literal(literal: str, mask: "Mask") -> str:
    # Most are names of fields and short words.
    if _HARMLESS.fullmatch(literal):
        return literal
    text = json.loads(literal) if "\\" in literal else literal[1:-1]
    shown = mask.data(text)
    return literal if shown == text else json.dumps(shown)


def misuse(text: str, mask: "Mask", own_words: Collection[str]) -> str:
    """Return a sentence on wrong usage with blocks for what was typed, or set, and is quoted.

    `own_words` are the names of commands. What is quoted and begins with one of them is ours.
    """

    def quoted(found: re.Match[str]) -> str:
        inside = found[1]
        first = inside.split(" ", 1)[0]
        is_ours = first in own_words or _OWN.fullmatch(inside)
        return found[0] if is_ours else f"'{mask.text(inside)}'"

    text = _QUOTED.sub(quoted, text)
    for typed in (_UNKNOWN_OPTION, _VALUE, _COMMAND_LINE):
        text = typed.sub(lambda found: mask.text(found[0]), text)
    return _EXTRA_ARGUMENTS.sub(lambda found: f"{found[1]}({mask.text(found[2])})", text)
