"""Find a `.env` file from a directory upwards, check that it is safe, and read it verbatim."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pawsctl.errors import UsageError
from pawsctl.files import trust

# Bytes. Settings take some hundreds; a device, an archive or a log may be endless.
_MOST = 256 << 10
_WAY_ON = "Name the file that you mean with --env-file."


def nearest(
    directory: Path, home: Path | None, name: str = ".env", *, way_on: str = _WAY_ON
) -> Path | None:
    """Return the nearest `.env`, or file of that name, from `directory` upwards, or None.

    The search ends at the root of the repository that `directory` is in, else at `home`, else in
    `directory` itself. Raises UsageError for a file that another user could have written: ignoring
    it would lead to another Redis. `way_on` says what else to do.
    """
    for folder in _searched(directory, home):
        path = folder / name
        try:
            # A directory of that name is a Python environment.
            if not os.path.lexists(path) or path.is_dir():
                continue
            fault = trust.fault(path)
            if not fault and not stat.S_ISREG(path.stat().st_mode):
                fault = "it is no file"
        except FileNotFoundError:
            fault = "it is a link that leads nowhere"
        except OSError as error:
            fault = error.strerror or str(error)
        if fault:
            raise UsageError(
                f"{path} is not read: {fault}, and what it says could be somebody else's.",
                hint=f"If it is yours, see to that (chown, chmod). {way_on}",
            )
        return path
    return None


def _searched(directory: Path, home: Path | None) -> Iterator[Path]:
    above = (directory, *directory.parents)
    last = next((folder for folder in above if os.path.lexists(folder / ".git")), None)
    if last is None:
        last = home if home in above else directory
    for folder in above:
        yield folder
        if folder == last:
            return


def read(path: Path) -> dict[str, tuple[str, int]]:
    """Return name → (value, line number). `$` is not expanded: a password may hold one.

    Raises UsageError for a file or line that can't be read, naming the line: python-dotenv itself
    only logs that.
    """
    from io import StringIO

    # Saves 25 ms in directories without a .env, which are most.
    from dotenv.parser import parse_stream

    try:
        # Windows editors write a byte order mark and CR LF.
        text = _content(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError) as error:
        is_text = isinstance(error, OSError)
        reason = getattr(error, "strerror", None) or str(error) if is_text else "it is not UTF-8"
        raise UsageError(
            f"{path} can't be read: {reason}.",
            hint="Fix the file, or name another with --env-file.",
        ) from error
    values = {}
    for binding in parse_stream(StringIO(text)):
        # A binding that follows blank lines begins with them.
        written = binding.original.string
        line = binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")
        if binding.error or "\0" in written:
            raise UsageError(
                f"{path}, line {line}, can't be read as NAME=value.",
                hint="Fix that line; quote a value that holds spaces, # or quotes.",
            )
        if binding.key and binding.value:
            values[binding.key] = (binding.value, line)
    return values


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        found = file.read(_MOST + 1)
    if len(found) > _MOST:
        raise OSError("it has more than 256 KB")
    return found
