"""The only writer, with `stderr`: stdout is data, stderr is talk.

Everything shown passes `escaping`. Rich is loaded only for a terminal that takes colour; elsewhere
the same lines are written as they are, which spares a command half of its start-up.
"""

import os
import shutil
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import wraps
from itertools import chain
from typing import Any, ParamSpec, TypeVar

import msgspec

from pawsctl import escaping
from pawsctl.cli.output import actions_log, formats
from pawsctl.cli.output.stderr import Talk
from pawsctl.cli.output.table import Column, Line, coloured, plain, table
from pawsctl.errors import OperationFailed, UsageError

Row = TypeVar("Row")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


class OutputClosed(Exception):
    """The reader of stdout went away, as `head` does; nobody is left to tell."""


def _while_read(show: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """A method that prints as long as somebody reads it, and then ends quietly.

    The command goes on: it may have to judge what it found, or to write it elsewhere.
    """

    @wraps(show)
    def shown(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        with suppress(OutputClosed):
            show(*args, **kwargs)

    return shown


class Output(Talk):
    """Writes results in the format that was asked for, and talks beside them."""

    is_endless = False
    """Whether what is printed may have no end of its own, so that Ctrl-C is no failure."""

    @property
    def width(self) -> int:
        """Columns of the terminal, or what COLUMNS says; 200 where there is neither."""
        return shutil.get_terminal_size((200, 24)).columns

    @_while_read
    def show(self, result: Result, view: Callable[[Result], Iterable[Line]]) -> None:
        """Print one result. Raises UsageError for csv, which is for lists."""
        if self.format == "csv":
            raise UsageError("This command has no list to print as csv.", hint="Use -o json.")
        if self.is_json:
            self._write(escaping.json_line(msgspec.json.encode(result)) + b"\n")
        else:
            self.lines(view(result))

    @_while_read
    def rows(
        self,
        rows: Iterable[Row],
        columns: Sequence[Column[Row]],
        *,
        item: Callable[[Row], Any] = lambda row: row,
        fields: Sequence[str] = (),
        empty: str = "",
        single: bool = False,
    ) -> None:
        """Print a list as it comes; `item` makes a row what JSON and CSV show of it.

        `fields` are the names of an item's fields, for a list that may be empty. `empty` is said on
        stderr where a text table would have no row; a `single` row is one JSON object and no array.
        """
        if self.format == "text":
            lines = table(rows, columns, self.width)
            title = next(lines, None)
            if title is not None:
                self.lines(chain([title], lines))
            elif empty:
                self.note(empty)
        else:
            self._parts(self._written(map(item, rows), fields, single=single))
        self.flush()

    @_while_read
    def _parts(self, parts: Iterable[bytes]) -> None:
        for part in parts:
            self._write(part)
        self.flush()

    def report(
        self,
        rows: Iterable[Row],
        columns: Sequence[Column[Row]],
        *,
        name: str,
        fields: Sequence[str],
        summary: Callable[[], Any],
        view: Callable[[], Iterable[Line]],
    ) -> None:
        """Print a list as it comes, and then what it amounts to; `fields` as `rows` has them.

        JSON is one object: the list under `name`, then the fields of the summary. In jsonl and csv
        stdout is the list alone, and the summary is told on stderr.
        """
        found = iter(rows)
        if self.format == "json":
            self._parts(formats.json_report(name, found, summary))
        else:
            self.rows(found, columns, fields=fields)
        # Where nobody reads them, what is summed up is all of them nevertheless.
        deque(found, maxlen=0)
        if self.format == "text":
            self.lines(view())
        elif self.format != "json":
            for line in view():
                self.note(plain(line))

    def _written(
        self,
        items: Iterable[Any],
        fields: Sequence[str],
        *,
        single: bool,
        batch: int = formats.BATCH,
    ) -> Iterator[bytes]:
        if self.format == "csv":
            return formats.csv_rows(items, fields, batch=batch)
        if self.format == "json" and not single:
            return formats.json_array(items, batch=batch)
        return formats.json_lines(items, batch=batch)

    @_while_read
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
            self.rows(results, (), item=item, single=single)
            return
        separator: list[Line] = []
        for result in results:
            lines = list(view(result))
            self.lines(separator + lines)
            separator = [[]] if lines else separator

    @_while_read
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

    @_while_read
    def raw(self, values: Iterable[bytes]) -> None:
        """Write bytes as they are, and not one more."""
        for value in values:
            self._write_raw(value)
        self.flush()

    def binary(self) -> Callable[[bytes], None]:
        """What writes bytes as they are, piece by piece. Raises UsageError for a terminal."""
        if sys.stdout.isatty():
            raise UsageError(
                "stdout is a terminal, where stored text could do harm.",
                hint="Send it to a file or a pipe.",
            )
        return self._write_raw

    def log_of_others(self) -> Callable[[bytes], None] | None:
        """What writes another program's lines to the log of a job; None where there is none."""
        if not self._is_log or sys.stdout.isatty():
            return None

        def write(line: bytes) -> None:
            self._write_raw(actions_log.raw(line))
            self.flush()

        return write

    @_while_read
    def stream(
        self, rows: Iterable[Row], *, view: Callable[[Row], Line], fields: Sequence[str]
    ) -> None:
        """Print a list that comes over time, each row at once; `fields` are an item's."""

        self.is_endless = True

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
                for part in self._written(shown(), fields, single=False, batch=1):
                    self._write(part)
                self.flush()

    @_while_read
    def follow(
        self,
        rows: Iterable[Row],
        view: Callable[[Row], Iterable[Line]],
        *,
        item: Callable[[Row], Any] = lambda row: row,
    ) -> None:
        """Print what comes without an end, each row at once; JSON is a value a line, no array."""
        self.is_endless = True
        for row in rows:
            if self.is_json:
                self._write(b"".join(formats.json_lines([item(row)])))
                self.flush()
            else:
                self.lines(view(row))

    @property
    def is_screen(self) -> bool:
        """Whether stdout is a terminal on which a picture can be drawn over the one before."""
        is_dumb = os.environ.get("TERM") == "dumb"
        return self.format == "text" and sys.stdout.isatty() and not is_dumb

    @_while_read
    def screen(
        self, states: Iterable[Row], view: Callable[[Row, int, int], Iterable[Line]]
    ) -> None:
        """Draw each state over the one before; `view` is given columns and lines."""
        # 80 ms: only a terminal pays for it.
        from pawsctl.cli.output import progress

        progress.draw(states, view, colour=self._colour_out)

    def flush(self) -> None:
        """Hand over what is buffered. Raises OutputClosed where nobody reads it."""
        try:
            sys.stdout.flush()
        except OSError as error:
            raise failed(error) from error

    def _write(self, data: bytes) -> None:
        if self._is_log and self.format != "text":
            data = actions_log.csv(data) if self.format == "csv" else actions_log.json(data)
        self._write_raw(data)

    def _write_raw(self, data: bytes) -> None:
        # Once for each row of a list, and so without the price of a context manager.
        try:
            sys.stdout.buffer.write(data)
        except OSError as error:
            raise failed(error) from error

    def _write_line(self, line: Line) -> None:
        shown = self._shown(line)
        if self._colour_out:
            self._write(coloured(shown).encode("utf-8", "replace"))
        else:
            self._write(plain(shown).encode("utf-8", "replace") + b"\n")


def failed(error: OSError) -> Exception:
    """What it means that stdout can't be written: nobody reads it any more, or it is full."""
    # What is still buffered goes nowhere; Python would complain of it at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return OutputClosed()
    return OperationFailed(
        f"stdout can't be written: {error.strerror}.",
        hint="What was printed is not the whole; send it where there is room.",
    )
