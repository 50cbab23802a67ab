"""Clusters and Sentinels that send malformed replies about themselves."""

import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pawsctl.cli.app import run
from pawsctl.errors import ExitStatus
from tests import lying
from tests.forking import preloaded
from tests.lying import KEY, Answer, array, bulk, honest

PHONE = KEY.decode().removeprefix("wh:session:")
NODES = bulk(b"a" * 40 + b" :0@0 myself,master - 0 0 1 connected 0-16383\n")
SLOTS = array(array(b":0\r\n", b":16383\r\n", array(bulk(b""), b":0\r\n", bulk(b"a" * 40))))
STRANGE: list[Answer] = [
    b":1\r\n", b"+OK\r\n", bulk(b""), bulk(b"x"), b"$-1\r\n", array(), array(b":1\r\n"),
    array(bulk(b"x")), array(array()), array(array(b":0\r\n", b":16383\r\n")),
    array(array(b":5\r\n", b":1\r\n", array(bulk(b"h"), b":1\r\n"))), b"-ERR unknown command\r\n",
    array(array(b":0\r\n", b":99999\r\n", array(bulk(b"h"), b":1\r\n"))),
    bulk(b"a" * 40 + b" h:1@1 myself,master - 0 0 1 connected 0-99999999999\n"),
    bulk(b"a" * 40 + b" h:x@1 myself,master - 0 0 1 connected\n"), bulk(b"a b c\n"),
    bulk(b"a" * 40 + b" h:1@1 master - 0 0 1 connected 0-5\n"), bulk(b"\xff\xfe"), None,
]  # fmt: skip
COMMANDS = ["session list --json", f"session get {PHONE} --json", "session flush --yes --json",
            "health --json", "redis memory --json", f"session touch {PHONE} --json"]  # fmt: skip
# No reply is late here, and on a busy machine an honest one may be.
LIMITS = ["--timeout", "10", "--failover-timeout", "0.3"]


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    preloaded.load()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("REDIS_URL", raising=False)


def judged(
    words: list[str], how: str, capsysbinary: pytest.CaptureFixture[bytes], most: float = 30
) -> int:
    """Return the exit status of a run, which must end and report failures in a sentence."""
    begun = time.monotonic()
    status = run([*words, *LIMITS])
    out, err = capsysbinary.readouterr()
    assert time.monotonic() - begun < most, how
    assert b"Traceback" not in err, (how, err)
    if status != ExitStatus.OK and not words[0].startswith("health"):
        assert json.loads(err.splitlines()[-1])["error"]["message"], (how, out, err)
    return status


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("subcommand", [b"NODES", b"SLOTS"])
def test_a_cluster(
    command: str, subcommand: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """It succeeds only if the other cluster reply, or neither, is needed."""

    def tell(command: list[bytes], reply: Answer, told: bytes) -> Answer:
        if command[0] == b"CLUSTER":
            if command[1] == told:
                return reply
            return {b"NODES": NODES, b"SLOTS": SLOTS}.get(command[1], lying.UNKNOWN)
        return b"+OK\r\n" if command[0] == b"ASKING" else honest(command)

    def called(reply: Answer, told: bytes) -> int:
        with lying.answering(lambda each: tell(each, reply, told)) as url:
            words = [*command.split(), "--url", url.replace("redis://", "redis+cluster://")]
            return judged(words, f"CLUSTER {told!r} answered with {reply!r}", capsysbinary)

    assert called(b"", b"") == ExitStatus.OK
    for reply in STRANGE:
        status = called(reply, subcommand)
        if command.startswith(("session list", "session flush", "health")) and reply != SLOTS:
            empty = subcommand == b"SLOTS" and reply == array()
            assert status != ExitStatus.OK or empty, (subcommand, reply)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_sentinel(command: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Its reply must name a server, and that server must report a role."""
    port, others = b"", b"*0\r\n"

    def tell(command: list[bytes], told: bytes, reply: Answer) -> Answer:
        if command[0] == told:
            return reply
        if command[:2] == [b"SENTINEL", b"SENTINELS"]:
            return others
        if command[0] == b"SENTINEL":
            return array(bulk(b"127.0.0.1"), bulk(port))
        return array(bulk(b"master")) if command[0] == b"ROLE" else honest(command)

    for told in (b"SENTINEL", b"ROLE"):
        for reply in (*STRANGE, array(bulk(b"slave")), array(bulk(b"127.0.0.1"), bulk(b"x"))):
            with lying.answering(lambda each, t=told, r=reply: tell(each, t, r)) as url:  # type: ignore[misc]
                port = str(urlsplit(url).port).encode()
                place = url.replace("redis://", "redis+sentinel://") + "/paws"
                words = [*command.split(), "--url", place]
                status = judged(words, f"{told!r} answered with {reply!r}", capsysbinary)
            untold = told == b"ROLE" and reply == b"-ERR unknown command\r\n"
            assert (status == ExitStatus.OK) == untold, (told, reply, status)


def test_a_sentinel_whose_list_of_sentinels_is_none(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    """The guard asks for it, to know the place by each of its Sentinels."""
    port = b""

    def tell(command: list[bytes], reply: Answer) -> Answer:
        if command[:2] == [b"SENTINEL", b"SENTINELS"]:
            return reply
        if command[0] == b"SENTINEL":
            return array(bulk(b"127.0.0.1"), bulk(port))
        return array(bulk(b"master")) if command[0] == b"ROLE" else honest(command)

    for reply in STRANGE:
        with lying.answering(lambda each, r=reply: tell(each, r)) as url:  # type: ignore[misc]
            port = str(urlsplit(url).port).encode()
            place = url.replace("redis://", "redis+sentinel://") + "/paws"
            status = run(["session", "delete", "+1", "--json", "--url", place, *LIMITS])
        err = capsysbinary.readouterr().err
        assert status == ExitStatus.OK or json.loads(err.splitlines()[-1])["error"], (reply, err)


@pytest.mark.parametrize(
    "refusal", [lying.UNKNOWN, b"-ERR This instance has cluster support disabled\r\n"]
)
def test_a_server_that_says_it_is_a_cluster_and_knows_no_cluster_command(
    refusal: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """It may be a cluster behind a proxy: its data is shown as partial and not deleted."""
    info = honest([b"INFO"]).replace(b"cluster_enabled:0", b"cluster_enabled:1")
    replies = {b"CLUSTER": refusal, b"INFO": info}
    with lying.answering(lambda command: replies.get(command[0]) or honest(command)) as url:
        for words, expected in (
            ("session list", ExitStatus.PARTIAL),
            (f"session get {PHONE}", ExitStatus.OK),
            ("session flush --yes", ExitStatus.FAILED),
            ("health", ExitStatus.FAILED),
        ):
            assert run([*words.split(), "--json", "--url", url, *LIMITS]) == expected, words
            assert b"Traceback" not in capsysbinary.readouterr().err


def test_a_server_that_takes_no_heed_of_match(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """Keys of other applications are neither shown as sessions nor deleted."""
    asked: list[bytes] = []
    found = array(bulk(b"0"), array(bulk(b"app:counter"), bulk(KEY), bulk(b"wh:sessionless")))

    def tell(command: list[bytes]) -> bytes:
        asked.extend(command)
        return found if command[0] == b"SCAN" else honest(command)

    with lying.answering(tell) as url:
        assert run(["session", "list", "--json", "--url", url]) == ExitStatus.OK
        [listed] = json.loads(capsysbinary.readouterr().out)
        assert listed["phone"] == PHONE
        for words in (["--match", "+5*"], []):
            assert run(["session", "flush", "--yes", "--url", url, *words]) == ExitStatus.OK
    assert KEY in asked
    assert not {b"app:counter", b"wh:sessionless"} & set(asked)
