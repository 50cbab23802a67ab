"""Whether what a command writes is to be masked, known before it writes anything."""

import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from pawsctl.errors import PawsctlError

if TYPE_CHECKING:
    from pawsctl.cli.output.stderr import Talk


def resolve(load: Callable[[], object], output: "Talk", *, asked: bool) -> None:
    """Have all output masked if a setting asks for it; `load` resolves the settings.

    If it can't, the option (`asked`) and the environment count, and pseudonyms differ each time.
    The command itself fails for the settings if it needs one.
    """
    try:
        load()
    except PawsctlError:
        if asked or os.environ.get("PAWSCTL_MASK"):
            # Only a masked output needs it.
            from pawsctl.safety import masking

            output.mask = masking.makeshift()
    if output.mask is not None:
        sys.excepthook = _tell_place


def _tell_place(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    """Write the traceback of a bug without the exception's words, which may be anybody's."""
    import traceback

    lines = ["Traceback (most recent call last):\n", *traceback.format_tb(trace)]
    sys.stderr.write(f"{''.join(lines)}{kind.__name__}\n")
