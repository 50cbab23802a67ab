"""What a server says before it hangs up, or is not understood, which explains why. Pure."""

from pawsctl.connection.commands import Command
from pawsctl.connection.replies import ErrorReply, is_lost_on_the_way

# Said in the middle of a conversation, these are followed by the end of it.
_FAREWELLS = ("Protocol error", "max number of clients")
_DENIED = "DENIED"
_MOST = 64 * 1024
_SHOWN = 60


class LastWords:
    """The last thing that a server said, if it can be why it hung up.

    `piece` is what came last as it came, and `asked` the command that is to be answered.
    """

    def __init__(self) -> None:
        self._said = ""
        self.piece: memoryview | bytes = b""
        self.asked: Command | None = None

    def begin(self) -> None:
        """Start anew, on a new connection."""
        self._said, self.piece, self.asked = "", b"", None

    def heard(self, reply: ErrorReply, *, is_first: bool) -> None:
        """Take note of an error reply; `is_first` before the server has answered any command."""
        said = str(reply)
        is_farewell = is_first or any(each in said for each in _FAREWELLS)
        self._said = said if is_farewell else ""

    def overheard(self, unread: bytes) -> None:
        """Take note of what was there to be read when the server took no more commands."""
        for line in unread.split(b"\r\n"):
            if line.startswith(b"-"):
                self._said = line[1:].decode("utf-8", "replace")

    def asked_more(self) -> None:
        """Take note that the server is asked something else: it did not hang up at what it said."""
        known = any(each in self._said for each in (*_FAREWELLS, _DENIED))
        if not known and not is_lost_on_the_way(self._said):
            self._said = ""

    def forget(self) -> None:
        """The server goes on: whatever it said was no farewell."""
        self._said = ""

    @property
    def text(self) -> str:
        """What was said, a sentence of it; empty where nothing was that explains the end."""
        return self._said.partition(". ")[0].rstrip(".")

    def beginning(self, first: bytes) -> bytes:
        """Return the line that is no reply: the last piece's, or the one in it that `first` begins.

        Empty where nothing came.
        """
        came = bytes(self.piece[:_MOST])
        _, is_later, rest = came.partition(b"\r\n" + first) if first else (b"", b"", b"")
        return (first + rest if is_later else came).partition(b"\n")[0].strip()[:_SHOWN]

    def came_otherwise(self, reply: bytes) -> bool:
        """Whether these bytes have come as something else than a bulk string."""
        piece = bytes(self.piece)
        others = (b"+%s\r\n", b"(%s\r\n", b"\r\ntxt:%s\r\n")
        is_bulk = b"$%d\r\n%s\r\n" % (len(reply), reply) in piece
        return not is_bulk and any(each % reply in piece for each in others)

    @property
    def hint(self) -> str:
        """What to do about it."""
        if "max number of clients" in self._said:
            return "Close other connections, or raise the server's 'maxclients'."
        if self._said.startswith(_DENIED):
            return (
                "The server is in protected mode: give it a password (requirepass), or connect "
                "from its own machine."
            )
        if "Protocol error" in self._said:
            return (
                "Something sent was more than it takes: see its 'proto-max-bulk-len' and "
                "'client-query-buffer-limit'."
            )
        return "See the server's log for more."
