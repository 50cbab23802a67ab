"""`pawsctl session delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pawsctl.cli.arguments import Confirm, Phones, is_single, phone_keys
from pawsctl.cli.confirm import confirm_on
from pawsctl.cli.global_options import ListCommand, invocation
from pawsctl.cli.output.table import Column
from pawsctl.cli.session.group import app

if TYPE_CHECKING:
    from pawsctl.sessions.edit.touch_delete import Deleted


@app.command(cls=ListCommand)
def delete(ctx: typer.Context, phones: Phones, *, confirm: Confirm = "") -> None:
    """Delete sessions.

    The bot starts a new conversation with the next message.
    """
    from pawsctl.cli.session.raw_view import titled
    from pawsctl.sessions.edit import touch_delete

    run = invocation(ctx)
    names = phone_keys(phones, run.keyspace, exact=True)
    with run.store() as store:
        confirm_on(run, store.connection, host=confirm)
        deleted = touch_delete.delete(store, names)
        run.output.rows(deleted, titled(DELETED_COLUMNS, store.keyspace), single=is_single(phones))
        touch_delete.require_existed(store, names, deleted)


DELETED_COLUMNS: tuple[Column[Deleted], ...] = (
    Column("PHONE", lambda row: (row.phone, "cyan")),
    Column("RESULT", lambda row: ("deleted", "") if row.deleted else ("no session", "red")),
)
