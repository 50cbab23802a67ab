"""Every command against a server that answers one Redis command with a reply of another type.

No traceback, no endless loop, and success only with the output that a normal server would give.
"""

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawsctl.cli.app import run
from pawsctl.errors import ExitStatus
from tests import lying
from tests.forking import preloaded
from tests.lying import KEY, Answer, array, bulk, honest

PHONE = KEY.decode().removeprefix("wh:session:")
NESTED = b"*1\r\n" * 6 + b":1\r\n"

# Replies that are useless to a command whose replies are of this kind.
WRONG: dict[str, list[bytes]] = {
    "integer": [b"+OK\r\n", bulk(b"1"), bulk(b""), b"$-1\r\n", b"*-1\r\n", array(), b":-7\r\n",
                array(b":1\r\n"), NESTED, b"#t\r\n", b",1.5\r\n", b"%1\r\n:1\r\n:2\r\n"],
    "text": [b":1\r\n", b"$-1\r\n", array(), array(bulk(b"x")), NESTED, b",1.5\r\n", b"_\r\n"],
    "value": [b":1\r\n", array(), array(bulk(b"x")), NESTED, b"#f\r\n", b"%1\r\n:1\r\n:2\r\n"],
    "list": [b":1\r\n", b"+OK\r\n", bulk(b"x"), b"$-1\r\n", array(), NESTED,
             array(b":-9\r\n"), array(b"#t\r\n"), array(array()), array(bulk(b"x"), bulk(b"y")),
             array(b"-ERR x\r\n")],
    "pair": [b":1\r\n", b"+OK\r\n", bulk(b"x"), b"$-1\r\n", array(), array(b":1\r\n"), NESTED,
             array(bulk(b"0")), array(bulk(b"x"), array()), array(b":0\r\n", b":0\r\n"),
             array(bulk(b"0"), array(b":5\r\n")), array(bulk(b"0"), array(b"$-1\r\n")),
             array(bulk(b"0"), array(), bulk(b"0"), array()), array(b"-ERR x\r\n", array())],
}  # fmt: skip
# fmt: off
NO_REPLY = [b"garbage\r\n", b"$99999999999999999999\r\n", b":x\r\n", b"*1\r\n", b"-MOVED x\r\n",
            b"-MOVED 1 2 3\r\n", b"-\xff\xfe\r\n", b"-\r\n", b"*-5\r\n", b"$-9\r\n", None]
# fmt: on
KINDS = {
    "list": b"EVAL MGET",
    "pair": b"SCAN TIME",
    "integer": b"DBSIZE DEL EXISTS EXPIRE MEMORY PTTL STRLEN UNLINK",
    "value": b"GET",
    "text": b"INFO PING SETEX SET TYPE",
}
KIND = {name: kind for kind, names in KINDS.items() for name in names.split()}

COMMANDS = [
    "session list --json",
    "session list --json --sort updated_at --status active",
    f"session get {PHONE} --json",
    f"session ttl {PHONE} --json",
    "session ttl --json",
    f"session touch {PHONE} --json",
    f"session delete {PHONE} --json",
    "session flush --yes --json",
    "session flush --dry-run --json",
    "session flush --status active --yes --json",
    "session export - --json",
    "session stats --json",
    "session lint --json",
    "redis memory --json",
    "health --json",
    "test-session --json",
]
# Redis commands that are optional, or have a replacement: the result may lack something.
OPTIONAL = {
    "session stats --json": {b"INFO", b"MEMORY"},
    "redis memory --json": {b"INFO", b"MEMORY", b"SCAN"},
    # A hang-up there is that of a proxy, which its detail tells.
    "health --json": {b"SCAN"},
}


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    preloaded.load()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("REDIS_URL", raising=False)


class _Asked:
    """Answers normally except to one command; records all commands."""

    def __init__(self, name: bytes = b"", reply: Answer = b"") -> None:
        self.names: set[bytes] = set()
        self._name, self._reply = name, reply

    def __call__(self, command: list[bytes]) -> Answer:
        name = command[0].upper()
        self.names.add(name)
        return self._reply if name == self._name else honest(command)


def _called(command: str, asked: _Asked) -> int:
    with lying.answering(asked) as url:
        return run([*command.split(), "--url", url, "--timeout", "0.3", "--connect-timeout", "1"])


def _bent(names: set[bytes]) -> Iterator[tuple[bytes, Answer]]:
    for name in sorted(names):
        for reply in (*WRONG.get(KIND.get(name, ""), ()), *NO_REPLY):
            yield name, reply


def _lasting(out: bytes) -> bytes:
    """Return the output without the parts that differ between two normal runs."""
    return _PASSING.sub(b"", out)


_PASSING = re.compile(
    rb"""127.0.0.1:\d+|"(exported_at|expires_at|checksum|seconds|backup)":("[^"]*"|[^,}]*)|"age":{[^}]*}"""
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reply_of_another_type_is_no_success(
    command: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """It is an error message, whichever reply is wrong."""
    asked = _Asked()
    status = _called(command, asked)
    expected, said = capsysbinary.readouterr()
    # This server stores nothing, so the flow can't succeed.
    stores = command.startswith("test-session")
    assert (status == ExitStatus.OK) != stores, said
    assert asked.names
    for name, reply in _bent(asked.names - {b"CLIENT", b"HELLO"}):
        # Else each flush would look through the backups of all before it.
        shutil.rmtree(tmp_path / "pawsctl" / "undo.archives", ignore_errors=True)
        begun = time.monotonic()
        status = _called(command, _Asked(name, reply))
        taken = time.monotonic() - begun
        out, err = capsysbinary.readouterr()
        how = f"{name!r} answered with {reply!r}: exit {status}, {out!r}, {err!r}"
        assert taken < 10, how
        assert b"Traceback" not in err, how
        if status == ExitStatus.OK:
            left_out = name in OPTIONAL.get(command, set())
            assert _lasting(out) == _lasting(expected) or left_out, how
        elif err.strip():
            assert json.loads(err.splitlines()[-1])["error"]["message"], how


def test_the_refusal_names_the_command_and_the_reply(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    """So the user can see what is at fault."""
    status = _called(f"session touch {PHONE} --json", _Asked(b"EXPIRE", b"+OK\r\n"))
    message = json.loads(capsysbinary.readouterr().err)["error"]["message"]
    assert status == ExitStatus.FAILED
    assert "EXPIRE" in message
    assert "b'OK'" in message


@pytest.mark.parametrize("cursor", [b":0\r\n", bulk(b"0")])
def test_a_cursor_may_be_an_integer(
    cursor: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Some servers send it so; the pass ends at 0 as usual."""
    asked = _Asked(b"SCAN", array(cursor, array(bulk(KEY))))
    assert _called("session list --json", asked) == ExitStatus.OK
    assert len(json.loads(capsysbinary.readouterr().out)) == 1


@pytest.mark.parametrize("circle", [1, 2, 7])
def test_cursors_that_go_round_in_a_circle_end(
    circle: int, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The length of the circle does not matter."""
    turns = iter(range(1 << 20))

    def tell(command: list[bytes]) -> bytes:
        if command[0] != b"SCAN":
            return honest(command)
        return array(bulk(b"%d" % (1 + next(turns) % circle)), array())

    with lying.answering(tell) as url:
        status = run(["session", "list", "--json", "--url", url])
    assert status == ExitStatus.FAILED
    assert b"circle" in capsysbinary.readouterr().err


DRIP = ["health", "session list", f"session get {PHONE}", f"session touch {PHONE}", "session stats"]


@pytest.mark.parametrize("command", DRIP)
def test_a_server_that_drips_holds_nobody(
    command: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """--timeout applies to the whole reply, and in health to all replies together."""
    begun = time.monotonic()
    with lying.answering(honest, seconds_a_byte=0.1) as url:
        status = run([*command.split(), "--json", "--timeout", "0.5", "--url", url])
    assert time.monotonic() - begun < 6
    assert status in (ExitStatus.FAILED, ExitStatus.UNREACHABLE)
    assert b"in time" in b"".join(capsysbinary.readouterr())


def test_a_slow_line_may_bring_a_large_value(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Every 64 KB extend the timeout by a second."""
    value = b'{"status":"active","messages":[],"updatedAt":1,"x":"%s"}' % (b"x" * 400_000)
    asked = _Asked(b"GET", bulk(value))
    with lying.answering(asked, seconds_a_piece=0.1) as url:
        status = run(["session", "get", PHONE, "--raw", "--timeout", "0.5", "--url", url])
    assert status == ExitStatus.OK
    assert capsysbinary.readouterr().out == value


class _Deleting:
    """Two pages of keys, all of which UNLINK deletes; one of its replies is strange."""

    def __init__(self, name: bytes, reply: bytes) -> None:
        self._name, self._reply = name, reply
        self._is_gone = False

    def __call__(self, command: list[bytes]) -> bytes:
        name = command[0].upper()
        was_gone = self._is_gone
        self._is_gone |= name == b"UNLINK" and KEY in command
        if name == b"SCAN" and command[1] == b"0":
            return array(bulk(b"7"), array(*([] if was_gone else [bulk(KEY)])))
        if name == self._name and (name == b"SCAN" or KEY in command):
            return self._reply
        if name == b"SCAN":
            return array(bulk(b"0"), array())
        return honest(command)


@pytest.mark.parametrize("reply", [b"+OK\r\n", b":-7\r\n", b"*-1\r\n"])
@pytest.mark.parametrize(("name", "deleted", "unknown"), [(b"UNLINK", 0, 1), (b"SCAN", 1, 0)])
def test_a_flush_tells_what_it_has_done_before_a_strange_reply(
    name: bytes,
    deleted: int,
    unknown: int,
    reply: bytes,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    """It never says that there was nothing if a deletion's reply was not understood."""
    with lying.answering(_Deleting(name, reply)) as url:
        status = run(["session", "flush", "--yes", "--no-backup", "--json", "--url", url])
    error = json.loads(capsysbinary.readouterr().err.splitlines()[-1])["error"]
    assert status == ExitStatus.FAILED
    assert (error["deleted"], error["unknown"]) == (deleted, unknown)
    assert name.decode() in error["message"]


@pytest.mark.parametrize("reply", [b"+OK\r\n", b"(123\r\n", b"=7\r\ntxt:abc\r\n"])
@pytest.mark.parametrize("option", ["--raw", "--json"])
def test_a_status_is_no_value(
    reply: bytes, option: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A value may have the same bytes as a status, but a stray status is no value."""
    value = reply.rpartition(b":")[2].strip(b"+(\r\n")
    assert _called(f"session get {PHONE} {option}", _Asked(b"GET", bulk(value))) == ExitStatus.OK
    assert option == "--json" or capsysbinary.readouterr().out == value
    capsysbinary.readouterr()
    assert _called(f"session get {PHONE} {option}", _Asked(b"GET", reply)) == ExitStatus.FAILED
    out, err = capsysbinary.readouterr()
    assert not out
    assert b"GET was answered with" in err


@pytest.mark.parametrize("missing", [1, 2, 5])
def test_a_value_that_is_longer_than_announced_is_not_shown(
    missing: int, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The parser would take its beginning for the session."""
    cut = b"$%d\r\n%s\r\n" % (len(lying.VALUE) - missing, lying.VALUE)
    for option in ("--json", "--raw"):
        status = _called(f"session get {PHONE} {option}", _Asked(b"GET", cut))
        assert status != ExitStatus.OK
        assert capsysbinary.readouterr().out == b""


@pytest.mark.parametrize("farewell", [b"", b"-ERR server is going away\r\n"])
def test_a_reply_that_is_followed_by_the_end_is_a_reply(
    farewell: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The server may say why it hangs up; what it has answered stands."""
    asked = _Asked(b"DEL", b":1\r\n" + farewell)
    assert _called(f"session delete {PHONE} --json", asked) == ExitStatus.OK
    assert json.loads(capsysbinary.readouterr().out)
