"""`redis reset` exports the sessions before it deletes them."""

import shlex
import stat
import time
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.cli_runner import Result
from tests.stack_fixtures import Stack


def backups(stack: Stack) -> list[Path]:
    """Return the exports in the state directory, the oldest first."""
    return sorted((stack.folder / "state").rglob("sessions-*.jsonl.gz"))


def store(stack: Stack, *phones: str, db: int = 0) -> None:
    """Store sessions with an hour to live."""
    with stack.client() as client:
        client.select(db)
        for phone in phones:
            client.set(f"wh:session:{phone}", f"value of {phone}", ex=3_600)


def put_back(stack: Stack, told: str) -> Result:
    """Run the last command that a reset prints for restoring its export."""
    (*_, line) = (each for each in told.splitlines() if "puts them back" in each)
    name, *arguments = shlex.split(line.partition(": ")[2])
    assert name == "pawsctl"
    return stack(*arguments)


def test_a_reset_keeps_the_sessions_and_says_where(stack: Stack) -> None:
    """import restores them; other keys are gone."""
    stack("redis", "up")
    store(stack, "+1", "+2")
    with stack.client() as client:
        client.set("wh:seen:abc", "1", ex=60)
        client.select(3)
        client.hset("sess:of another application", "a", "1")

    done = stack("redis", "reset", "--yes")

    assert done.status == ExitStatus.OK, done.err
    (file,) = backups(stack)
    assert str(file) not in done.text
    assert f"Exported 2 sessions to {file}" in done.err
    assert "Not exported, and deleted with the rest: 2 keys of other names." in done.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert put_back(stack, done.err).status == ExitStatus.OK
    with stack.client() as client:
        assert set(client.keys()) == {b"wh:session:+1", b"wh:session:+2"}
        assert client.get("wh:session:+1") == b"value of +1"
        assert 3_500 < client.ttl("wh:session:+1") <= 3_600


def test_the_question_says_what_becomes_of_the_sessions(embedded_stack: Stack) -> None:
    """Nothing is written before the answer."""
    stack = embedded_stack
    stack("redis", "up")
    store(stack, "+1")

    asked = stack("redis", "reset")
    asked_without = stack("redis", "reset", "--no-backup")

    assert asked.status == asked_without.status == ExitStatus.NOT_CONFIRMED
    assert "Its sessions are exported first, and nothing else is." in asked.err
    assert "Nothing keeps a copy." in asked_without.err
    assert backups(stack) == []


def test_sessions_of_another_database_are_kept(embedded_stack: Stack) -> None:
    """The bot may have REDIS_URL=redis://localhost:6379/3; the file's name has the database."""
    stack = embedded_stack
    stack("redis", "up")
    store(stack, "+3", db=3)

    done = stack("redis", "reset", "--yes", "--json")

    (file,) = backups(stack)
    assert file.name.endswith("-db3.jsonl.gz")
    assert done.json["backup"] == str(file)
    assert stack("session", "import", "-n", "3", str(file)).status == ExitStatus.OK
    with stack.client() as client:
        client.select(3)
        assert client.get("wh:session:+3") == b"value of +3"


def test_several_databases_are_kept_in_one_folder(embedded_stack: Stack) -> None:
    """One file each, all or none; a database without sessions has none."""
    stack = embedded_stack
    stack("redis", "up")
    store(stack, "+0")
    store(stack, "+12", db=12)
    with stack.client() as client:
        client.select(5)
        client.set("another", "application")

    done = stack("redis", "reset", "--yes", "--json")

    assert done.status == ExitStatus.OK, done.err
    folder = Path(done.json["backup"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = ["sessions-db0.jsonl.gz", "sessions-db12.jsonl.gz"]
    assert [each.name for each in backups(stack)] == names
    assert "Exported 1 session to " + str(folder / names[1]) in done.err
    assert put_back(stack, done.err).status == ExitStatus.OK
    with stack.client() as client:
        client.select(12)
        assert client.get("wh:session:+12") == b"value of +12"


def test_what_is_no_session_is_told_before_it_is_deleted(embedded_stack: Stack) -> None:
    """A key of another type below the prefix is in no export."""
    stack = embedded_stack
    stack("redis", "up")
    with stack.client() as client:
        client.hset("wh:session:+1", "status", "active")

    done = stack("redis", "reset", "--yes", "--json")

    assert done.status == ExitStatus.OK, done.err
    assert "Not exported, since it is no session: 1 key of type hash under wh:session:" in done.err
    assert done.json["backup"] is None


def test_no_backup_keeps_nothing(embedded_stack: Stack) -> None:
    """--no-backup writes no export."""
    stack = embedded_stack
    stack("redis", "up")
    store(stack, "+1")

    done = stack("redis", "reset", "--yes", "--no-backup", "--json")

    assert done.status == ExitStatus.OK
    assert done.json["backup"] is None
    assert backups(stack) == []


def test_the_last_five_are_kept(embedded_stack: Stack) -> None:
    """A reset of an empty Redis exports nothing, so it deletes no older export."""
    stack = embedded_stack
    stack("redis", "up")
    made = []
    for number in range(6):
        store(stack, f"+{number}")
        made.append(Path(stack("redis", "reset", "--yes", "--json").json["backup"]))

    empty = stack("redis", "reset", "--yes", "--json")

    assert empty.json["backup"] is None
    assert backups(stack) == made[1:]
    store(stack, "+7")
    store(stack, "+8", db=8)
    folder = Path(stack("redis", "reset", "--yes", "--json").json["backup"])
    store(stack, "+9")
    stack("redis", "reset", "--yes")
    kept = sorted(folder.parent.iterdir())
    assert (kept[0], kept[3]) == (made[3], folder)


def test_killed_resets_push_no_good_backup_out(embedded_stack: Stack) -> None:
    """Whenever they are killed, all files named as backups are whole, and nothing else is left."""
    stack = embedded_stack
    stack("redis", "up")
    store(stack, "+good")
    good = Path(stack("redis", "reset", "--yes", "--json").json["backup"])
    assert stack("session", "seed", "20000").status == ExitStatus.OK
    killed = 0
    for _ in range(6):
        process = stack.start("redis", "reset", "--yes")
        deadline = time.monotonic() + 60
        while process.poll() is None and not any(good.parent.glob(".unfinished-*/.*.part")):
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.kill()
        killed += process.wait() < 0
        process.communicate()
    assert killed
    assert backups(stack) == [good]
    # As an earlier version left them.
    old = good.parent / "sessions-20991231T000000000000Z"
    old.mkdir()
    (old / ".sessions-db0.jsonl.gz.abcdefgh.part").write_text("a conversation")

    done = stack("redis", "reset", "--yes", "--json")

    assert done.status == ExitStatus.OK, done.err
    assert sorted(good.parent.iterdir()) == [good, Path(done.json["backup"])]


def test_what_was_just_made_stays_whatever_the_clock_says(embedded_stack: Stack) -> None:
    """A clock set back gives names before those of older exports."""
    stack = embedded_stack
    stack("redis", "up")
    store(stack, "+1")
    first = Path(stack("redis", "reset", "--yes", "--json").json["backup"])
    later = [first.with_name(f"sessions-2099123{n}T000000000000Z-db0.jsonl.gz") for n in range(5)]
    for each in later:
        each.write_bytes(first.read_bytes())
    store(stack, "+2")

    newest = Path(stack("redis", "reset", "--yes", "--json").json["backup"])

    assert backups(stack) == [newest, *later[1:]]


def test_a_redis_that_does_not_run_is_not_reset_without_saying_so(stack: Stack) -> None:
    """Sessions that could not be exported are deleted only with --no-backup."""
    stack("redis", "up")
    store(stack, "+1")
    stack("redis", "stop")

    refused = stack("redis", "reset", "--yes", "--json")

    assert refused.status == ExitStatus.FAILED
    assert refused.out == b""
    assert "--no-backup" in refused.error["hint"]
    assert stack("redis", "start").status == ExitStatus.OK
    with stack.client() as client:
        assert client.get("wh:session:+1") == b"value of +1"
    stack("redis", "stop")
    assert stack("redis", "reset", "--yes", "--no-backup").status == ExitStatus.OK
    with stack.client() as client:
        assert client.dbsize() == 0


def test_a_redis_that_refuses_the_login_is_not_reset(embedded_stack: Stack) -> None:
    """Somebody else changed the password: exit 5, and the data is still there."""
    stack = embedded_stack
    stack("redis", "up")
    store(stack, "+1")
    with stack.client() as client:
        client.config_set("requirepass", "changed")

    refused = stack("redis", "reset", "--yes", "--json")

    assert refused.status == ExitStatus.UNREACHABLE
    assert refused.error["code"] == "login-refused"
    assert "--no-backup" in refused.error["hint"]
    assert backups(stack) == []
    with stack.client("changed") as client:
        assert client.get("wh:session:+1") == b"value of +1"


@pytest.mark.parametrize("command", [["reset", "--yes"], ["reset", "--yes", "--no-backup"]])
def test_where_nothing_was_there_is_nothing_to_export(
    bare_stack: Stack, command: list[str]
) -> None:
    """A reset is then the same as `up`."""
    try:
        done = bare_stack("redis", *command, "--json")
        assert done.status == ExitStatus.OK, done.err
        assert done.json["backup"] is None
    finally:
        bare_stack("redis", "down", "--volumes", "--yes")
