"""The failure of a write to stdout: its reader is gone, or there is no room."""

import os
import sys

from pawsctl.errors import OperationFailed


class OutputClosed(Exception):
    """The reader of stdout has closed it, as `head` does; nothing is reported."""


class NotPrinted(OperationFailed):
    """The result could not be written; what the command was to change may be changed."""


def failed(error: OSError) -> Exception:
    """Return OutputClosed if the reader of stdout is gone, else NotPrinted."""
    # Discard the buffered rest; Python would report it at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return OutputClosed()
    return NotPrinted(
        f"stdout can't be written: {error.strerror}.",
        hint="What was printed is not the whole; send it where there is room.",
    )
