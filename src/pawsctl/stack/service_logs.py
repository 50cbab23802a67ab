"""The logs of this project's services."""

from collections.abc import Collection, Iterator

from pawsctl.config.settings import StackSettings
from pawsctl.errors import UsageError
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.engine.protocol import LogLine, LogQuery
from pawsctl.stack.events import Emit
from pawsctl.stack.project import project
from pawsctl.stack.project.layout import Topology


def logs(
    settings: StackSettings,
    services: Collection[str],
    query: LogQuery,
    topology: Topology = "single",
    *,
    emit: Emit,
) -> Iterator[LogLine]:
    """Return log lines of these services, or of all if none is named.

    Raises UsageError for a service that is not in the compose file, OperationFailed for one that
    has no container.
    """
    here = project.load(settings, topology)
    known = [each.key for each in here.stack.services]
    for each in services:
        if each not in known:
            raise UsageError(
                f"There is no service '{each}'.", hint=f"The services are {', '.join(known)}."
            )
    return engine_of(here, emit).logs(services, query)
