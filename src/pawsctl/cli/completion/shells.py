"""Answer a shell that asks for completion, in that shell's own form."""

import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pawsctl.cli.completion import FILES, candidates
from pawsctl.cli.completion.candidates import Candidate, Candidates


class _BegunLine(NamedTuple):
    """The whole words, the begun one, and the part of it that the shell does not replace."""

    words: list[str]
    begun: str
    kept: str = ""


def answer(root: Any, asked: str, environ: Mapping[str, str]) -> int:
    """Write the answer to `asked`, such as `complete_bash`, and return the exit status."""
    action, _, shell = asked.partition("_")
    if action == "source":
        from pawsctl.cli.completion import scripts

        sys.stdout.write(scripts.of(shell))
        return 0
    line = _of_bash(environ) if shell == "bash" else _of_line(shell, environ)
    # bash shows words alone.
    found = candidates.of(root, line.words, line.begun, meanings=shell != "bash")
    if shell == "fish" and environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        return int(found.files)
    sys.stdout.write(_written(shell, found, line))
    return FILES if found.files and shell == "bash" else 0


def _of_bash(environ: Mapping[str, str]) -> _BegunLine:
    """Return what bash asks. It splits words at `:` and `=`, too, and replaces the last part."""
    position = int(environ.get("COMP_CWORD") or 0)
    parts = [*_split(environ.get("COMP_WORDS", ""))[: position + 1]]
    parts += [""] * (position + 1 - len(parts))
    words: list[str] = []
    is_open, kept = False, ""
    for part in parts:
        is_break = bool(part) and not part.strip(":=")
        if words and (is_open or is_break) and len(words) > 1:
            words[-1] += part
            kept = words[-1] if is_break else kept
        else:
            words.append(part)
            kept = ""
        is_open = is_break
    return _BegunLine(words[1:-1], words[-1], kept)


def _of_line(shell: str, environ: Mapping[str, str]) -> _BegunLine:
    """Return what the other shells ask: the line up to the cursor."""
    line = environ.get("_TYPER_COMPLETE_ARGS", "")
    words = _split(line)
    is_begun = line[-1:].strip() != ""
    if shell in ("powershell", "pwsh"):
        is_begun = bool(environ.get("_TYPER_COMPLETE_WORD_TO_COMPLETE"))
    begun = words.pop() if is_begun and len(words) > 1 else ""
    equals = re.match(r"--[\w-]+=", begun)
    return _BegunLine(words[1:], begun, equals[0] if equals else "")


def _split(line: str) -> list[str]:
    """Return the words of a line as a shell splits it; the last may lack its closing quote."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words += lexer
    except ValueError:
        words.append(lexer.token)
    return words


def _written(shell: str, found: Candidates, line: _BegunLine) -> str:
    if shell == "zsh":
        return _for_zsh(found, line.kept)
    if shell == "bash":
        return "".join(f"{each.word.removeprefix(line.kept)}\n" for each in found.words)
    if shell == "fish":
        return "".join(f"{each.word}\t{_line(each.meaning)}".strip() + "\n" for each in found.words)
    return "".join(f"{each.word}:::{_line(each.meaning) or ' '}\n" for each in found.words)


def _line(meaning: str) -> str:
    return " ".join(meaning.split())


def _for_zsh(found: Candidates, kept: str) -> str:
    """Return commands that zsh runs. They are one line: it may be split and joined again."""
    prefix = "compset -P '*='; " if kept else ""
    if found.files:
        return f"{prefix}_files\n"
    if not found.words:
        return "\n"
    return (
        f"{prefix}local -a _pawsctl_words; _pawsctl_words=({_quoted(found.words)}); "
        "_describe -V '' _pawsctl_words\n"
    )


def _quoted(words: Iterable[Candidate]) -> str:
    def one(each: Candidate) -> str:
        word = each.word.replace("\\", "\\\\").replace(":", "\\:")
        return shlex.quote(f"{word}:{_line(each.meaning)}" if each.meaning else word)

    return " ".join(map(one, words))
