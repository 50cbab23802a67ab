"""The errors of pawsctl, each with its exit status.

An error carries one sentence on what happened (`message`) and one on what to do next (`hint`). If
a server failed, `detail` has the last lines of its log, verbatim. If work had begun, `counts` has
how far it got, for programs.
Adapters raise these from an SDK's exceptions. Outside the command line, they are caught only to
retry, or to add how far the work got (`with_context`).
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import ClassVar, Self


class ExitStatus(IntEnum):
    """The exit statuses of pawsctl; scripts rely on these numbers."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_CONFIRMED = 3
    NO_SESSION = 4
    UNREACHABLE = 5
    NO_ENGINE = 6
    CONFLICT = 7
    TIMEOUT = 8
    PARTIAL = 9
    INTERRUPTED = 130


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, each once: a chain may be circular.

    An exception among an error's arguments counts as its cause: some libraries pass the original
    on that way.
    """
    seen: set[int] = set()
    root: BaseException | None = error
    while root is not None and id(root) not in seen:
        seen.add(id(root))
        yield root
        inner = [each for each in root.args if isinstance(each, BaseException)]
        root = root.__cause__ or (inner[-1] if inner else None) or root.__context__


class PawsctlError(Exception):
    """A failure that a person can act on."""

    status: ClassVar[ExitStatus] = ExitStatus.FAILED
    code: ClassVar[str] = "failed"

    def __init__(
        self,
        message: str,
        *,
        hint: str,
        detail: tuple[str, ...] = (),
        counts: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail
        self.counts = dict(counts or {})

    def with_context(
        self,
        *,
        before: str = "",
        after: str = "",
        hint: str = "",
        counts: Mapping[str, int] | None = None,
    ) -> Self:
        """Return the same failure with text added before and after its message and to its hint.

        A text that is added and begins as its own does is not told twice.
        """
        after, hint = after.removeprefix(self.message).lstrip(), hint.removeprefix(self.hint)
        return type(self)(
            " ".join(filter(None, (before, self.message, after))),
            hint=" ".join(filter(None, (self.hint, hint.lstrip()))),
            detail=self.detail,
            counts=self.counts | dict(counts or {}),
        )


class OperationFailed(PawsctlError):
    """Redis or the engine was reached and refused, or a check failed."""


class UsageError(PawsctlError):
    """The command line or the settings contradict each other or can't be read."""

    status = ExitStatus.USAGE
    code = "usage"


class NotConfirmed(PawsctlError):
    """The user said no, or nobody was there to ask."""

    status = ExitStatus.NOT_CONFIRMED
    code = "not-confirmed"


class ReadOnly(NotConfirmed):
    """The user has asked that nothing be changed, and this would change something."""

    code = "read-only"

    @classmethod
    def of(cls, refused: str, origin: str) -> Self:
        """Return the refusal; `origin` is the setting that asks for it."""
        return cls(
            f"Read-only by {origin}: {refused}.",
            hint="To change something, run it without that; no option overrides it.",
        )


class NoSession(PawsctlError):
    """No session is stored for a phone."""

    status = ExitStatus.NO_SESSION
    code = "no-session"

    @classmethod
    def of(cls, phones: Sequence[str]) -> Self:
        """Return the failure for these phones."""
        return cls(
            f"No session is stored for {', '.join(phones)}.",
            hint="It may have expired; 'pawsctl session list' shows those there are.",
        )


class RedisUnreachable(PawsctlError):
    """Nothing answers at the address, or it stopped answering."""

    status = ExitStatus.UNREACHABLE
    code = "unreachable"


class HungUp(RedisUnreachable):
    """The server, or a proxy in front of it, closed a connection that was in use."""


class RedisNotReady(RedisUnreachable):
    """A server answers but can't serve yet: it is loading its data, or has lost its primary."""

    status = ExitStatus.FAILED
    code = "not-ready"


class LoginRefused(RedisUnreachable):
    """Redis answers and refuses the user name or password."""

    code = "login-refused"


class NoEngine(PawsctlError):
    """No Docker Engine can be used."""

    status = ExitStatus.NO_ENGINE
    code = "no-engine"


class Conflict(PawsctlError):
    """A port, a name or a lock is taken by somebody else."""

    status = ExitStatus.CONFLICT
    code = "conflict"


class TimedOut(PawsctlError):
    """An awaited condition did not come about before the deadline."""

    status = ExitStatus.TIMEOUT
    code = "timeout"


class Partial(PawsctlError):
    """Some nodes did not answer; the output is correct but incomplete."""

    status = ExitStatus.PARTIAL
    code = "partial"


class Interrupted(PawsctlError):
    """Ctrl-C in the middle of something that can't be undone; the message says how far it got."""

    status = ExitStatus.INTERRUPTED
    code = "interrupted"
