"""Commands of users who may do something to some keys only, or not at all: told as it is."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pawsctl.config.redis_url import parse
from pawsctl.connection import connect
from pawsctl.errors import ExitStatus
from pawsctl.safety.backups import replace
from pawsctl.safety.backups.keep import Undo
from pawsctl.sessions.archive import read
from pawsctl.sessions.archive.restore import How
from pawsctl.sessions.store.store import SessionStore
from tests import archives
from tests.cli_runner import Pawsctl
from tests.servers import NewUser, Server

# Scripts compare and change; else transactions; else the keys are read again.
REFUSED = ((), ("-@scripting",), ("-@scripting", "-@transaction"))


@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_key_does_not_hide_what_was_deleted(
    pawsctl: Pawsctl, server: Server, user: NewUser, refused: tuple[str, ...]
) -> None:
    """The refused one may come first or last; with and without a backup."""
    url = user("%R~*", "~wh:session:+1*", "+@all", *refused)
    for words in ((), ("--no-backup",)):
        for phones in (("+10", "+11", "+2"), ("+2", "+10", "+11"), ("+10", "+2", "+11")):
            for phone in phones:
                server.client.set(f"wh:session:{phone}", "{}", ex=500)
            failed = pawsctl("session", "delete", *phones, *words, "--json", "--url", url)
            assert failed.status == ExitStatus.FAILED
            assert server.client.keys("wh:*") == [b"wh:session:+2"]
            error: dict[str, Any] = failed.error
            assert (error["deleted"], error["unknown"]) == (2, 0), (words, phones)
            assert "2 sessions were deleted" in error["message"]
            is_said = "Scripts and transactions are refused" in failed.err
            assert is_said == ("-@transaction" in refused and not words)


@pytest.mark.parametrize("refused", REFUSED[:2])
@pytest.mark.usefixtures("pawsctl")
def test_what_replaces_needs_no_right_to_delete(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    server: Server,
    user: NewUser,
    refused: tuple[str, ...],
) -> None:
    """A newer session of the bot stays; no message speaks of scripts or transactions."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lines = [archives.entry(f"+{number}", "new") for number in (1, 2)]
    path = archives.write(tmp_path / "a.jsonl", lines)
    for number in (1, 2):
        server.client.set(f"wh:session:+{number}", "old", ex=100)

    @contextmanager
    def meanwhile(doing: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda _count: None
        if doing == "keeping":
            server.client.set("wh:session:+2", "newer", ex=100)

    url = user("~*", "+@all", "-del", "-unlink", *refused)
    said: list[str] = []
    undo = Undo("import", 24, lambda _what, _question: None, said.append)
    with (
        SessionStore(connect(parse(url, origin="the test"), notice=said.append)) as store,
        read.opened(str(path)) as archive,
    ):
        done = replace.restore(store, archive, How(replace=True), undo=undo, progress=meanwhile)
    assert not re.search("Scripts|transactions", " ".join(said))
    assert (done.imported, done.changed) == (1, 1)
    assert server.client.mget("wh:session:+1", "wh:session:+2") == [b"new", b"newer"]


@pytest.mark.usefixtures("pawsctl")
def test_a_session_that_changed_is_left_by_a_user_who_may_not_discard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server, user: NewUser
) -> None:
    """Commands after a refused DISCARD are not queued behind the transaction."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = archives.write(tmp_path / "a.jsonl", [archives.entry("+2", "new")])
    server.client.set("wh:session:+2", "old", ex=100)

    @contextmanager
    def meanwhile(doing: str, _total: int | None) -> Iterator[Callable[[int], None]]:
        yield lambda _count: None
        if doing == "keeping":
            server.client.set("wh:session:+2", "newer", ex=100)

    url = user("~*", "+@all", "-@scripting", "-discard")
    undo = Undo("import", 24, lambda _what, _question: None, lambda _said: None)
    with (
        SessionStore(connect(parse(url, origin="the test"))) as store,
        read.opened(str(path)) as archive,
    ):
        done = replace.restore(store, archive, How(replace=True), undo=undo, progress=meanwhile)
        assert store.connection.call("GET", "wh:session:+2") == b"newer"
    assert (done.imported, done.changed) == (0, 1)


def test_what_was_tried_on_a_key_of_nobody_leaves_no_doubt(
    pawsctl: Pawsctl, server: Server
) -> None:
    """Redis takes no writes for a while, so that not even the first try is answered."""
    server.client.set("wh:session:+1", "{}", ex=500)
    server.client.client_pause(600_000, all=False)
    try:
        for words in (("--yes",), ("--yes", "--no-backup"), ("--dry-run",)):
            failed = pawsctl("session", "flush", *words, "--timeout", "1")
            assert failed.status == ExitStatus.UNREACHABLE
            assert "did not answer in time" in failed.err
            assert "No one knows" not in failed.err
    finally:
        server.client.client_unpause()
    assert server.client.exists("wh:session:+1")
