"""What a person sees of a health check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pawsctl.cli.text import Line, Span
    from pawsctl.health import Health


def report(found: Health) -> Iterator[Line]:
    """A line for each check, and the sum of them."""
    for check in found.checks:
        mark: Span = ("✓ ", "green") if check.ok else ("✗ ", "bold red")
        yield [
            mark,
            (check.name, ""),
            (f"  {check.seconds * 1000:.1f} ms", "dim"),
            (f"  {check.detail}" if check.detail else "", "" if check.ok else "red"),
        ]
    word: Span = ("healthy", "bold green") if found.ok else ("unhealthy", "bold red")
    yield [word, (f": {found.url}", "")]
