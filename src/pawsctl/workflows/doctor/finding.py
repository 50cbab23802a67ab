"""The findings of an examination. Scripts rely on the names of the fields. Pure."""

from typing import Literal

import msgspec

from pawsctl.errors import OperationFailed, PawsctlError

State = Literal["ok", "warning", "failed", "skipped"]


class Finding(msgspec.Struct, frozen=True):
    """One check and its result.

    `hint` says what to do, and is empty if there is nothing to do. Lines of `detail` after the
    first are the end of a log.
    """

    name: str
    state: State
    detail: str
    hint: str = ""


class Diagnosis(msgspec.Struct, frozen=True):
    """All findings; `ok` if none is a failure."""

    ok: bool
    findings: list[Finding]


def failed(name: str, error: PawsctlError) -> Finding:
    """Return a failure as a finding."""
    return Finding(name, "failed", error.message, error.hint)


def unless_refused(name: str, error: PawsctlError) -> Finding:
    """Return a failure as a finding; a refused command is `skipped`, not `failed`."""
    if isinstance(error, OperationFailed):
        return Finding(name, "skipped", error.message, error.hint)
    return failed(name, error)
