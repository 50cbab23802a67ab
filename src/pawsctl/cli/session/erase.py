"""`pawsctl session erase`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli import lookups
from pawsctl.cli.arguments import Confirm, Yes, require_new
from pawsctl.cli.confirm.guard import confirm_sessions
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.output.table import Line
from pawsctl.cli.session.group import app
from pawsctl.plurals import plural

if TYPE_CHECKING:
    from pawsctl.config.target import Target
    from pawsctl.safety.erasure.erase import Erased, Erasure


@app.command(cls=Command)
def erase(
    ctx: typer.Context,
    phone: Annotated[
        str,
        typer.Argument(metavar="PHONE", autocompletion=lookups.phones, help="Phone or key."),
    ],
    *,
    receipt: Annotated[
        Path | None,
        typer.Option("--receipt", metavar="FILE", help="Write a receipt, in JSON, to a new file."),
    ] = None,
    yes: Yes = False,
    confirm: Confirm = "",
) -> None:
    """Erase what is stored of one person, and say what can't be reached.

    Deletes the session, the bot's temporary pictures of that phone, and the session in backups and
    other copies that pawsctl keeps on this machine. Looks again afterwards.
    """
    from pawsctl.safety.erasure import elsewhere
    from pawsctl.safety.erasure import erase as operation

    run = invocation(ctx)
    require_new(receipt)
    with run.store() as store:
        key = run.keyspace.key(phone, exact=True)
        store.require_strings([key])
        erasure = operation.Erasure(store, key)
        if not erasure.found.is_nothing:
            confirm_sessions(
                run,
                store,
                erasure_plan(store.connection.target, erasure),
                host=confirm,
                yes=yes,
                question="Erase it for good?",
                keys=[key],
                typed=[phone],
                more=list(elsewhere.evidence_of(erasure.elsewhere, run.profiles)),
            )
        written = erasure.erase()
        run.count(erased=sum(each.erased for each in written.looked_at))
        run.output.show(
            erasure.result(written, receipt),
            lambda result: erased_view(result, "id" if run.keyspace.is_raw else "phone"),
        )
        if erasure.otherwise and not erasure.found.is_nothing:
            others = ", ".join(erasure.otherwise)
            run.output.warn(f"The same number has a session as {others}: erase that by its name.")
        erasure.require_complete(written)


def erasure_plan(target: Target, erasure: Erasure) -> Iterator[Line]:
    """Render what would be erased, and where."""
    there, copies = erasure.found.stored, erasure.found.copies
    yield [("in ", ""), (target.url, "bold"), (f" (from {target.origin}):", "")]
    yield [
        (f"  {'the session' if there.session else 'no session'} of ", ""),
        (erasure.shown_name, "cyan"),
    ]
    if erasure.may_have_pictures:
        yield [(f"  {plural(len(there.pictures), 'temporary picture')}", "")]
    yield [("on this machine:", "")]
    lines, files = plural(copies.lines, "line"), plural(len(copies.archives), "archive")
    yield [(f"  {lines} in {files}, {plural(len(copies.edits), 'kept edit')}", "")]
    for url in erasure.elsewhere:
        yield [(f"  among them, {plural(copies.lines_of(url), 'line')} from ", ""), (url, "bold")]
    for clause in erasure.unseen(erasure.found):
        yield [(f"  ! not looked at: {clause}", "yellow")]


def erased_view(result: Erased, name: str) -> Iterator[Line]:
    """Render what was erased, what is left, and what can't be reached.

    `name` is the word for what the session was named by.
    """
    receipt = result.receipt
    for each in receipt.looked_at:
        left = f", {each.left} there now" if each.left else ""
        style = "yellow" if each.left else ""
        counts = f"{each.found} found, {each.erased} erased{left}"
        yield [(f"{each.place}: ", "bold"), (counts, style)]
    for lines in receipt.elsewhere:
        yield [(f"  from {lines.url}: {lines.found} found, {lines.erased} erased", "")]
    for clause in receipt.not_erased:
        yield [(f"! not erased: {clause}", "yellow")]
    for clause in receipt.not_looked_at:
        yield [(f"! not looked at: {clause}", "yellow")]
    yield [("Not reached:", "bold")]
    for clause in receipt.not_reached:
        yield [(f"  - {clause}", "")]
    yield [(f"Hash of the {name}: {receipt.phone_hash}", "dim")]
    if result.file:
        yield [(f"Receipt: {result.file}", "")]
