"""The root command: it finds commands by name and turns failures into exit statuses."""

import errno
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Annotated, Any, ClassVar

import typer

from pawsctl import process_setup
from pawsctl.cli.context import Invocation
from pawsctl.cli.groups import LazyGroup
from pawsctl.cli.output import FORMATS, Format
from pawsctl.errors import ExitStatus, PawsctlError, UsageError


class Root(LazyGroup):
    """Every command of pawsctl by name."""

    sources: ClassVar = {
        "redis": "pawsctl.cli.redis",
        "session": "pawsctl.cli.session",
        "backup": "pawsctl.cli.backup",
        "audit": "pawsctl.cli.audit",
        "test-session": "pawsctl.cli.smoke",
        "health": "pawsctl.cli.health",
        "serve": "pawsctl.cli.serve",
        "doctor": "pawsctl.cli.doctor",
        "profile": "pawsctl.cli.profile",
        "config": "pawsctl.cli.config",
    }

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse the name of a shell, for which no script would be made, and parse as usual."""
        if args[:1] in (["--install-completion"], ["--show-completion"]) and len(args) > 1:
            raise UsageError(
                f"{args[0]} is for the shell that it is run in, and takes no value.",
                hint="Run it in that shell.",
            )
        found: list[str] = super().parse_args(ctx, args)
        return found


# Why stdout takes no more: closed, no room, a quota, a limit on the size of files, a broken disk.
_NOT_WRITTEN = (
    *(errno.EPIPE, errno.EBADF),
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO),
)

app = typer.Typer(
    cls=Root,
    name="pawsctl",
    help="Inspect and manage an application's sessions in Redis, and run Redis itself.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


def _install(ctx: typer.Context, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from pawsctl.cli.completion import scripts

        sys.stdout.write(scripts.installed())
        raise typer.Exit


def _show(ctx: typer.Context, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from pawsctl.cli.completion import scripts

        sys.stdout.write(scripts.of_this_shell())
        raise typer.Exit


@app.callback()
def root(
    install: Annotated[
        bool,
        typer.Option(
            "--install-completion", callback=_install, help="Install completion for this shell."
        ),
    ] = False,
    show: Annotated[
        bool,
        typer.Option(
            "--show-completion", callback=_show, help="Print the completion script of this shell."
        ),
    ] = False,
) -> None:
    """Inspect and manage an application's sessions in Redis, and run Redis itself."""


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status. Raises nothing but bugs."""
    if asked := os.environ.get("_PAWSCTL_COMPLETE"):
        # Only the shell's completion needs it.
        from pawsctl.cli.completion import shells

        return shells.answer(typer.main.get_command(app), asked, os.environ)
    # Kept here, so that a failure is reported in the requested format.
    current = Invocation()
    counts: dict[str, int] = {}
    # The status of a bug, whose traceback Python prints.
    status: int = ExitStatus.FAILED
    try:
        status = _run_command(arguments, current, counts)
    except KeyboardInterrupt:
        status = ExitStatus.INTERRUPTED
        raise
    finally:
        if current.recorder is not None:
            current.recorder.end(process_setup.exit_status(status), counts)
    return status


def _run_command(arguments: list[str], current: Invocation, counts: dict[str, int]) -> int:
    """Run the command; return its exit status, and in `counts` how far it got if it failed."""
    from pawsctl.cli.output.closed_stdout import OutputClosed

    try:
        result = _invoke(arguments, current)
    except PawsctlError as error:
        counts.update(error.counts)
        with _told_at_once():
            _report(error, arguments, current)
        return error.status
    except typer.TyperException as error:
        with _told_at_once():
            _report_misuse(error, arguments, current)
        return ExitStatus.USAGE
    except (typer.Abort, KeyboardInterrupt):
        result = ExitStatus.INTERRUPTED
    except OutputClosed:
        return ExitStatus.OK
    except Exception:
        # Interrupted code may raise another error: a class body raises a RuntimeError.
        if not process_setup.was_interrupted():
            raise
        result = ExitStatus.INTERRUPTED
    # Typer returns this status for Ctrl-C.
    if result == ExitStatus.INTERRUPTED:
        # The parser may not have come to the output format.
        current.format = _format_in(arguments) or current.format
        if not current.output.is_endless:
            counts.update(_report_interruption(current))
    return result if isinstance(result, int) else ExitStatus.OK


@contextmanager
def _told_at_once() -> Iterator[None]:
    """Have a failure, and how far the command got, be told also if Ctrl-C comes now."""
    # Before, since whoever reads it may let it wait.
    with suppress(OSError):
        sys.stdout.flush()
    with process_setup.undisturbed():
        yield


def _report_interruption(current: Invocation) -> Mapping[str, int]:
    """Say what the command has changed, if it has or if a program reads it; return the numbers."""
    message = f"Interrupted. {_done_before(current)}".rstrip()
    counts: Mapping[str, int] = _changes(current)
    for connection in current.connections:
        if account := connection.ledger.account():
            message, counts = f"Interrupted: {account.text}.", account.counts
    if counts or current.output.is_json:
        current.output.error(message, code="interrupted", hint="", counts=counts)
    return counts


def _invoke(arguments: list[str], current: Invocation) -> object:
    """Call the command. Failures to write Typer's help and version are raised as for our output."""
    from pawsctl.cli.output.closed_stdout import OutputClosed, failed

    try:
        result: object = typer.main.get_command(app)(
            arguments, prog_name="pawsctl", standalone_mode=False, obj=current
        )
        sys.stdout.flush()
    except SystemExit as error:
        # Rich exits like this if nobody reads the help.
        raise OutputClosed from error
    except OSError as error:
        if error.errno in _NOT_WRITTEN:
            raise failed(error) from error
        raise
    return result


def _report(error: PawsctlError, arguments: list[str], current: Invocation) -> None:
    """Write a failure of the command to stderr, and what it did if stdout could not tell."""
    from pawsctl.cli.output.closed_stdout import NotPrinted

    _look_ahead(arguments, current)
    done = _done_before(current) if isinstance(error, NotPrinted) else ""
    current.output.error(
        _shown(error.message),
        code=error.code,
        hint=f"{done} {error.hint}" if done else current.hint_of(error),
        detail=error.detail,
        counts=error.counts,
    )


def _done_before(current: Invocation) -> str:
    """Return a sentence on what the command has changed; '' if it was nothing."""
    changes = _changes(current).items()
    found = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in changes)
    return f"Done before that: {found}." if found else ""


def _changes(current: Invocation) -> dict[str, int]:
    """Return how many of what the command has counted as changed, without zeros."""
    found = {} if current.recorder is None else current.recorder.counts
    return {what: count for what, count in found.items() if count}


def _report_misuse(error: typer.TyperException, arguments: list[str], current: Invocation) -> None:
    """Write to stderr why a command line can't be understood, and the likely one if there is."""
    from pawsctl.cli import guesses

    guesses.keep_near(error)
    see = f"See '{_command_of(error)} --help'."
    _look_ahead(arguments, current)
    current.output.error(
        _shown(_in_plain_words(error.format_message())),
        code="usage",
        hint=f"{guesses.of_usage(error)} {see}".lstrip(),
    )


def _look_ahead(arguments: list[str], current: Invocation) -> None:
    """Apply the output format and --mask, before which the parser may have failed."""
    from pawsctl.cli.output import private

    current.format = _format_in(arguments) or current.format
    current.mask = current.mask or "--mask" in arguments
    private.resolve(current.mask_in_use, current.output, asked=current.mask)
    if current.output.mask is not None:
        current.output.own_words = _names_of_commands()


def _names_of_commands() -> set[str]:
    """Return the words of which names of commands are made."""
    root: Any = typer.main.get_command(app)
    groups = [root, *map(partial(root.get_command, None), Root.sources)]
    return {
        "pawsctl",
        *(name for each in groups if isinstance(each, LazyGroup) for name in each.sources),
    }


def _format_in(arguments: list[str]) -> Format | None:
    """Return the last output format on a command line, even if the rest can't be parsed."""
    found: Format | None = None
    following = [*arguments[1:], ""]
    for argument, after in zip(arguments, following, strict=True):
        if argument == "--":
            break
        value = "json" if argument == "--json" else ""
        if argument in ("-o", "--output"):
            value = after
        elif argument.startswith(("-o", "--output=")):
            value = argument.removeprefix("--output=").removeprefix("-o")
        found = next((each for each in FORMATS if each == value), found)
    return found


# Typer's words → plain ones.
_PLAIN_WORDS = (
    (r" \(Possible options: (.+)\)", r". Did you mean \1?"),
    (r"Got unexpected extra argument\(s\) \(((?s:.*))\)", r"No further argument is taken: '\1'."),
    (r"is not a valid int(?: range)?\.", "is not a whole number."),
    (r"is not a valid float(?: range)?\.", "is not a number."),
    (r"is not in the range (\S+)<=x<=(\S+)\.", r"is not from \1 to \2."),
    (r"is not in the range x>=(\S+)\.", r"is less than \1."),
)


def _in_plain_words(message: str) -> str:
    for typers, plain in _PLAIN_WORDS:
        message = re.sub(f"{typers}$", plain, message)
    return message


def _shown(message: str) -> str:
    r"""Return a message with bytes that were not UTF-8 (surrogates in Python) as `\xff`."""
    return re.sub("[\udc80-\udcff]", lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", message)


def _command_of(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "pawsctl"
