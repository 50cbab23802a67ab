"""The server's last message before it hangs up or sends garbage, to explain a failure. Pure."""

from pawsctl.connection.commands import Command
from pawsctl.connection.replies import ErrorReply, is_lost_on_the_way

# After one of these, even in mid-conversation, the server closes the connection.
_FAREWELLS = ("Protocol error", "max number of clients")
_DENIED = "DENIED"
_MOST = 64 * 1024
_SHOWN = 60


class LastWords:
    """The server's last error message, if it can explain why the server hung up.

    `said` is that message, or empty. `piece` holds the last bytes received, `asked` the command
    whose reply is awaited.
    """

    def __init__(self) -> None:
        self.said = ""
        self.piece: memoryview | bytes = b""
        self.asked: Command | None = None

    def begin(self) -> None:
        """Reset for a new connection."""
        self.said, self.piece, self.asked = "", b"", None

    def heard(self, reply: ErrorReply, *, is_first: bool) -> None:
        """Record an error reply; `is_first`: the server has not answered any command yet."""
        said = str(reply)
        is_farewell = is_first or any(each in said for each in _FAREWELLS)
        self.said = said if is_farewell else ""

    def overheard(self, unread: bytes) -> None:
        """Record an error line in `unread`, the bytes left to read when sending failed."""
        for line in unread.split(b"\r\n"):
            if line.startswith(b"-"):
                self.said = line[1:].decode("utf-8", "replace")

    def asked_more(self) -> None:
        """Record that another command is sent: the server did not hang up at its last message.

        Messages that announce the end of the connection, or a proxy's lost reply, are kept.
        """
        if not self.said:
            return
        known = any(each in self.said for each in (*_FAREWELLS, _DENIED))
        if not known and not is_lost_on_the_way(self.said):
            self.said = ""

    @property
    def are_farewell(self) -> bool:
        """Whether the server is about to close the connection."""
        return any(each in self.said for each in _FAREWELLS)

    @property
    def text(self) -> str:
        """The first sentence of the message; empty if none explains the end."""
        return self.said.partition(". ")[0].rstrip(".")

    def beginning(self, first: bytes) -> bytes:
        """Return the line that could not be parsed, at most 60 bytes of it.

        It is the line in the last piece that begins with `first`, else the piece's first line;
        empty if nothing was received.
        """
        came = bytes(self.piece[:_MOST])
        _, is_later, rest = came.partition(b"\r\n" + first) if first else (b"", b"", b"")
        return (first + rest if is_later else came).partition(b"\n")[0].strip()[:_SHOWN]

    def came_otherwise(self, reply: bytes) -> bool:
        """Return whether these bytes were not sent as a bulk string of just their length.

        The parser takes other types for one, and skips the two bytes after the announced length
        whatever they are. If its end came in several pieces, nothing is known.
        """
        piece, end = bytes(self.piece), reply[-_SHOWN:]
        if end not in piece or b"$%d\r\n%s\r\n" % (len(reply), reply) in piece:
            return False
        others = (b"+%s\r\n", b"(%s\r\n", b"\r\ntxt:%s\r\n")
        return end + b"\r\n" not in piece or any(each % reply in piece for each in others)

    @property
    def hint(self) -> str:
        """The next step for the user."""
        if "max number of clients" in self.said:
            return "Close other connections, or raise the server's 'maxclients'."
        if self.said.startswith(_DENIED):
            return (
                "The server is in protected mode: give it a password (requirepass), or connect "
                "from its own machine."
            )
        if "Protocol error" in self.said:
            return (
                "Something sent was more than it takes: see its 'proto-max-bulk-len' and "
                "'client-query-buffer-limit'."
            )
        return "See the server's log for more."
