"""Failures: their exit statuses and codes, on which scripts rely, and their words."""

import pytest

from pawsctl import errors
from pawsctl.errors import ExitStatus, NoSession, OperationFailed, PawsctlError, ReadOnly


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (errors.PawsctlError, 1, "failed"),
        (errors.OperationFailed, 1, "failed"),
        (errors.UsageError, 2, "usage"),
        (errors.NotConfirmed, 3, "not-confirmed"),
        (errors.ReadOnly, 3, "read-only"),
        (errors.NoSession, 4, "no-session"),
        (errors.RedisUnreachable, 5, "unreachable"),
        (errors.HungUp, 5, "unreachable"),
        (errors.RedisNotReady, 1, "not-ready"),
        (errors.LoginRefused, 5, "login-refused"),
        (errors.NoEngine, 6, "no-engine"),
        (errors.Conflict, 7, "conflict"),
        (errors.TimedOut, 8, "timeout"),
        (errors.Partial, 9, "partial"),
        (errors.Interrupted, 130, "interrupted"),
    ],
)
def test_statuses_and_codes_stay(kind: type[PawsctlError], status: int, code: str) -> None:
    """They are part of what is promised."""
    assert (kind.status, kind.code) == (status, code)
    assert ExitStatus.OK.value == 0


def test_context_is_added_around_a_failure() -> None:
    """The rest stays: its kind, its log, and its counts."""
    first = OperationFailed("It broke.", hint="Mend it.", detail=("log",), counts={"a": 1})
    found = first.with_context(before="So.", after="Then.", hint="Or not.", counts={"b": 2})
    assert type(found) is OperationFailed
    assert (found.message, found.hint) == ("So. It broke. Then.", "Mend it. Or not.")
    assert (found.detail, found.counts) == (("log",), {"a": 1, "b": 2})
    assert str(first.with_context()) == "It broke."
    twice = first.with_context(after="It broke. So 2 are left.", hint="Mend it. They expire.")
    assert (twice.message, twice.hint) == ("It broke. So 2 are left.", "Mend it. They expire.")


def test_causes_are_each_told_once() -> None:
    """Among a library's arguments as well, and in a circle."""
    inner, outer, context = ValueError("inner"), OSError("outer"), KeyError("context")
    outer.__cause__, outer.__context__ = inner, context
    inner.__context__ = outer
    assert list(errors.causes(outer)) == [outer, inner]
    assert list(errors.causes(OSError(1, inner)))[1:] == [inner, outer]
    outer.__cause__ = None
    assert list(errors.causes(outer)) == [outer, context]


def test_refusals_name_what_they_are_about() -> None:
    """With the next step."""
    found = NoSession.of(["+1", "+2"])
    assert found.message == "No session is stored for +1, +2."
    assert "session list" in found.hint
    found_too = ReadOnly.of("DEL is not sent", "option --read-only")
    assert found_too.message == "Read-only by option --read-only: DEL is not sent."
    assert found_too.hint
