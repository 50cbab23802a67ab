"""The output of commands: data on stdout, everything else on stderr."""

from typing import Literal

Format = Literal["text", "json", "jsonl", "csv", "env"]
# The formats of every command; only `redis status` also has `env`.
FORMATS: tuple[Format, ...] = ("text", "json", "jsonl", "csv")

PRODUCTION = "bold white on red"
"""The style of a profile's name that says production."""

LACKING = {
    "csv": ("list", "Use -o json."),
    "env": ("setting", "'pawsctl redis status -o env' prints REDIS_URL with its password."),
}
"""A format that few commands have → what the others lack, and what to do instead."""
