"""Counts with their nouns. Pure."""


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 session`, `2 sessions`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
