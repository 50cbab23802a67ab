"""The root command: where commands are found, and where every failure becomes an exit status."""

import errno
import re
import sys
from typing import ClassVar

import typer

from pawsctl import process_setup
from pawsctl.cli.context import Invocation
from pawsctl.cli.global_options import LazyGroup
from pawsctl.cli.output import FORMATS, Format
from pawsctl.errors import ExitStatus, PawsctlError


class Root(LazyGroup):
    """Every command of pawsctl by name."""

    sources: ClassVar = {
        "redis": ("pawsctl.cli.redis", "app"),
        "session": ("pawsctl.cli.session", "app"),
        "test-session": ("pawsctl.cli.smoke", "app"),
        "health": ("pawsctl.cli.health", "app"),
        "doctor": ("pawsctl.cli.doctor", "app"),
        "config": ("pawsctl.cli.config", "app"),
    }


app = typer.Typer(
    cls=Root,
    name="pawsctl",
    help="Looks after the sessions an application keeps in Redis, and the Redis they live in.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """Looks after the sessions an application keeps in Redis, and the Redis they live in."""


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit status; nothing is raised but bugs."""
    from pawsctl.cli.output.stdout import OutputClosed

    # Kept here, so that a failure is told in the format that was asked for.
    current = Invocation()
    try:
        result = _called(arguments, current)
    except PawsctlError as error:
        current.output.error(
            _shown(error.message),
            code=error.code,
            hint=current.hint_of(error),
            detail=error.detail,
            counts=error.counts,
        )
        return error.status
    except typer.TyperException as error:
        # The parser may have given up before it came to the option.
        current.format = _format_in(arguments) or current.format
        current.output.error(
            _shown(error.format_message()), code="usage", hint=f"See '{_command_of(error)} --help'."
        )
        return ExitStatus.USAGE
    except (typer.Abort, KeyboardInterrupt):
        result = ExitStatus.INTERRUPTED
    except OutputClosed:
        return ExitStatus.OK
    except Exception:
        # What is interrupted may fail in its own way: a class body with a RuntimeError.
        if not process_setup.was_interrupted():
            raise
        result = ExitStatus.INTERRUPTED
    # Typer makes this of Ctrl-C.
    is_failure = result == ExitStatus.INTERRUPTED and not current.output.is_endless
    if is_failure and current.output.is_json:
        current.output.error("Interrupted.", code="interrupted", hint="")
    return result if isinstance(result, int) else ExitStatus.OK


def _called(arguments: list[str], current: Invocation) -> object:
    """Call the command; what Typer prints itself, help and version, ends as our own output does."""
    from pawsctl.cli.output import stdout

    try:
        result: object = typer.main.get_command(app)(
            arguments, prog_name="pawsctl", standalone_mode=False, obj=current
        )
        sys.stdout.flush()
    except SystemExit as error:
        # Rich's way to end where nobody reads the help.
        raise stdout.OutputClosed from error
    except OSError as error:
        if error.errno in (errno.EPIPE, errno.ENOSPC, errno.EBADF):
            raise stdout.failed(error) from error
        raise
    return result


def _format_in(arguments: list[str]) -> Format | None:
    """The output format that a command line asks for last, whatever else is wrong with it."""
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


def _shown(message: str) -> str:
    r"""A message in which bytes that were not UTF-8, surrogates to Python, are `\xff`."""
    return re.sub("[\udc80-\udcff]", lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", message)


def _command_of(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "pawsctl"
