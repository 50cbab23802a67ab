"""Values of options that people type, and the ones that are named instead."""

from typing import Any

import pytest
import typer

from pawsctl.cli.app import app
from pawsctl.cli.context import Invocation

ROOT: Any = typer.main.get_command(app)


@pytest.mark.parametrize(
    "line",
    [
        "session list --idle",
        "session flush --expiring-within",
        "session watch --interval",
        "redis logs --since",
        "test-session --max-latency",
        "test-session --retry-for",
        "health --wait",
    ],
)
def test_a_bare_number_is_no_length_of_time_anywhere(line: str) -> None:
    """It could mean milliseconds, seconds or minutes."""
    for number in ("5", "0.5"):
        with pytest.raises(typer.BadParameter, match=f"^{number} has no unit: write it like"):
            ROOT([*line.split(), number], "pawsctl", obj=Invocation(), standalone_mode=False)
