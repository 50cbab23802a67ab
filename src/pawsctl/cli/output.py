"""The only writer: stdout is data, stderr is talk.

Everything shown passes `safe`. Rich is loaded only for a terminal that takes colour; elsewhere the
same lines are written as they are, which spares a command half of its start-up.
"""

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import msgspec

from pawsctl import safe
from pawsctl.cli.options import Format
from pawsctl.errors import NotConfirmed, UsageError

if TYPE_CHECKING:
    from pawsctl.target import Target

Span = tuple[str, str]
"""A text and its rich style; an empty style is plain."""
Line = Sequence[Span]

Row = TypeVar("Row")
Result = TypeVar("Result")

# Rows looked at to find a table's widths; the rest streams.
_MEASURED_ROWS = 200


class Column(NamedTuple, Generic[Row]):
    """A column of a text table; the last one of a table is cut to what the terminal leaves it."""

    title: str
    cell: Callable[[Row], Span]
    right: bool = False


class OutputClosed(Exception):
    """The reader of stdout went away, as `head` does; nobody is left to tell."""


class Output:
    """Writes results, notices and errors in the format that was asked for."""

    def __init__(
        self, output_format: Format, *, no_color: bool, verbose: bool, environ: Mapping[str, str]
    ) -> None:
        self.format = output_format
        self.verbose = verbose
        colour = not (no_color or environ.get("NO_COLOR") or environ.get("TERM") == "dumb")
        self._colour_out = colour and sys.stdout.isatty()
        self._colour_err = colour and sys.stderr.isatty()
        for stream in (sys.stdout, sys.stderr):
            # What a console can't show becomes '?' and no traceback.
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="replace")

    @property
    def width(self) -> int:
        """Columns of the terminal, or what COLUMNS says; 200 where there is neither."""
        return shutil.get_terminal_size((200, 24)).columns

    @property
    def is_json(self) -> bool:
        """Whether stdout is for a program that reads JSON."""
        return self.format in ("json", "jsonl")

    @property
    def is_live(self) -> bool:
        """Whether progress may be drawn on stderr."""
        return sys.stderr.isatty() and not self.is_json and os.environ.get("TERM") != "dumb"

    def show(self, result: Result, view: Callable[[Result], Iterable[Line]]) -> None:
        """Print one result. Raises UsageError for csv, which is for lists."""
        if self.format == "csv":
            raise UsageError("This command has no list to print as csv.", hint="Use -o json.")
        if self.is_json:
            self._write(safe.json_line(msgspec.json.encode(result)) + b"\n")
        else:
            self.lines(view(result))

    def rows(
        self,
        rows: Iterable[Row],
        columns: Sequence[Column[Row]],
        *,
        item: Callable[[Row], Any] = lambda row: row,
        empty: str = "",
        single: bool = False,
    ) -> None:
        """Print a list as it comes; `item` makes a row what JSON and CSV show of it.

        `empty` is said on stderr where a text table would have no row; a `single` row is one JSON
        object and no array.
        """
        if single and self.format == "json":
            self._json_lines(map(item, rows))
            self.flush()
            return
        match self.format:
            case "json":
                self._json_array(map(item, rows))
            case "jsonl":
                self._json_lines(map(item, rows))
            case "csv":
                self._csv(map(item, rows))
            case _:
                self.lines(self._table(iter(rows), columns, empty))
        self.flush()

    def each(
        self,
        results: Sequence[Result],
        *,
        item: Callable[[Result], Any],
        view: Callable[[Result], Iterable[Line]],
        single: bool,
    ) -> None:
        """Print several results one after the other; JSON as `rows` does it."""
        if self.format != "text":
            if self.format == "csv":
                raise UsageError("This command has no list to print as csv.", hint="Use -o json.")
            self.rows(results, (), item=item, single=single)
            return
        separator: list[Line] = []
        for result in results:
            lines = list(view(result))
            self.lines(separator + lines)
            separator = [[]] if lines else separator

    def lines(self, lines: Iterable[Line]) -> None:
        """Print lines of text."""
        for line in lines:
            self._write_line(line)
        self.flush()

    def live(self, view: Callable[[Result], Iterable[Line]]) -> Callable[[Result], None]:
        """What prints each result of a work in progress, where text was asked for."""
        if self.format != "text":
            return lambda _result: None
        return lambda result: self.lines(view(result))

    def raw(self, values: Iterable[bytes]) -> None:
        """Write bytes as they are, and not one more."""
        for value in values:
            self._write(value)
        self.flush()

    def note(self, text: str) -> None:
        """Say something that is no data."""
        self._say([(text, "")])

    def detail(self, text: str) -> None:
        """Say something that only --verbose wants to hear."""
        if self.verbose:
            self._say([(text, "dim")])

    def warn(self, text: str) -> None:
        """Say something the user should not miss."""
        self._say([("warning: ", "yellow"), (text, "")])

    def error(self, message: str, *, code: str, hint: str, detail: Sequence[str] = ()) -> None:
        """Tell a failure: a sentence and what to do next, or one JSON object.

        `detail` are the last lines of a log, told before the failure itself.
        """
        self._flush_quietly()
        for line in detail:
            self._say([("  | ", "dim"), (line, "")])
        if self.is_json:
            document = {"error": {"code": code, "message": message, "hint": hint}}
            self._to_stderr(safe.json_line(msgspec.json.encode(_encodable(document))).decode())
            return
        self._say([("error: ", "bold red"), (message, "")])
        if hint:
            self._say([("  → ", "cyan"), (hint, "")])

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
        self._to_stderr(safe.visible(question) + " [y/N] ", end="")
        answer = sys.stdin.readline()
        if answer.strip().lower() not in ("y", "yes"):
            raise NotConfirmed("Declined; nothing was changed.", hint="Answer y to go on.")

    def confirm_on(self, target: "Target", about: Iterable[Line], *, yes: bool, host: str) -> None:
        """Show what is about to be lost, and ask; where it is not on this machine, ask for more.

        Raises NotConfirmed where a remote host was not named by `host`, or the answer is no.
        """
        for line in about:
            self._say(line)
        if host and host != target.host:
            raise NotConfirmed(
                f"--confirm names {host}, and the target is {target.host}.",
                hint="Look again at --url and REDIS_URL.",
            )
        if not target.is_local and not host:
            raise NotConfirmed(
                f"{target.host} is not this machine.",
                hint=f"If you mean it, say so with --confirm {target.host}.",
            )
        self.confirm("Delete them?", yes=yes)

    @contextmanager
    def progress(self, doing: str, total: int) -> Iterator[Callable[[int], None]]:
        """A progress bar on stderr where that is a terminal; yields what advances it."""
        if not self.is_live:
            yield lambda _count: None
            return
        # 80 ms: only a terminal pays for it.
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            console=Console(stderr=True, no_color=not self._colour_err),
            transient=True,
        )
        with bar:
            task = bar.add_task(doing, total=total)
            yield lambda count: bar.advance(task, count)

    @contextmanager
    def bars(self) -> Iterator[Callable[[str, str, int, int], None]]:
        """Progress bars on stderr where that is a terminal.

        Yields what moves one, and makes it first: (key, doing, done, total); a total of 0 is not
        known yet.
        """
        if not self.is_live:
            yield lambda _key, _doing, _done, _total: None
            return
        # 80 ms: only a terminal pays for it.
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        drawn = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            console=Console(stderr=True, no_color=not self._colour_err),
            transient=True,
        )
        tasks: dict[str, Any] = {}

        def move(key: str, doing: str, done: int, total: int) -> None:
            if not tasks:
                drawn.start()
            if key not in tasks:
                tasks[key] = drawn.add_task("", total=None)
            drawn.update(
                tasks[key],
                description=safe.visible(doing),
                completed=done,
                total=total or None,
            )

        try:
            yield move
        finally:
            drawn.stop()

    def stream(self, rows: Iterable[Row], *, view: Callable[[Row], Line]) -> None:
        """Print a list that comes over time, each row at once."""

        def shown() -> Iterator[Row]:
            for row in rows:
                yield row
                # The row before this one is written; whoever follows wants it now.
                self.flush()

        match self.format:
            case "text":
                for row in shown():
                    self._write_line(view(row))
            case _:
                self.rows(shown(), ())

    def flush(self) -> None:
        """Hand over what is buffered. Raises OutputClosed where nobody reads it."""
        with _reader_may_leave():
            sys.stdout.flush()

    def _flush_quietly(self) -> None:
        try:
            sys.stdout.flush()
        except OSError:
            return

    def _write(self, data: bytes) -> None:
        with _reader_may_leave():
            sys.stdout.buffer.write(data)

    def _write_line(self, line: Line) -> None:
        shown = [(safe.visible(text, keep="\t"), style) for text, style in line]
        if self._colour_out:
            self._write(_coloured(shown).encode("utf-8", "replace"))
        else:
            self._write("".join(text for text, _ in shown).encode("utf-8", "replace") + b"\n")

    def _say(self, line: Line) -> None:
        shown = [(safe.visible(text, keep="\n\t"), style) for text, style in line]
        if self._colour_err:
            self._to_stderr(_coloured(shown), end="")
        else:
            self._to_stderr("".join(text for text, _ in shown))

    def _to_stderr(self, text: str, end: str = "\n") -> None:
        self._flush_quietly()
        _write_all(sys.stderr, text + end)

    def _json_lines(self, items: Iterable[Any]) -> None:
        encode, write = msgspec.json.Encoder().encode, self._write
        for item in items:
            write(safe.json_line(encode(item)) + b"\n")

    def _json_array(self, items: Iterable[Any]) -> None:
        encode, separator = msgspec.json.Encoder().encode, b"[\n"
        for item in items:
            self._write(separator + safe.json_line(encode(item)))
            separator = b",\n"
        self._write(b"[]\n" if separator == b"[\n" else b"\n]\n")

    def _csv(self, items: Iterable[Any]) -> None:
        # 3 ms: only -o csv pays for it.
        import csv

        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        iterator = iter(items)
        for first in islice(iterator, 1):
            names = first.__struct_fields__
            writer.writerow(names)
            for item in chain([first], iterator):
                writer.writerow([_csv_cell(name, getattr(item, name)) for name in names])
                self._write(buffer.getvalue().encode())
                buffer.seek(0)
                buffer.truncate()

    def _table(
        self, rows: Iterator[Row], columns: Sequence[Column[Row]], empty: str
    ) -> Iterator[Line]:
        def cells(row: Row) -> list[Span]:
            return [
                (safe.visible(text), style) for text, style in (each.cell(row) for each in columns)
            ]

        measured = [cells(row) for row in islice(rows, _MEASURED_ROWS)]
        if not measured:
            if empty:
                self.note(empty)
            return
        widths = [
            max(len(column.title), *(_columns_of(row[index][0]) for row in measured))
            for index, column in enumerate(columns)
        ]
        room = max(20, self.width - sum(widths[:-1]) - 2 * (len(widths) - 1))
        yield _padded([(column.title, "bold") for column in columns], columns, widths, room)
        for row in chain(measured, map(cells, rows)):
            yield _padded(row, columns, widths, room)


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        # What is still buffered goes nowhere; Python would complain of it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputClosed from error


def _padded(
    row: Sequence[Span], columns: Sequence[Column[Any]], widths: Sequence[int], room: int
) -> Line:
    line: list[Span] = []
    for (text, style), column, width in zip(row[:-1], columns, widths, strict=False):
        gap = " " * (width - _columns_of(text))
        line.append((gap + text + "  " if column.right else text + gap + "  ", style))
    text, style = row[-1]
    return [*line, (_cut(text, room), style)]


def _columns_of(text: str) -> int:
    """The terminal columns a text takes."""
    if text.isascii():
        return len(text)
    # 10 ms: most tables are ASCII but for names and emoji.
    from rich.cells import cell_len

    return cell_len(text)


def _cut(text: str, columns: int) -> str:
    if _columns_of(text) <= columns:
        return text
    while text and _columns_of(text) > columns - 1:
        text = text[: min(len(text) - 1, columns)]
    return text + "…"


def _coloured(line: Line) -> str:
    # 50 ms: only a terminal pays for it.
    from rich.console import Console
    from rich.text import Text

    console = Console(
        file=io.StringIO(), force_terminal=True, highlight=False, markup=False, emoji=False
    )
    with console.capture() as capture:
        console.print(Text.assemble(*line), soft_wrap=True, end="\n")
    return capture.get()


def _csv_cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str):
        text = safe.visible(value)
        # A spreadsheet would run it; a phone begins with + and is left alone.
        is_formula = name not in ("phone", "key") and text.startswith(("=", "+", "-", "@"))
        return "'" + text if is_formula else text
    return str(value)


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
