"""The server's last message, if it explains why the server hung up."""

import pytest

from pawsctl.connection.last_words import LastWords
from pawsctl.connection.replies import ErrorReply

FULL = ErrorReply("ERR", "max number of clients reached. Bye.")
PROTOCOL = ErrorReply("ERR", "Protocol error: invalid bulk length")
DENIED = ErrorReply("DENIED", "Redis is running in protected mode. Set a password.")
TIMED_OUT = ErrorReply("ERR", "upstream timed out.")
OTHER = ErrorReply("ERR", "unknown command")


@pytest.mark.parametrize(
    ("reply", "is_first", "text", "after_more"),
    [
        (FULL, False, "ERR max number of clients reached", "ERR max number of clients reached"),
        (PROTOCOL, False, str(PROTOCOL), str(PROTOCOL)),
        (DENIED, True, "DENIED Redis is running in protected mode",
         "DENIED Redis is running in protected mode"),
        (DENIED, False, "", ""),
        (TIMED_OUT, True, "ERR upstream timed out", "ERR upstream timed out"),
        (OTHER, True, "ERR unknown command", ""),
        (OTHER, False, "", ""),
    ],
)  # fmt: skip
def test_a_farewell_is_kept_and_others_are_not(
    reply: ErrorReply, is_first: bool, text: str, after_more: str
) -> None:
    """Its first sentence; what the server said first may be why it hung up, until it is asked."""
    words = LastWords()
    words.heard(FULL, is_first=False)
    words.heard(reply, is_first=is_first)
    assert words.text == text
    assert words.are_farewell is (reply in (FULL, PROTOCOL))
    words.asked_more()
    assert words.text == after_more
    words.said = ""
    assert (words.text, words.are_farewell) == ("", False)


def test_an_error_may_stand_among_what_was_not_read() -> None:
    """The last line that is one."""
    words = LastWords()
    words.overheard(b"+OK\r\n-ERR first\r\n-ERR second\r\n")
    assert words.text == "ERR second"
    words.overheard(b"+OK\r\nx-ERR")
    assert words.text == "ERR second"
    words.piece, words.asked = b"x", ("PING",)
    words.begin()
    assert (words.text, words.piece) == ("", b"")
    assert not words.asked


@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        (FULL, "Close other connections"),
        (DENIED, "The server is in protected mode"),
        (PROTOCOL, "Something sent was more than it takes"),
        (OTHER, "See the server's log"),
    ],
)
def test_each_farewell_has_its_hint(reply: ErrorReply, hint: str) -> None:
    """The next step for the user."""
    words = LastWords()
    words.heard(reply, is_first=True)
    assert words.hint.startswith(hint)


@pytest.mark.parametrize(
    ("piece", "first", "beginning"),
    [
        (b"", b"", b""),
        (b"HTTP/1.1 400\r\nServer: x\r\n", b"", b"HTTP/1.1 400"),
        (b"HTTP/1.1 400\r\nServer: x\r\n", b"H", b"HTTP/1.1 400"),
        (b"+OK\r\n%odd one\r\nnext", b"%", b"%odd one"),
        (b"+OK\r\nxyz", b"%", b"+OK"),
        (b"a" * 61, b"", b"a" * 60),
        (b"+" * (64 * 1024 - 4) + b"\r\n%ab", b"%", b"%a"),
        (b"+" * (64 * 1024 - 2) + b"\r\n%a", b"%", b"+" * 60),
    ],
)
def test_what_could_not_be_parsed_is_shown_from_its_line(
    piece: bytes, first: bytes, beginning: bytes
) -> None:
    """The line that begins with what the parser stumbled on, at most 60 bytes of it."""
    words = LastWords()
    words.piece = memoryview(piece)
    assert words.beginning(first) == beginning


@pytest.mark.parametrize(
    ("piece", "reply", "otherwise"),
    [
        (b"$3\r\nabc\r\n", b"abc", False),
        (b"+abc\r\n", b"abc", True),
        (b"(123\r\n", b"123", True),
        (b"=7\r\ntxt:abc\r\n", b"abc", True),
        (b"$3\r\nabcd\r\n", b"abc", True),
        # Of what came in pieces, nothing is known.
        (b"bc\r\n", b"abc", False),
        (b"c\r\n$100\r\n", b"x" * 97 + b"abc", False),
        (b"x" * 60 + b"\r\n", b"x" * 200, False),
        (b"x" * 60 + b"yz", b"x" * 200, True),
        (b"xyz" + b"x" * 59 + b"\r\n", b"x" * 200, False),
    ],
)
def test_what_was_no_bulk_string_is_known_by_its_bytes(
    piece: bytes, reply: bytes, otherwise: bool
) -> None:
    """The parser takes other types for one, and skips two bytes whatever they are."""
    words = LastWords()
    words.piece = piece
    assert words.came_otherwise(reply) is otherwise
