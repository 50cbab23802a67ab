"""Recording the change that a run makes, before it is made and after it."""

import getpass
import platform
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from pawsctl.config.target import Target
from pawsctl.errors import OperationFailed, PawsctlError
from pawsctl.files import keyed_hash
from pawsctl.safety.audit import log
from pawsctl.safety.audit.log import ChangeBegun, ChangeEnded


class Recorder:
    """Records the change that a run makes; `counts` says how many of what were changed."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.counts: dict[str, int] = {}
        self._id = secrets.token_hex(8)
        self._warn = warn
        self._is_begun = False

    def begin(
        self,
        command: str,
        options: Sequence[str],
        target: Target | None,
        phones: Sequence[str],
        *,
        is_production: bool,
    ) -> None:
        """Record the change before it is made; with no `target`, it is not in a single Redis.

        If it can't be recorded, warns; before production, raises OperationFailed instead.
        """
        try:
            log.add(self._begun(command, options, target, phones))
        except PawsctlError as error:
            if is_production:
                raise OperationFailed(
                    f"The change can't be recorded, and this may be production: {error.message}",
                    hint=f"Nothing was changed. {error.hint}",
                ) from error
            self._warn(f"The change is not recorded: {error.message}")
        else:
            self._is_begun = True

    def _begun(
        self, command: str, options: Sequence[str], target: Target | None, phones: Sequence[str]
    ) -> ChangeBegun:
        return ChangeBegun(
            id=self._id,
            at=datetime.now(UTC),
            command=command,
            options=list(options),
            url=target.url if target else "",
            host=(target.service or target.host) if target else "",
            profile=(target.profile or None) if target else None,
            user=_user(),
            machine=platform.node(),
            named=len(phones),
            phones=keyed_hash.all_hashed(phones[: log.LONGEST]),
        )

    def end(self, status: int, counts: Mapping[str, int]) -> None:
        """Record the end of the change, or warn that it could not be recorded."""
        if not self._is_begun:
            return
        try:
            log.add(ChangeEnded(self._id, datetime.now(UTC), status, self.counts | dict(counts)))
        except PawsctlError as error:
            self._warn(f"The end of the change is not recorded: {error.message}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        # A user id without a name, as in containers.
        return ""
