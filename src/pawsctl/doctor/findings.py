"""What an examination finds. Scripts rely on the names of the fields. Pure."""

from typing import Literal

import msgspec

State = Literal["ok", "warning", "failed", "skipped"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `hint` says what to do, and is empty where nothing is to do."""

    name: str
    state: State
    detail: str
    hint: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """Everything that was looked at; `ok` where nothing failed."""

    ok: bool
    findings: list[Finding]
