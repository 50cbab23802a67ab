"""Reset this project's Redis after an export of its sessions."""

import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from pawsctl.config.redis_url import parse
from pawsctl.config.settings import StackSettings
from pawsctl.config.target import Target
from pawsctl.connection import Connection, connect, info_fields
from pawsctl.errors import HungUp, OperationFailed, Partial, PawsctlError, RedisUnreachable
from pawsctl.files import state_dir
from pawsctl.sessions.archive import export
from pawsctl.sessions.archive.export import Exported
from pawsctl.sessions.contract.keyspace import Keyspace
from pawsctl.sessions.store.store import SessionStore
from pawsctl.stack import remove
from pawsctl.stack.events import Copied, Emit, LeftOut, OthersLost
from pawsctl.stack.project import layout, mounted_files
from pawsctl.stack.project.layout import Topology
from pawsctl.stack.remove import Reset
from pawsctl.workflows import kept_exports


def reset(
    settings: StackSettings,
    topology: Topology = "single",
    *,
    keyspace: Keyspace,
    timeout: float,
    with_backup: bool,
    confirm: remove.Confirm,
    emit: Emit,
) -> Reset:
    """Export the sessions of this project's Redis, delete all its data, and start it again.

    Raises the errors of the stack's `reset` and of the export.
    """

    def save(url: str | None, hold: Callable[[], None]) -> str | None:
        return export_before_reset(settings, topology, url, keyspace, hold=hold, emit=emit)

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
    keyspace: Keyspace,
    *,
    hold: Callable[[], None],
    emit: Emit,
) -> str | None:
    """Export the sessions of every database behind a URL of this machine to the state directory.

    `hold` blocks other writers, and is called once Redis has answered; no script is run after it.
    Returns the file, or a folder with a file for each of several databases, or None if there was no
    session. The last five exports are kept. Raises the errors of the export, with a hint at
    --no-backup, and OperationFailed if `url` is None.
    """
    folder = mounted_files.state_directory(settings.project, topology) / "backups"
    try:
        if url is None:
            raise OperationFailed("Redis does not run.", hint="Start it with 'pawsctl redis up'.")
        target = parse(url, origin="the project's settings").with_login(
            None, settings.redis_password
        )
        with state_dir.usable(folder), kept_exports.unfinished(folder) as unfinished:
            exported = _export(target, keyspace, unfinished, hold, emit)
            kept = kept_exports.placed(unfinished)
    except PawsctlError as error:
        raise _with_way_on(error, topology).with_context(
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


def _with_way_on(error: PawsctlError, topology: Topology) -> PawsctlError:
    """Return the error of an export, with what puts this project's own Redis in order.

    An error of a connection names other URLs and longer waits, and a reset takes neither.
    """
    if type(error) not in (RedisUnreachable, HungUp, Partial):
        return error
    hint = (
        "'pawsctl redis logs' may tell why."
        if topology == "single"
        else f"'pawsctl redis up{layout.option(topology)}' puts its nodes in order."
    )
    return type(error)(error.message, hint=hint, detail=error.detail, counts=error.counts)


def _way_back(url: str, path: Path) -> str:
    """Return the command that imports an export into the Redis it came from."""
    return shlex.join(["pawsctl", "session", "import", "--url", url, str(path)])


def _export(
    target: Target, keyspace: Keyspace, folder: Path, hold: Callable[[], None], emit: Emit
) -> dict[str, Exported]:
    """Export each database that has a session to a file in `folder`; return name → export."""
    found = {}
    with connect(target) as connection:
        connection.connect()
        hold()
        keys = _keys(connection)
        others = keys.total()
        numbers = [0] if connection.target.kind == "cluster" else sorted(keys)
    for number in numbers:
        path = folder / f"sessions-db{number}.jsonl.gz"
        with SessionStore(connect(target.with_db(number)), keyspace=keyspace) as store:
            # While writers are blocked, so are scripts.
            store.connection.substitutes.avoid_scripts()
            exported = export.to_file(store, path, lambda _count: None)
        for kind, count in exported.left_out.items():
            emit(LeftOut(count, kind, keyspace.prefix))
        others -= exported.sessions + sum(exported.left_out.values())
        if exported.sessions:
            found[path.name] = exported
        else:
            path.unlink()
    # Fewer are left if some expire meanwhile.
    if others > 0:
        emit(OthersLost(others))
    return found


def _keys(connection: Connection) -> Counter[int]:
    """Return how many keys there are in each database that holds one."""
    found: Counter[int] = Counter()
    for node in connection.primaries():
        # db3:keys=50,expires=50,avg_ttl=…
        for name, told in info_fields(node.call("INFO", "keyspace")).items():
            if name[:2] == "db" and name[2:].isdigit():
                found[int(name[2:])] += int(told.partition(",")[0].removeprefix("keys="))
    return found
