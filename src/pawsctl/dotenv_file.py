"""A `.env` file: found from a directory upwards, read without expanding anything."""

from pathlib import Path

from pawsctl.errors import UsageError


def nearest(directory: Path) -> Path | None:
    """The `.env` nearest from `directory` up, or None."""
    for folder in (directory, *directory.parents):
        path = folder / ".env"
        if path.is_file():
            return path
    return None


def read(path: Path) -> dict[str, tuple[str, int]]:
    """Name → (value, line number). `$` stays as it is written: a password may hold one.

    Raises UsageError for a file that can't be read, or a line of it, naming the line: python-dotenv
    itself only logs that.
    """
    from io import StringIO

    # Costs 25 ms, and most directories have no .env.
    from dotenv.parser import parse_stream

    try:
        # utf-8-sig: Windows editors write a byte order mark.
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"{path} can't be read: {reason}.",
            hint="Mend the file, or name another with --env-file.",
        ) from error
    values = {}
    for binding in parse_stream(StringIO(text)):
        # A binding that follows blank lines begins with them.
        written = binding.original.string
        line = binding.original.line + written[: len(written) - len(written.lstrip())].count("\n")
        if binding.error:
            raise UsageError(
                f"{path}, line {line}, can't be read as NAME=value.",
                hint="Mend that line; quote a value that holds spaces, # or quotes.",
            )
        if binding.key and binding.value:
            values[binding.key] = (binding.value, line)
    return values
