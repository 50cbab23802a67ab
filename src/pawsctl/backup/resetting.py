"""A reset of this project's Redis, with an export of its sessions before."""

from datetime import UTC, datetime

from pawsctl.connection import connect
from pawsctl.errors import OperationFailed, PawsctlError
from pawsctl.sessions.archive import export
from pawsctl.sessions.store import SessionStore
from pawsctl.settings import StackSettings
from pawsctl.stack import files, operations
from pawsctl.stack.engine import Copied, Emit
from pawsctl.stack.layout import Topology
from pawsctl.stack.results import Reset
from pawsctl.target import parse

KEPT_BACKUPS = 5


def reset(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    timeout: float,
    with_backup: bool,
    confirm: operations.Confirm,
    emit: Emit,
) -> Reset:
    """Delete the data of this project's Redis and start it again, the sessions exported before.

    Raises what the stack's `reset` raises, and what keeps the export from being made.
    """

    def save(url: str | None) -> str | None:
        return export_before_reset(settings, topology, url, emit=emit)

    return operations.reset(
        settings,
        topology,
        timeout=timeout,
        confirm=confirm,
        save=save if with_backup else None,
        emit=emit,
    )


def export_before_reset(
    settings: StackSettings, topology: Topology, url: str | None, *, emit: Emit
) -> str | None:
    """Export the sessions behind a URL of this machine to the state directory.

    Returns the file, None where there was no session; the last five files are kept. Raises, with a
    hint at --no-backup, what the export raises, and OperationFailed where none leads to Redis.
    """
    folder = files.state_directory(settings.project, topology) / "backups"
    path = folder / f"sessions-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z.jsonl.gz"
    try:
        if url is None:
            raise OperationFailed("Redis does not run.", hint="Start it with 'pawsctl redis up'.")
        folder.mkdir(mode=0o700, exist_ok=True)
        target = parse(url, origin="the project's settings").with_login(
            None, settings.redis_password
        )
        with SessionStore(connect(target)) as store:
            exported = export.to_file(store, path, lambda _count: None)
    except PawsctlError as error:
        raise type(error)(
            f"The sessions can't be exported before they are deleted. {error.message}",
            hint=f"{error.hint} To delete them without a copy, use --no-backup.",
        ) from error
    if not exported.sessions:
        # One that holds nothing must not push out one that does.
        path.unlink()
        return None
    emit(Copied(exported.sessions, str(path)))
    for old in sorted(folder.glob("sessions-*.jsonl.gz"))[:-KEPT_BACKUPS]:
        old.unlink(missing_ok=True)
    return str(path)
