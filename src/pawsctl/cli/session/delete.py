"""`pawsctl session delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pawsctl.cli.arguments import Confirm, NoBackup, Phones, is_single, phone_keys
from pawsctl.cli.confirm.guard import confirm_sessions
from pawsctl.cli.confirm.undo import undo_of
from pawsctl.cli.global_options import ListCommand, invocation
from pawsctl.cli.output.table import Column, Span
from pawsctl.cli.session.group import app

if TYPE_CHECKING:
    from pawsctl.sessions.edit.touch_delete import Deleted


@app.command(cls=ListCommand)
def delete(
    ctx: typer.Context, phones: Phones, *, no_backup: NoBackup = False, confirm: Confirm = ""
) -> None:
    """Delete sessions.

    The bot starts a new conversation with the next message. Deleted sessions are kept for a
    day, and 'backup restore' brings them back. A session that changes meanwhile is not deleted.
    """
    from pawsctl.cli.session.views.raw_view import titled
    from pawsctl.safety.backups import delete as operation
    from pawsctl.sessions.edit import touch_delete

    run = invocation(ctx)
    names = phone_keys(phones, run.keyspace, exact=True)
    undo = undo_of(run, "delete", no_backup=no_backup, yes=False)
    with run.store() as store:
        confirm_sessions(run, store, host=confirm, keys=names, typed=phones)
        deleted = operation.delete(store, names, undo=undo, progress=run.output.progress)
        run.count(deleted=sum(each.deleted for each in deleted))
        run.output.rows(deleted, titled(DELETED_COLUMNS, store.keyspace), single=is_single(phones))
        operation.require_unchanged(sum(map(touch_delete.is_left, deleted)))
        touch_delete.require_existed(store, names, deleted)


def result_of(row: Deleted) -> Span:
    """Return what came of one session, in words."""
    from pawsctl.sessions.edit import touch_delete

    if touch_delete.is_left(row):
        return ("changed meanwhile, left", "yellow")
    return ("deleted", "") if row.deleted else ("no session", "red")


DELETED_COLUMNS: tuple[Column[Deleted], ...] = (
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("RESULT", result_of),
)
