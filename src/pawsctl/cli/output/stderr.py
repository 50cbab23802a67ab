"""The writer of stderr: notices, errors, questions and progress; everything but data."""

import io
import os
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import msgspec

from pawsctl import escaping
from pawsctl.cli.output import Format, actions_log
from pawsctl.cli.output.table import Line, coloured, plain
from pawsctl.cli.output.wrapping import fitted
from pawsctl.errors import NotConfirmed

if TYPE_CHECKING:
    from pawsctl.sessions.contract.mask import Mask


class Talk:
    """Writes messages to the person at the terminal, or to the log of a CI job."""

    def __init__(
        self, output_format: Format, *, no_color: bool, verbose: bool, environ: Mapping[str, str]
    ) -> None:
        self.format = output_format
        self.verbose = verbose
        # Masks what is written on stderr, if private data is to be masked.
        self.mask: Mask | None = None
        # Words that masked errors may quote: the names of commands.
        self.own_words: Collection[str] = ()
        self._begun = time.monotonic()
        if verbose:
            # Saves 5 ms without --verbose.
            from pawsctl import tracing

            tracing.listen(self.detail)
        self._is_log = actions_log.is_read(environ)
        colour = not (no_color or environ.get("NO_COLOR") or environ.get("TERM") == "dumb")
        self._colour_out = colour and sys.stdout.isatty()
        self._colour_err = colour and sys.stderr.isatty()
        if isinstance(sys.stdin, io.TextIOWrapper):
            # Each reader of stdin refuses bytes that are not UTF-8 with its own message.
            sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
        for stream in (sys.stdout, sys.stderr):
            # A character that a console can't show becomes '?' instead of a traceback.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="replace")

    @property
    def is_json(self) -> bool:
        """Whether the format is JSON or JSON lines."""
        return self.format in ("json", "jsonl")

    @property
    def is_live(self) -> bool:
        """Whether progress may be drawn on stderr."""
        return sys.stderr.isatty() and not self.is_json and os.environ.get("TERM") != "dumb"

    def note(self, text: str) -> None:
        """Write a notice."""
        self.say([(text, "")])

    def entry(self, fields: msgspec.Struct, text: str) -> None:
        """Write a line of a log: its fields in JSON, else the text."""
        if not self.is_json:
            self.note(text)
            return
        encoded = escaping.json_line(msgspec.json.encode(fields))
        self._to_stderr((actions_log.json(encoded) if self._is_log else encoded).decode())

    def takes_more(self, seconds: float) -> bool:
        """Wait as long until stderr takes a line, and return whether it does.

        Where the system can't tell, as on Windows, it is taken to do so.
        """
        if sys.platform == "win32":
            return True
        import select

        try:
            return bool(select.select([], [sys.stderr.fileno()], [], seconds)[1])
        except (OSError, ValueError):
            return True

    def advise(self, advice: Callable[[], str]) -> None:
        """Write a notice for a person who reads text, if there is one."""
        if self.format == "text" and (text := advice()):
            self.note(text)

    def detail(self, text: str) -> None:
        """Write a detail and the seconds since the command began, with --verbose only."""
        if self.verbose:
            self.say([(f"{time.monotonic() - self._begun:7.3f} s  {text}", "dim")])

    def warn(self, text: str) -> None:
        """Write a warning."""
        self.say([("warning: ", "yellow"), (text, "")])

    def error(
        self,
        message: str,
        *,
        code: str,
        hint: str,
        detail: Sequence[str] = (),
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """Write a failure: its message and hint, or one JSON object.

        `detail` has the last lines of a log, which are written before the message; `counts` are
        written in JSON only, since the message contains them.
        """
        self._flush_quietly()
        if self.mask is not None and code == "usage":
            from pawsctl.cli.output import masked

            message = masked.misuse(message, self.mask, self.own_words)
            hint = masked.misuse(hint, self.mask, self.own_words)
        for line in detail:
            shown = line if self.mask is None else self.mask.log_line(line)
            self.say([("  | ", "dim"), (shown, "")])
        if self.is_json:
            message, hint = self.masked(message), self.masked(hint)
            document = {"error": {"code": code, "message": message, "hint": hint, **(counts or {})}}
            encoded = escaping.json_line(msgspec.json.encode(_encodable(document)))
            self._to_stderr((actions_log.json(encoded) if self._is_log else encoded).decode())
            return
        self.say([("error: ", "bold red"), (message, "")])
        if hint:
            self.say([("  → ", "cyan"), (hint, "")])

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before something that can't be undone; with `yes`, it does not ask.

        Raises NotConfirmed if the answer is no, or if stdin is no terminal.
        """
        if yes:
            return
        if not sys.stdin.isatty():
            raise NotConfirmed(
                f"Not confirmed: {question}", hint="Add --yes to go on without being asked."
            )
        ((asked, _),) = self._shown_on_stderr([(question, "")])
        self._to_stderr(asked + " [y/N] ", end="")
        answer = sys.stdin.readline()
        if not answer:
            # Ctrl-D leaves the cursor on the line of the question.
            self._to_stderr("")
        if answer.strip().lower() not in ("y", "yes"):
            raise NotConfirmed("Declined; nothing was changed.", hint="Answer y to go on.")

    def confirm_by_name(self, question: str, names: Sequence[str]) -> None:
        """Ask for one of the names, the first of which is shown, to be typed on the terminal.

        Raises NotConfirmed for anything else.
        """
        ask = f"{question} Type {names[0]} to go on: ".lstrip()
        ((asked, _),) = self._shown_on_stderr([(ask, "bold")])
        self._to_stderr(asked, end="")
        answer = sys.stdin.readline()
        if not answer:
            self._to_stderr("")
        if answer.strip().lower() not in (each.lower() for each in names):
            raise NotConfirmed("Declined; nothing was changed.", hint=f"Type {names[0]} to go on.")

    @contextmanager
    def progress(self, doing: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Show a progress bar if stderr is a terminal; yields a function that advances it.

        A `total` of None means unknown.
        """
        if not self.is_live:
            yield lambda _count: None
            return
        from pawsctl.cli.output import progress

        with progress.one_bar(doing, total, colour=self._colour_err) as advance:
            yield advance

    @contextmanager
    def bars(self) -> Iterator[Callable[[str, str, int, int], None]]:
        """Show progress bars of bytes if stderr is a terminal.

        Yields a function (key, doing, done, total) that creates or updates the bar of a key; a
        total of 0 is not known yet.
        """
        if not self.is_live:
            yield lambda _key, _doing, _done, _total: None
            return
        from pawsctl.cli.output import progress

        with progress.many_bars(colour=self._colour_err) as move:
            yield move

    def _flush_quietly(self) -> None:
        try:
            sys.stdout.flush()
        except OSError:
            return

    def annotate(self, command: str) -> None:
        """Write a workflow command for GitHub's runner, such as `::error::…`."""
        self._to_stderr(escaping.visible(self.masked(command)))

    def masked(self, text: str) -> str:
        """Return a sentence with the phones in it masked, if private data is to be masked."""
        return text if self.mask is None else self.mask.sentence(text)

    def _shown_on_stderr(self, line: Line) -> Line:
        return self._shown([(self.masked(text), style) for text, style in line])

    def _shown(self, line: Line) -> Line:
        """Return the line, escaped; a line that the CI runner would obey also loses its style."""
        shown = [(escaping.visible(text, keep="\t"), style) for text, style in line]
        if self._is_log:
            whole = plain(shown)
            if (harmless := actions_log.text(whole)) != whole:
                return [(harmless, "")]
        return shown

    def say(self, line: Line) -> None:
        """Write a line of styled text; a terminal gets it broken at words if that does no harm."""
        for part in fitted(self._shown_on_stderr(line), _room(sys.stderr)):
            if self._colour_err:
                self._to_stderr(coloured(part), end="")
            else:
                self._to_stderr(plain(part))

    def _to_stderr(self, text: str, end: str = "\n") -> None:
        self._flush_quietly()
        _write_all(sys.stderr, text + end)


def _encodable(value: Any) -> Any:
    """Return `value` with lone surrogates in its strings escaped: msgspec can't encode them."""
    if isinstance(value, dict):
        return {key: _encodable(each) for key, each in value.items()}
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _room(stream: IO[str]) -> int | None:
    """Return the columns of the terminal that a stream goes to; None if it is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def _write_all(stream: IO[str], text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        # stderr is closed; the data and the exit status still count.
        return
