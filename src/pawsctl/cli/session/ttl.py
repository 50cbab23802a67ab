"""`pawsctl session ttl`."""

from functools import partial
from typing import Annotated

import typer

from pawsctl.cli.arguments import OptionalPhones, is_single, phone_keys
from pawsctl.cli.global_options import ListCommand, invocation
from pawsctl.cli.session.group import app


@app.command(cls=ListCommand)
def ttl(
    ctx: typer.Context,
    phones: OptionalPhones = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Exit with 1 if a session never expires or has more than SESSION_TTL left.",
        ),
    ] = False,
) -> None:
    """Show how many seconds sessions have left.

    Without PHONE, shows how expiry is spread over all sessions.
    """
    from pawsctl.cli.session.views import expiry_view, raw_view
    from pawsctl.sessions.query import absent, find
    from pawsctl.sessions.stats import expiry

    run = invocation(ctx)
    with run.reader(partial=True) as store:
        if phones:
            names = phone_keys(phones, run.keyspace)
            found = find.times_left(store, names)
            columns = expiry_view.ttl_columns(store.keyspace)
            run.output.rows(found, columns, single=is_single(phones))
            find.require_all(store, names, found)
            overview = expiry.expiry_of(found, store.keyspace.ttl)
        else:
            overview = expiry.expiry(store)
            run.output.show(overview, partial(expiry_view.expiry, room=run.output.room))
            if others := raw_view.left_out(store.left_out_texts()):
                run.output.note(others)
            run.output.advise(lambda: "" if overview.sessions else absent.nothing(store))
        if overview.too_long:
            run.output.advise(lambda: run.session_settings.doubt_on_ttl)
        if check:
            expiry.require_sound(overview, store.keyspace)
