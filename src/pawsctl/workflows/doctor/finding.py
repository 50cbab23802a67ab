"""What an examination finds. Scripts rely on the names of the fields. Pure."""

from typing import Literal

import msgspec

from pawsctl.errors import OperationFailed, PawsctlError

State = Literal["ok", "warning", "failed", "skipped"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at, and the evidence.

    `hint` says what to do, and is empty where nothing is to do. Further lines of `detail` are the
    end of a log.
    """

    name: str
    state: State
    detail: str
    hint: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """Everything that was looked at; `ok` where nothing failed."""

    ok: bool
    findings: list[Finding]


def failed(name: str, error: PawsctlError) -> Finding:
    """Return a failure as a finding."""
    return Finding(name, "failed", error.message, error.hint)


def unless_refused(name: str, error: PawsctlError) -> Finding:
    """Return a failure as a finding; where this user may not ask, nothing is known."""
    if isinstance(error, OperationFailed):
        return Finding(name, "skipped", error.message, error.hint)
    return failed(name, error)
