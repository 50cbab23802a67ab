"""The findings of an examination. Scripts rely on the names of the fields. Pure."""

from typing import Literal

import msgspec

from pawsctl.errors import HungUp, OperationFailed, PawsctlError

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
    """Return a failure as a finding; it is `skipped` where only this command can't be sent.

    So it is if the command is refused, or a proxy that does not know it hangs up.
    """
    if isinstance(error, OperationFailed | HungUp):
        return Finding(name, "skipped", error.message, error.hint)
    return failed(name, error)
