"""stderr: notices, errors, questions and progress; what is no data."""

import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import msgspec

from pawsctl import escaping
from pawsctl.cli.output import Format, actions_log
from pawsctl.cli.output.table import Line, coloured, plain
from pawsctl.errors import NotConfirmed

if TYPE_CHECKING:
    pass


class Talk:
    """Speaks to the person at the terminal, and to the log of a job."""

    def __init__(
        self, output_format: Format, *, no_color: bool, verbose: bool, environ: Mapping[str, str]
    ) -> None:
        self.format = output_format
        self.verbose = verbose
        self._is_log = actions_log.is_read(environ)
        colour = not (no_color or environ.get("NO_COLOR") or environ.get("TERM") == "dumb")
        self._colour_out = colour and sys.stdout.isatty()
        self._colour_err = colour and sys.stderr.isatty()
        if isinstance(sys.stdin, io.TextIOWrapper):
            # What is not UTF-8 is refused by whoever reads it, with a sentence.
            sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")
        for stream in (sys.stdout, sys.stderr):
            # What a console can't show becomes '?' and no traceback.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="replace")

    @property
    def is_json(self) -> bool:
        """Whether stdout is for a program that reads JSON."""
        return self.format in ("json", "jsonl")

    @property
    def is_live(self) -> bool:
        """Whether progress may be drawn on stderr."""
        return sys.stderr.isatty() and not self.is_json and os.environ.get("TERM") != "dumb"

    def note(self, text: str) -> None:
        """Say something that is no data."""
        self.say([(text, "")])

    def detail(self, text: str) -> None:
        """Say something that only --verbose wants to hear."""
        if self.verbose:
            self.say([(text, "dim")])

    def warn(self, text: str) -> None:
        """Say something the user should not miss."""
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
        """Tell a failure: a sentence and what to do next, or one JSON object.

        `detail` are the last lines of a log, told before the failure itself; `counts` are for the
        JSON alone, since the message tells them too.
        """
        self._flush_quietly()
        for line in detail:
            self.say([("  | ", "dim"), (line, "")])
        if self.is_json:
            document = {"error": {"code": code, "message": message, "hint": hint, **(counts or {})}}
            encoded = escaping.json_line(msgspec.json.encode(_encodable(document)))
            self._to_stderr((actions_log.json(encoded) if self._is_log else encoded).decode())
            return
        self.say([("error: ", "bold red"), (message, "")])
        if hint:
            self.say([("  → ", "cyan"), (hint, "")])

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask before what can't be undone; `yes` is the answer given beforehand.

        Raises NotConfirmed where the answer is no or nobody is there to give one.
        """
        if yes:
            return
        if not sys.stdin.isatty():
            raise NotConfirmed(
                f"Not confirmed: {question}", hint="Answer with --yes where no one can be asked."
            )
        ((asked, _),) = self._shown([(question, "")])
        self._to_stderr(asked + " [y/N] ", end="")
        answer = sys.stdin.readline()
        if not answer:
            # Ctrl-D leaves the cursor behind the question.
            self._to_stderr("")
        if answer.strip().lower() not in ("y", "yes"):
            raise NotConfirmed("Declined; nothing was changed.", hint="Answer y to go on.")

    @contextmanager
    def progress(self, doing: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """A progress bar on stderr where that is a terminal; yields what advances it.

        A `total` of None is not known.
        """
        if not self.is_live:
            yield lambda _count: None
            return
        from pawsctl.cli.output import progress

        with progress.one_bar(doing, total, colour=self._colour_err) as advance:
            yield advance

    @contextmanager
    def bars(self) -> Iterator[Callable[[str, str, int, int], None]]:
        """Bars of bytes on stderr where that is a terminal; yields what makes and moves them.

        That takes (key, doing, done, total), a total of 0 being unknown yet.
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
        """Tell GitHub's runner something; `command` is one of its own, made by us."""
        self._to_stderr(escaping.visible(command))

    def _shown(self, line: Line) -> Line:
        """The line as it may be written: a command to the runner that reads it loses its style."""
        shown = [(escaping.visible(text, keep="\t"), style) for text, style in line]
        if self._is_log:
            whole = plain(shown)
            if (harmless := actions_log.text(whole)) != whole:
                return [(harmless, "")]
        return shown

    def say(self, line: Line) -> None:
        """Say a line of styled text that is no data."""
        shown = self._shown(line)
        if self._colour_err:
            self._to_stderr(coloured(shown), end="")
        else:
            self._to_stderr(plain(shown))

    def _to_stderr(self, text: str, end: str = "\n") -> None:
        self._flush_quietly()
        _write_all(sys.stderr, text + end)


def _encodable(value: Any) -> Any:
    """`value` with lone surrogates in its strings escaped: msgspec can't encode them."""
    if isinstance(value, dict):
        return {key: _encodable(each) for key, each in value.items()}
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _write_all(stream: IO[str], text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except OSError:
        # Nobody listens to the talk; the data and the exit status still count.
        return
