"""Whether what a command writes is to be masked, known before it writes anything."""

import os
from collections.abc import Callable
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
