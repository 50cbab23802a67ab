"""The writer of stdout; only this module and `stderr` write.

Everything shown passes `escaping`. Rich is loaded only for a terminal that takes colour; otherwise
the same lines are written without it, which saves a command half of its start-up.
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
from pawsctl.cli.output import actions_log, formats, plain_table
from pawsctl.cli.output.closed_stdout import OutputClosed, failed
from pawsctl.cli.output.stderr import Talk
from pawsctl.cli.output.table import Column, Line, coloured, plain, table
from pawsctl.cli.output.wrapping import fitted
from pawsctl.errors import UsageError

Row = TypeVar("Row")
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


def _while_read(show: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Decorate a method that prints so that it returns silently when stdout is closed.

    The command goes on: it may have to judge its result, or write it elsewhere.
    """

    @wraps(show)
    def shown(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        with suppress(OutputClosed):
            show(*args, **kwargs)

    return shown


class Output(Talk):
    """Writes results to stdout in the requested format, and messages to stderr."""

    is_endless = False
    """Whether the output is a stream that only Ctrl-C ends, which is then no failure."""

    @property
    def is_terminal(self) -> bool:
        """Whether a person reads stdout as text on a terminal."""
        return self.format == "text" and sys.stdout.isatty()

    @property
    def room(self) -> int | None:
        """The columns of the terminal, or COLUMNS; None without either."""
        return shutil.get_terminal_size((0, 0)).columns or (80 if self.is_terminal else None)

    @_while_read
    def show(self, result: Result, view: Callable[[Result], Iterable[Line]]) -> None:
        """Print one result. Raises UsageError for csv, which only lists have."""
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
        item: Callable[[Row], Any] | None = None,
        fields: Sequence[str] = (),
        values: formats.Values[Row] | None = None,
        empty: Callable[[], str] = str,
        single: bool = False,
    ) -> None:
        """Print a list as its rows arrive; `item` returns its JSON and CSV form.

        Without `item`, a row is that itself. `fields` are the names of an item's fields, for a list
        that may be empty. `values`, if given, replaces `item`. `empty()` goes to stderr if a text
        table has no row. A `single` row is a JSON object instead of an array.
        """
        if self.format == "text":
            self._text_rows(rows, columns, empty)
        elif values is not None and self.format == "csv":
            self._parts(formats.csv_columns(rows, fields, values))
        else:
            own: Iterable[Any] = rows if item is None else map(item, rows)
            found = own if values is None else formats.structs(rows, fields, values)
            self._parts(formats.written(self.format, found, fields, single=single))
        self.flush()

    def _text_rows(
        self, rows: Iterable[Row], columns: Sequence[Column[Row]], empty: Callable[[], str]
    ) -> None:
        # A terminal gets colours and broken lines, a job's log has lines that its runner obeys.
        if not (self.is_terminal or self._is_log):
            blocks = plain_table.blocks(rows, columns, self.room)
            if first := next(blocks, None):
                self._parts(chain([first], blocks))
                return
        elif title := next(lines := table(rows, columns, self.room), None):
            self.lines(chain([title], lines))
            return
        self.advise(empty)

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
        """Print a list as its rows arrive, then its summary; `fields` is as in `rows`.

        JSON is one object: the list under `name`, then the fields of the summary. With jsonl and
        csv, stdout has only the list, and the summary goes to stderr.
        """
        found = iter(rows)
        if self.format == "json":
            self._parts(formats.json_report(name, found, summary))
        else:
            self.rows(found, columns, fields=fields)
        # If the reader has closed stdout, the summary still covers all rows.
        deque(found, maxlen=0)
        if self.format == "text":
            self.lines(view())
        elif self.format != "json":
            for line in view():
                self.note(plain(line))

    @_while_read
    def each(
        self,
        results: Sequence[Result],
        *,
        item: Callable[[Result], Any],
        view: Callable[[Result], Iterable[Line]],
        single: bool,
    ) -> None:
        """Print several results one after the other; JSON is as in `rows`."""
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
        """Print lines of text; on a terminal they are broken at words where that does no harm."""
        room = self.room if self.is_terminal else None
        for line in lines:
            for part in fitted(line, room):
                self._write_line(part)
        self.flush()

    def live(self, view: Callable[[Result], Iterable[Line]]) -> Callable[[Result], None]:
        """Return a function that prints each result at once in text, and nothing in JSON or CSV."""
        if self.format != "text":
            return lambda _result: None
        return lambda result: self.lines(view(result))

    @_while_read
    def raw(self, values: Iterable[bytes]) -> None:
        """Write bytes verbatim, with nothing added."""
        for value in values:
            self._write_raw(value)
        self.flush()

    def binary(self) -> Callable[[bytes], None]:
        """Return a function that writes bytes verbatim. Raises UsageError for a terminal."""
        if sys.stdout.isatty():
            raise UsageError(
                "stdout is a terminal, where stored text could do harm.",
                hint="Send it to a file or a pipe.",
            )
        return self._write_raw

    def log_of_others(self) -> Callable[[bytes], None] | None:
        """Return a function that writes another program's lines to a CI job's log, or None."""
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
        """Print a list that grows over time, each row at once; `fields` is as in `rows`."""

        self.is_endless = True

        def shown() -> Iterator[Row]:
            for row in rows:
                yield row
                # The previous row has been written; flush it, so that a reader gets it now.
                self.flush()

        match self.format:
            case "text":
                for row in shown():
                    self._write_line(view(row))
            case _:
                for part in formats.written(self.format, shown(), fields, batch=1):
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
        """Print an endless list, each row at once; JSON is one value per line, not an array."""
        self.is_endless = True
        for row in rows:
            if self.is_json:
                self._write(b"".join(formats.json_lines([item(row)])))
                self.flush()
            else:
                self.lines(view(row))

    @property
    def is_screen(self) -> bool:
        """Whether stdout is a terminal that can be redrawn."""
        is_dumb = os.environ.get("TERM") == "dumb"
        return self.format == "text" and sys.stdout.isatty() and not is_dumb

    @_while_read
    def screen(
        self, states: Iterable[Row], view: Callable[[Row, int, int], Iterable[Line]]
    ) -> None:
        """Draw each state over the previous one; `view` takes a state, columns and lines."""
        # Saves 80 ms if stdout is no terminal.
        from pawsctl.cli.output import progress

        def shown(state: Row, width: int, height: int) -> Iterator[Line]:
            return map(self._masked_line, view(state, width, height))

        progress.draw(states, shown, colour=self._colour_out)

    def flush(self) -> None:
        """Flush stdout. Raises OutputClosed if its reader is gone, else OperationFailed."""
        try:
            sys.stdout.flush()
        except OSError as error:
            raise failed(error) from error

    def _write(self, data: bytes) -> None:
        if self.mask is not None:
            from pawsctl.cli.output import masked

            data = masked.encoded(data, self.format, self.mask)
        if self._is_log and self.format != "text":
            data = actions_log.csv(data) if self.format == "csv" else actions_log.json(data)
        self._write_raw(data)

    def _write_raw(self, data: bytes) -> None:
        # Called for each row of a list, so without the cost of a context manager.
        try:
            sys.stdout.buffer.write(data)
        except OSError as error:
            raise failed(error) from error

    def _masked_line(self, line: Line) -> Line:
        # Before it has colours, whose codes would end with a letter right before a phone.
        return line if self.mask is None else [(self.mask.data(text), how) for text, how in line]

    def _write_line(self, line: Line) -> None:
        shown = self._shown(self._masked_line(line))
        if self._colour_out:
            self._write(coloured(shown).encode("utf-8", "replace"))
        else:
            self._write(plain(shown).encode("utf-8", "replace") + b"\n")
