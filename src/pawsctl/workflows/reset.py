"""A reset of this project's Redis, with an export of its sessions before."""

import shlex
from collections.abc import Callable
from pathlib import Path

from pawsctl.config.redis_url import parse
from pawsctl.config.settings import StackSettings
from pawsctl.config.target import Target
from pawsctl.connection import Connection, connect, info_fields
from pawsctl.errors import OperationFailed, PawsctlError
from pawsctl.files import state_dir
from pawsctl.sessions.archive import export
from pawsctl.sessions.archive.export import Exported
from pawsctl.sessions.store.store import SessionStore
from pawsctl.stack import remove
from pawsctl.stack.events import Copied, Emit, LeftOut
from pawsctl.stack.project import mounted_files
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.remove import Reset
from pawsctl.workflows import kept_exports


def reset(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    timeout: float,
    with_backup: bool,
    confirm: remove.Confirm,
    emit: Emit,
) -> Reset:
    """Delete the data of this project's Redis and start it again, the sessions exported before.

    Raises what the stack's `reset` raises, and what keeps the export from being made.
    """

    def save(url: str | None, hold: Callable[[], None]) -> str | None:
        return export_before_reset(settings, topology, url, hold=hold, emit=emit)

    return remove.reset(
        settings,
        topology,
        timeout=timeout,
        confirm=confirm,
        save=save if with_backup else None,
        emit=emit,
    )


def export_before_reset(
    settings: StackSettings,
    topology: Topology,
    url: str | None,
    *,
    hold: Callable[[], None],
    emit: Emit,
) -> str | None:
    """Export the sessions of every database behind a URL of this machine to the state directory.

    `hold` keeps others from writing, once Redis has answered; no script is run after it. Returns
    the file, or the folder with a file for each of several databases; None where there was no
    session. The last five exports are kept. Raises, with a hint at --no-backup, what the export
    raises, and OperationFailed where no URL leads to Redis.
    """
    folder = mounted_files.state_directory(settings.project, topology) / "backups"
    try:
        if url is None:
            raise OperationFailed("Redis does not run.", hint="Start it with 'pawsctl redis up'.")
        target = parse(url, origin="the project's settings").with_login(
            None, settings.redis_password
        )
        with state_dir.usable(folder), kept_exports.unfinished(folder) as unfinished:
            exported = _export(target, unfinished, hold, emit)
            kept = kept_exports.placed(unfinished)
    except PawsctlError as error:
        raise error.with_context(
            before="The sessions can't be exported before they are deleted.",
            hint="To delete them without a copy, use --no-backup.",
        ) from error
    if kept is None:
        return None
    for name, each in exported.items():
        path = kept / name if kept.is_dir() else kept
        emit(Copied(each.sessions, str(path), _way_back(each.url, path)))
    kept_exports.forget_old(folder, kept)
    return str(kept)


def _way_back(url: str, path: Path) -> str:
    """The command that writes an export's sessions back to where they came from."""
    return shlex.join(["pawsctl", "session", "import", "--url", url, str(path)])


def _export(
    target: Target, folder: Path, hold: Callable[[], None], emit: Emit
) -> dict[str, Exported]:
    """Each database with a session as a file of `folder`: its name → what it holds."""
    found = {}
    with connect(target) as connection:
        connection.connect()
        hold()
        numbers = _databases(connection)
    for number in numbers:
        path = folder / f"sessions-db{number}.jsonl.gz"
        with SessionStore(connect(target.with_db(number))) as store:
            # Whoever is kept from writing is kept from running scripts, too.
            store.connection.substitutes.avoid_scripts()
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
    return sorted(int(name[2:]) for name in fields if name[:2] == "db" and name[2:].isdigit())
