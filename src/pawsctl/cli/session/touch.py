"""`pawsctl session touch`."""

import typer

from pawsctl.cli.arguments import Confirm, Phones, is_single, phone_keys
from pawsctl.cli.confirm.guard import confirm_sessions
from pawsctl.cli.confirm.prefix import confirm_ttl
from pawsctl.cli.global_options import ListCommand, invocation
from pawsctl.cli.session.group import app


@app.command(cls=ListCommand)
def touch(ctx: typer.Context, phones: Phones, *, confirm: Confirm = "") -> None:
    """Extend sessions to six hours from now, or to SESSION_TTL.

    The bot does the same with each message.
    """
    from pawsctl.cli.session.views import expiry_view
    from pawsctl.sessions.edit import touch_delete
    from pawsctl.sessions.query import find

    run = invocation(ctx)
    run.keyspace.require_ttl("'session touch'")
    settings = run.session_settings
    names = phone_keys(phones, run.keyspace, exact=True)
    with run.store() as store:
        is_doubtful = settings.is_bots_ttl or (settings.found_ttl and not confirm)
        if is_doubtful and touch_delete.shortens(store, names):
            settings.require_own_ttl()
            confirm_ttl(run.output, store.connection, settings)
        if confirm or len(set(names)) > 1:
            confirm_sessions(run, store, host=confirm, keys=names, typed=phones)
        run.record(store.connection.target, names)
        touched = touch_delete.touch(store, names)
        run.count(touched=len({each.key for each in touched if each.ttl is not None}))
        columns = expiry_view.ttl_columns(store.keyspace)
        run.output.rows(touched, columns, single=is_single(phones))
        find.require_all(store, names, touched)
