"""The output of commands: data on stdout, everything else on stderr."""

from typing import Literal

Format = Literal["text", "json", "jsonl", "csv", "env"]
# The formats of every command; only `redis status` also has `env`.
FORMATS: tuple[Format, ...] = ("text", "json", "jsonl", "csv")

PRODUCTION = "bold white on red"
"""The style of a profile's name that says production."""
