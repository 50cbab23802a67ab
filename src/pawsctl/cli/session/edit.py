"""`pawsctl session edit`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pawsctl.cli import lookups
from pawsctl.cli.arguments import Confirm, NoBackup
from pawsctl.cli.confirm.guard import confirm_sessions
from pawsctl.cli.confirm.undo import undo_of
from pawsctl.cli.global_options import Command, invocation
from pawsctl.cli.session.group import app
from pawsctl.errors import NotConfirmed

if TYPE_CHECKING:
    from pawsctl.cli.output.stderr import Talk
    from pawsctl.cli.output.table import Line
    from pawsctl.sessions.edit.edit_session import BreaksRule, Edited


@app.command(cls=Command)
def edit(
    ctx: typer.Context,
    phone: Annotated[
        str,
        typer.Argument(metavar="PHONE", autocompletion=lookups.phones, help="Phone or key."),
    ],
    *,
    no_backup: NoBackup = False,
    confirm: Confirm = "",
) -> None:
    """Change a session in your editor, as JSON.

    The editor is $VISUAL or $EDITOR. An edit that breaks a rule of 'session lint' is not
    written, unless the session broke that rule before. The TTL stays. If the session changes
    meanwhile, it is left as it is, and both versions are kept. The old version is kept for a
    day, and 'backup restore' brings it back.
    """
    from pawsctl.files import editor, state_dir
    from pawsctl.safety import masking
    from pawsctl.safety.backups.keep import keep_keys
    from pawsctl.safety.erasure import copies
    from pawsctl.sessions.edit import edit_session as operation

    run = invocation(ctx)
    run.keyspace.require_bots("'session edit'")
    masking.require_none(
        run.settings, "An editor shows the session as it is stored", "Edit it without --mask."
    )
    undo = undo_of(run, "edit", no_backup=no_backup, yes=False)
    words = editor.program(os.environ)
    folder = state_dir.path_of(copies.EDITS)
    with run.store() as store:
        key = run.keyspace.key(phone, exact=True)
        found = operation.Edit(store, key)
        confirm_sessions(run, store, host=confirm, keys=[key], typed=[phone])
        with editor.drafted(folder, f"{operation.file_name(found.phone)}.json", words) as draft:
            edited = operation.edited(
                found,
                draft,
                folder,
                again=lambda error: _again(run.output, error),
                keep=lambda: keep_keys(store, [key], undo, run.output.progress),
            )
    run.count(edited=int(edited.state == "edited"))
    run.output.show(edited, edited_view)


def _again(output: Talk, error: BreaksRule) -> bool:
    """Tell a person at a terminal what is wrong; return whether to edit again."""
    if not sys.stdin.isatty():
        return False
    output.warn(error.message)
    try:
        output.confirm("Edit it again?", yes=False)
    except NotConfirmed:
        return False
    return True


def edited_view(result: Edited) -> Iterator[Line]:
    """Render what became of an edited session, and what lint finds in it."""
    sizes = f": {result.bytes_before} → {result.bytes} bytes" if result.state == "edited" else ""
    yield [(result.phone or result.key, "cyan"), (f"  {result.state}{sizes}", "")]
    for problem in result.problems:
        yield [(f"  ! {problem}", "yellow")]
