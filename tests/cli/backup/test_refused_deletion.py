"""A deletion by a user who may delete only some of the keys: its words and its exit status."""

from typing import Any

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.conftest import SAMPLES
from tests.servers import NewUser, Server, store_session

VALUE = (SAMPLES / "greeting.json").read_bytes()

# Keys of nobody, which are tried beforehand, may be deleted.
NOBODYS = "~wh:session:+0*"


def _fill(server: Server, *phones: str) -> None:
    for phone in phones:
        store_session(server, phone, VALUE)


def _left(server: Server) -> set[str]:
    found: list[Any] = server.client.keys("wh:*")
    return {key.decode().removeprefix("wh:session:") for key in found}


@pytest.mark.parametrize("scripts", [(), ("-@scripting",), ("-@scripting", "-@transaction")])
@pytest.mark.parametrize("refused", [["+2"], ["+2", "+3"]])
def test_a_flush_tells_what_it_may_not_delete_alike_with_and_without_a_backup(
    pawsctl: Pawsctl, server: Server, user: NewUser, refused: list[str], scripts: tuple[str, ...]
) -> None:
    """All others are deleted; by a glob as by a filter that reads values."""
    url = user("%R~*", NOBODYS, "~wh:session:+1*", "+@all", *scripts)
    for words in ((), ("--no-backup",)):
        for chosen in ((), ("--status", "active")):
            _fill(server, "+10", "+11", *refused)
            failed = pawsctl("session", "flush", "--yes", *chosen, *words, "--json", "--url", url)
            assert failed.status == ExitStatus.FAILED, (words, chosen)
            assert _left(server) == set(refused), (words, chosen)
            keys = "1 key" if len(refused) == 1 else f"{len(refused)} keys"
            error: dict[str, Any] = failed.error
            assert error["message"] == (
                f"This user may not delete {keys}. Before that, 2 keys were deleted."
            )
            assert error["deleted"] == 2
            assert "--no-backup" not in error["hint"]


def test_a_flush_tells_what_it_may_not_read_beside_what_it_may_not_delete(
    pawsctl: Pawsctl, server: Server, user: NewUser
) -> None:
    """Both are left."""
    url = user(NOBODYS, "~wh:session:+1*", "%R~wh:session:+2*", "+@all")
    _fill(server, "+1", "+2", "+3")
    failed = pawsctl("session", "flush", "--yes", "--json", "--url", url)
    assert failed.status == ExitStatus.FAILED
    assert "may not read 1 key" in failed.error["message"]
    assert "may not delete 1 key" in failed.error["message"]
    assert _left(server) == {"+2", "+3"}


def test_seen_marks_are_deleted_although_a_session_is_refused(
    pawsctl: Pawsctl, server: Server, user: NewUser
) -> None:
    """They come after the sessions."""
    url = user("%R~*", NOBODYS, "~wh:seen:*", "+@all")
    _fill(server, "+1")
    server.client.set("wh:seen:a", "1", ex=600)
    words = ("session", "flush", "--yes", "--include-seen", "--no-backup", "--json")
    failed = pawsctl(*words, "--url", url)
    assert failed.status == ExitStatus.FAILED
    error: dict[str, Any] = failed.error
    assert error["deleted"] == 1
    assert _left(server) == {"+1"}


def test_a_flush_with_seen_marks_is_not_sent_to_match(
    pawsctl: Pawsctl, server: Server, user: NewUser
) -> None:
    """--match and --include-seen exclude each other; what is said to help is tried."""
    url = user("%R~*", "~wh:session:*", "~wh:seen:a", "+@all")
    _fill(server, "+1")
    for name in "ab":
        server.client.set(f"wh:seen:{name}", "1", ex=600)
    words = ("session", "flush", "--yes", "--json", "--url", url)
    failed = pawsctl(*words, "--include-seen")
    assert failed.status == ExitStatus.FAILED
    assert "This user may not delete 1 of the 2 keys." in failed.error["message"]
    assert "--match" not in failed.error["hint"]
    assert "Leave out --include-seen" in failed.error["hint"]
    assert pawsctl(*words).status == ExitStatus.OK
    server.client.set("wh:session:+1", VALUE, ex=600)
    failed = pawsctl(*words, "--include-seen", "--url", user("%R~*", "~wh:seen:*", "+@all"))
    assert failed.status == ExitStatus.FAILED
    assert "--include-seen" not in failed.error["hint"]


@pytest.mark.parametrize(
    ("rights", "helps"),
    [
        (("~*", "+@all", "-scan"), False),
        (("~*", "+@all", "-get", "-mget"), True),
        (("~*", "+@all", "-ttl", "-pttl"), True),
        ((NOBODYS, "~wh:session:+1*", "+@all"), False),
        ((NOBODYS, "%W~wh:session:*", "+@all"), True),
    ],
)
def test_a_flush_offers_no_backup_only_if_that_helps(
    pawsctl: Pawsctl, server: Server, user: NewUser, rights: tuple[str, ...], *, helps: bool
) -> None:
    """It is tried what is offered."""
    url = user(*rights)
    _fill(server, "+1", "+2")
    failed = pawsctl("session", "flush", "--yes", "--json", "--url", url)
    assert failed.status in (ExitStatus.FAILED, ExitStatus.PARTIAL)
    assert ("--no-backup" in failed.error["hint"]) == helps, failed.err
    tried = pawsctl("session", "flush", "--yes", "--no-backup", "--json", "--url", url)
    assert (tried.status == ExitStatus.OK) == helps, tried.err
    assert (not _left(server)) == helps


@pytest.mark.parametrize(
    ("rights", "helps"),
    [
        (("~wh:session:+1*", "+@all"), False),
        (("%W~wh:session:*", "+@all"), True),
        (("~*", "+@all", "-get"), True),
        (("~*", "+@all", "-get", "-del"), False),
    ],
)
def test_a_delete_offers_no_backup_only_if_that_helps(
    pawsctl: Pawsctl, server: Server, user: NewUser, rights: tuple[str, ...], *, helps: bool
) -> None:
    """It is tried what is offered."""
    url = user(*rights)
    _fill(server, "+2")
    failed = pawsctl("session", "delete", "+2", "--json", "--url", url)
    assert failed.status == ExitStatus.FAILED
    assert ("--no-backup" in failed.error["hint"]) == helps, failed.err
    tried = pawsctl("session", "delete", "+2", "--no-backup", "--json", "--url", url)
    assert (tried.status == ExitStatus.OK) == helps, tried.err


@pytest.mark.parametrize(
    ("match", "keys"),
    [
        ("+5989[01]*", ("~wh:session:+59890*", "~wh:session:+59891*")),
        ("+5989*", ("~wh:session:+5989??",)),
        ("+598901", ("~wh:session:+598901", "~wh:session:+598911")),
        ("*1", ("~wh:session:*1",)),
    ],
)
def test_a_flush_of_keys_that_may_all_be_deleted_is_not_refused(
    pawsctl: Pawsctl, server: Server, user: NewUser, match: str, keys: tuple[str, ...]
) -> None:
    """Keys of nobody would be refused; the dry run deletes nothing."""
    phones = ("+598901", "+598911")
    meant = set(phones[:1] if match == phones[0] else phones)
    for rights, words in (
        ((), ()),
        (("-@scripting",), ()),
        (("-discard",), ()),
        ((), ("--no-backup",)),
    ):
        url = user(*keys, "+@all", *rights)
        _fill(server, *phones, "+2")
        flush = ("session", "flush", "--match", match, "--json", "--url", url)
        planned = pawsctl(*flush, "--dry-run")
        assert planned.status == ExitStatus.OK, planned.err
        assert planned.json["sessions"] == len(meant)
        assert _left(server) == {*phones, "+2"}
        done = pawsctl(*flush, "--yes", *words)
        assert done.status == ExitStatus.OK, done.err
        assert done.json["deleted"] == len(meant)
        assert _left(server) == {*phones, "+2"} - meant


@pytest.mark.parametrize(
    ("match", "keys"),
    [
        ("+5989[01]*", ("~wh:session:+59890*", "~wh:session:+59891*")),
        ("*1", ("~wh:session:*1",)),
    ],
)
def test_a_key_of_nobody_that_is_tried_matches_what_is_to_be_deleted(
    pawsctl: Pawsctl, server: Server, user: NewUser, match: str, keys: tuple[str, ...]
) -> None:
    """So that a user without transactions is not refused."""
    url = user(*keys, "+@all", "-@transaction")
    _fill(server, "+598901", "+598911")
    done = pawsctl("session", "flush", "--match", match, "--yes", "--json", "--url", url)
    assert done.status == ExitStatus.OK, done.err
    assert not _left(server)


def test_a_flush_of_keys_some_of_which_may_not_be_deleted_begins_nothing(
    pawsctl: Pawsctl, server: Server, user: NewUser
) -> None:
    """It says how many of them, and that --match names the others, which is tried."""
    url = user("%R~*", "~wh:session:+1*", "+@all")
    _fill(server, "+1", "+2", "+3")
    for words in (("--dry-run",), ("--yes",), ("--yes", "--no-backup")):
        failed = pawsctl("session", "flush", *words, "--json", "--url", url)
        assert failed.status == ExitStatus.FAILED
        assert "This user may not delete 2 of the 3 keys." in failed.error["message"]
        assert "--match" in failed.error["hint"]
        assert _left(server) == {"+1", "+2", "+3"}
    done = pawsctl("session", "flush", "--match", "+1*", "--yes", "--json", "--url", url)
    assert (done.status, _left(server)) == (ExitStatus.OK, {"+2", "+3"})
    failed = pawsctl("session", "flush", "--yes", "--json", "--url", url)
    assert "This user may not delete 2 keys." in failed.error["message"]
    assert "--match" not in failed.error["hint"]
