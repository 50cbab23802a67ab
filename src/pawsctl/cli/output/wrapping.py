"""Break lines of styled text at words, so that they fit a terminal. Nothing here writes."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from pawsctl import escaping
from pawsctl.cli.output.table import Line, Span, columns_of, plain

# A number is not separated from its unit: `1.2 KB`, `12 min`, `5h 49m`.
_VALUE = r"[\d.,]+ (?:[KMG]?B|m?s|min|h|days?)\b|\d+[dhm] \d+[hms]\b"
_PROGRAMS = r"(?:pawsctl|docker|podman|redis-cli|valkey-cli|sudo|kill|ch(?:mod|own)) "
# A command in a sentence, without quotes of its own: it is copied by itself, and stays on one line.
_IN_A_SENTENCE = rf"(?<![^ (])'{_PROGRAMS}[^'\"\\\\]*'(?=[ .,;:)]|$)"


@cache
def _pieces() -> re.Pattern[str]:
    # Saves half a millisecond without a terminal.
    return re.compile(f" +|(?:{_IN_A_SENTENCE}|{_VALUE}|[^ ])+")


_TAB = "    "
_LEAST_PIECE = 8


@cache
def _commands() -> re.Pattern[str]:
    return re.compile(f"{_IN_A_SENTENCE}|(?P<whole>(?:^|[ ']){_PROGRAMS})")


def fitted(line: Line, room: int | None) -> Iterator[Line]:
    """Yield a line as `wrapped` does, with an indent; a line to be copied stays whole.

    That is one with a command, or with a word that is longer than a line, such as a URL. In a
    sentence, only the command itself stays whole.
    """
    text = plain(line)
    if room is None or len(text) * 2 <= room or _is_copied(text):
        yield line
        return
    indent = len(text) - len(text.lstrip(" ")) + 2
    if any(columns_of(escaping.visible(word)) > room - indent for word in _pieces().findall(text)):
        yield line
        return
    yield from wrapped(line, room, indent=indent)


def _is_copied(text: str) -> bool:
    return any(each["whole"] for each in _commands().finditer(text))


def wrapped(line: Line, room: int | None, *, indent: int = 0) -> Iterator[Line]:
    """Yield a line in parts that take at most `room` columns each; None means any number.

    Parts after the first are indented. A word that is longer than a line is broken.
    """
    if room is None:
        yield line
        return
    line = [(escaping.visible(text, keep="\t").replace("\t", _TAB), style) for text, style in line]
    if sum(columns_of(text) for text, _ in line) <= room:
        yield line
        return
    indent = min(indent, room // 2)
    part: list[Span] = []
    used = begin = gap = 0
    for word in _words(line):
        text = "".join(each for each, _ in word)
        if text[0] == " ":
            gap = gap + len(text) if used else min(gap + len(text), room // 2)
            continue
        width, left = columns_of(text), room - used - gap
        # A word that no line can hold is broken where it begins.
        if used > begin and width > left and (width <= room - indent or left < _LEAST_PIECE):
            yield part
            part, used, begin, gap = [(" " * indent, "")], indent, indent, 0
        part.append((" " * gap, ""))
        used, gap = used + gap, 0
        for piece, style in word:
            first, *rest = _chopped(piece, room - used, room - indent)
            part.append((first, style))
            used += columns_of(first)
            for each in rest:
                yield part
                part = [(" " * indent, ""), (each, style)]
                used, begin = indent + columns_of(each), indent
    yield part


def joined(facts: Sequence[str], room: int | None) -> Iterator[str]:
    """Yield the facts joined by ` · `, in lines of at most `room` columns; none is broken."""
    line = ""
    for fact in facts:
        longer = f"{line} · {fact}" if line else fact
        if line and room is not None and columns_of(longer) > room:
            yield line
            longer = fact
        line = longer
    yield line


def _words(line: Line) -> Iterator[list[Span]]:
    """Yield the words of a line and the blanks between them; a word may have several styles."""
    word: list[Span] = []
    for text, style in line:
        for piece in _pieces().findall(text):
            if piece[0] == " ":
                if word:
                    yield word
                yield [(piece, style)]
                word = []
            else:
                word.append((piece, style))
    if word:
        yield word


def _chopped(text: str, first: int, rest: int) -> list[str]:
    """Return a text in pieces of at most `rest` columns; the first has at most `first`, even 0."""
    if columns_of(text) <= first:
        return [text]
    pieces: list[str] = []
    while text or not pieces:
        most, least = (rest, 1) if pieces else (first, 0)
        length = max(least, min(len(text), most))
        while length > least and columns_of(text[:length]) > most:
            length -= 1
        pieces.append(text[:length])
        text = text[length:]
    return pieces
