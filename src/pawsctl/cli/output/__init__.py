"""What commands write: data to stdout, everything else to stderr."""

from typing import Literal

Format = Literal["text", "json", "jsonl", "csv", "env"]
# Those of every command; `env` is for `redis status` alone.
FORMATS: tuple[Format, ...] = ("text", "json", "jsonl", "csv")
