"""Proxies and services that answer in place of Redis, with their own errors and timeouts."""

from collections.abc import Callable

import pytest

from pawsctl.errors import ExitStatus
from tests import lying
from tests.cli_runner import Pawsctl, Result
from tests.lying import KEY, array, bulk, honest

PHONE = KEY.decode().removeprefix("wh:session:")
REFUSALS = [b"-ERR command 'UNLINK' not supported for this plan\r\n", b"-ERR nope\r\n"]


def without(*names: bytes, words: bytes) -> Callable[[list[bytes]], bytes]:
    """Return the answers of a server that refuses these commands, in these words."""
    return lambda command: words if command[0].upper() in names else honest(command)


def told(result: Result, done: str) -> tuple[int, int]:
    """Return how many were reported as done, and how many as unknown."""
    return int(result.error[done]), int(result.error["unknown"])


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_older_command_is_tried_whatever_the_refusal_says(
    bare_pawsctl: Pawsctl, refusal: bytes
) -> None:
    """Not every service says "unknown command"."""
    with lying.answering(without(b"UNLINK", b"PTTL", b"EVAL", words=refusal)) as url:
        for words in ("session flush --dry-run", "session flush --yes", "session ttl"):
            result = bare_pawsctl(*words.split(), "--json", "--url", url)
            assert result.status == ExitStatus.OK, (words, result.err)
        assert bare_pawsctl("session", "ttl", "--json", "--url", url).json["sessions"] == 1


@pytest.mark.parametrize(
    "words",
    [
        b"-ERR Connection timed out\r\n",
        b"-upstream failure\r\n",
        b"-no upstream host\r\n",
        b"-ERR something went wrong\r\n",
    ],
)
def test_a_proxy_that_lost_the_answer(bare_pawsctl: Pawsctl, words: bytes) -> None:
    """A sent command may have run: it is reported as unknown and not tried in another way."""
    with lying.answering(without(b"UNLINK", b"DEL", b"EXPIRE", words=words)) as url:
        for line, done in (("delete", "deleted"), ("touch", "touched")):
            result = bare_pawsctl("session", line, PHONE, "--json", "--url", url)
            assert result.status == ExitStatus.FAILED, result.err
            assert told(result, done) == (0, 1)
    asked: list[bytes] = []

    def tell(command: list[bytes]) -> bytes:
        asked.append(command[0])
        is_deletion = command[0] == b"UNLINK" and KEY in command
        return words if is_deletion else honest(command)

    with lying.answering(tell) as url:
        flushed = bare_pawsctl("session", "flush", "--yes", "--json", "--url", url)
    assert told(flushed, "deleted") == (0, 1)
    assert b"DEL" not in asked


def test_what_was_sent_is_not_in_the_refusal(bare_pawsctl: Pawsctl) -> None:
    """Redis repeats an unknown command's arguments, such as phones and users' messages."""
    refusal = b"-ERR unknown command 'DEL', with args beginning with: '%b' 'Hola' \r\n" % KEY
    with lying.answering(without(b"DEL", words=refusal)) as url:
        result = bare_pawsctl("session", "delete", PHONE, "--no-backup", "--json", "--url", url)
    assert "unknown command 'DEL'." in result.error["message"]
    assert PHONE not in result.err


def test_a_connection_is_not_used_after_a_misshapen_reply(bare_pawsctl: Pawsctl) -> None:
    """It may have answered another command: the next one would get the reply that is still due."""
    is_late = False

    def tell(command: list[bytes]) -> lying.Answer:
        nonlocal is_late
        name = command[0].upper()
        if name == b"CLIENT":
            # A new connection.
            is_late = False
        if name == b"PTTL":
            is_late = True
            return b"*0\r\n"
        return b":20000000\r\n" if name == b"TTL" and is_late else honest(command)

    with lying.answering(tell) as url:
        result = bare_pawsctl("session", "ttl", "+59891234567", "--json", "--url", url)

    assert result.json["ttl"] == 20_000


STUCK = b'{"status":"active","messages":[{"role":"user"}],"updatedAt":1}'
LOST = b"-ERR upstream timed out\r\n"


@pytest.mark.parametrize(
    ("answers", "status", "said"),
    [
        # Nothing may be written outside of a transaction.
        ({b"WATCH": None}, ExitStatus.UNREACHABLE, "twemproxy"),
        ({b"MULTI": b"-ERR unknown command\r\n"}, ExitStatus.FAILED, "unknown command"),
        ({b"MULTI": b":1\r\n"}, ExitStatus.FAILED, "MULTI was answered with 1, not OK"),
        # If EXEC can't be believed, the stored value decides.
        ({b"EXEC": None}, ExitStatus.UNREACHABLE, "hung up"),
        ({b"EXEC": b":1\r\n"}, ExitStatus.FAILED, "EXEC was answered with 1"),
        ({b"EXEC": array()}, ExitStatus.FAILED, "EXEC was answered with []"),
        ({b"EXEC": array(b":1\r\n")}, ExitStatus.FAILED, "EXEC was answered with [1]"),
        ({b"EXEC": LOST}, ExitStatus.FAILED, "timed out"),
        ({b"SET": b"+OK\r\n"}, ExitStatus.FAILED, "SET was answered with b'OK', not QUEUED"),
        ({b"EXEC": b"*-1\r\n"}, ExitStatus.FAILED, "changed meanwhile"),
    ],
)
def test_a_transaction_without_its_proper_replies_changes_nothing(
    bare_pawsctl: Pawsctl, answers: dict[bytes, bytes | None], status: int, said: str
) -> None:
    """A repair tells so: here what is stored stays, whatever is sent."""
    queued = {b"SET": b"+QUEUED\r\n", b"GET": bulk(STUCK)}
    queued |= dict.fromkeys((b"WATCH", b"MULTI", b"DISCARD"), b"+OK\r\n")
    sent: list[bytes] = []

    def tell(command: list[bytes]) -> bytes | None:
        sent.append(command[0])
        return (
            (queued | answers).get(command[0])
            if command[0] in {*queued, *answers}
            else honest(command)
        )

    with lying.answering(tell) as url:
        words = ("session", "repair", PHONE, "--yes", "--no-backup", "--json", "--url", url)
        result = bare_pawsctl(*words)
    assert result.status == status, result.err
    assert said in result.error["message"] + result.error["hint"]
    assert (b"SET" in sent) == (not {b"WATCH", b"MULTI"} & answers.keys())
    if "repaired" in result.error:
        assert told(result, "repaired") == (0, 0)


def test_a_reply_that_comes_twice_is_no_answer_for_the_next_keys(bare_pawsctl: Pawsctl) -> None:
    """A step that finds the keys of many batches is followed by commands of one shape."""
    keys = [b"wh:session:+%d" % number for number in range(1_000)]
    asked = 0

    def tell(command: list[bytes]) -> bytes:
        nonlocal asked
        if command[0] == b"SCAN":
            return array(bulk(b"0"), array(*map(bulk, keys)))
        if command[0] != b"EVAL" or len(command) < 100:
            return honest(command)
        asked += 1
        return honest(command) * (1 + (asked == 2))

    with lying.answering(tell) as url:
        result = bare_pawsctl("session", "ttl", "--json", "--url", url)
    assert asked == 2
    assert result.status == ExitStatus.UNREACHABLE
    assert "no reply of Redis" in result.error["message"]
