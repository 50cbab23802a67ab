"""The warning of a dry run before a Redis that would refuse the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pawsctl.cli.context import Invocation
    from pawsctl.sessions.store.store import SessionStore


def warn_of_refusal(run: Invocation, store: SessionStore) -> None:
    """Warn if the store is a replica that takes no writes."""
    from pawsctl.sessions.query import replica

    if refusal := replica.refusal(store.connection):
        run.output.warn(refusal)
