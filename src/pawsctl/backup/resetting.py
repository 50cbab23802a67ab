"""A reset of this project's Redis, with an export of its sessions before."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pawsctl.connection import Connection, connect, info_fields
from pawsctl.errors import OperationFailed, PawsctlError
from pawsctl.sessions.archive import export
from pawsctl.sessions.archive.export import Exported
from pawsctl.sessions.store import SessionStore
from pawsctl.settings import StackSettings
from pawsctl.stack import files, operations
from pawsctl.stack.engine import Copied, Emit, LeftOut
from pawsctl.stack.layout import Topology
from pawsctl.stack.results import Reset
from pawsctl.target import Target, parse

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
    """Export the sessions of every database behind a URL of this machine to the state directory.

    Returns the file, or the folder with a file for each of several databases; None where there was
    no session. The last five exports are kept. Raises, with a hint at --no-backup, what the export
    raises, and OperationFailed where no URL leads to Redis.
    """
    folder = files.state_directory(settings.project, topology) / "backups"
    name = f"sessions-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z"
    try:
        if url is None:
            raise OperationFailed("Redis does not run.", hint="Start it with 'pawsctl redis up'.")
        target = parse(url, origin="the project's settings").with_login(
            None, settings.redis_password
        )
        with files.usable(folder), _all_or_nothing(folder / name) as whole:
            exported = _export(target, whole, emit)
            kept = _placed(whole)
    except PawsctlError as error:
        raise error.adding(
            before="The sessions can't be exported before they are deleted.",
            hint="To delete them without a copy, use --no-backup.",
        ) from error
    if kept is None:
        return None
    for file, each in exported.items():
        emit(Copied(each.sessions, str(kept / file if kept.is_dir() else kept)))
    _forget_old(folder)
    return str(kept)


@contextmanager
def _all_or_nothing(folder: Path) -> Iterator[Path]:
    """A new folder, which is gone where the block fails."""
    folder.mkdir(mode=0o700, parents=True)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _export(target: Target, folder: Path, emit: Emit) -> dict[str, Exported]:
    """Each database with a session as a file of `folder`: its name → what it holds."""
    found = {}
    with connect(target) as connection:
        numbers = _databases(connection)
    for number in numbers:
        path = folder / f"sessions-db{number}.jsonl.gz"
        with SessionStore(connect(target.with_db(number))) as store:
            exported = export.to_file(store, path, lambda _count: None)
        for kind, count in exported.left_out.items():
            emit(LeftOut(count, kind))
        if exported.sessions:
            found[path.name] = exported
        else:
            path.unlink()
    return found


def _databases(connection: Connection) -> list[int]:
    """The numbers of all databases that hold a key."""
    if connection.target.kind == "cluster":
        return [0]
    # db3:keys=50,expires=50,avg_ttl=…
    fields = info_fields(connection.call("INFO", "keyspace"))
    return sorted(int(name.removeprefix("db")) for name in fields if name.startswith("db"))


def _placed(folder: Path) -> Path | None:
    """What is kept of a folder of exports: itself, or a file alone, or nothing."""
    found = list(folder.iterdir())
    if len(found) > 1:
        return folder
    kept = None
    for file in found:
        kept = file.rename(folder.with_name(f"{folder.name}-{file.name.removeprefix('sessions-')}"))
    # One that holds nothing must not push out one that does.
    folder.rmdir()
    return kept


def _forget_old(folder: Path) -> None:
    for old in sorted(folder.glob("sessions-*"))[:-KEPT_BACKUPS]:
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)
