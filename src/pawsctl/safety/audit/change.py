"""One change of this run: recorded before it is made, and completed after it."""

import getpass
import platform
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pawsctl.config.target import Target
from pawsctl.errors import OperationFailed, PawsctlError
from pawsctl.files import keyed_hash
from pawsctl.safety.audit import log
from pawsctl.safety.audit.log import Begun, Ended


class Change:
    """A change that a command makes: its id in the log, and how many of what were changed."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self.counts: dict[str, int] = {}

    def begin(
        self, command: str, options: Sequence[str], target: Target, phones: Sequence[str]
    ) -> None:
        """Record the change before it is made. Raises OperationFailed, UsageError."""
        log.add(
            Begun(
                id=self.id,
                at=datetime.now(UTC),
                command=command,
                options=list(options),
                url=target.url,
                host=target.service or target.host,
                profile=target.profile or None,
                user=_user(),
                machine=platform.node(),
                named=len(phones),
                phones=[keyed_hash.hashed(phone) for phone in phones[: log.LONGEST]],
            )
        )

    def end(self, status: int, counts: Mapping[str, int]) -> None:
        """Record the end of the change. Raises OperationFailed, UsageError."""
        log.add(Ended(self.id, datetime.now(UTC), status, self.counts | dict(counts)))


def unrecordable(error: PawsctlError) -> OperationFailed:
    """Return the refusal of a change before production, which can't be recorded."""
    return OperationFailed(
        f"The change can't be recorded, and this may be production: {error.message}",
        hint=f"Nothing was changed. {error.hint}",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A user id without a name, as in containers.
        return ""
