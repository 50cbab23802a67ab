"""`python -m tests.docs.pictures` records what a terminal shows of two commands, as SVG in docs/.

The commands really run, in a terminal of their own and on a real server; Rich's recorder draws
what they print.
"""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests import servers
from tests.cli_runner import Pawsctl
from tests.docs.examples import store_examples
from tests.docs.pages import DOCS

COLUMNS, LINES = 100, 24
# The fonts that Rich's template would load from a server are left out.
_FONTS = re.compile(r"@font-face \{.*?\n    \}", re.DOTALL)
_REDRAW = "\x1b[1A\x1b[2K"
PHONE = "+59899000001"


def main() -> None:
    """Write both pictures."""
    with (
        tempfile.TemporaryDirectory() as name,
        servers.running(Path(name)) as server,
    ):
        store_examples(server)
        pawsctl = Pawsctl(Path(name), server.url)
        answered_now(server)
        shown = {f"127.0.0.1:{server.port}": "127.0.0.1:6379"}
        with Terminal(pawsctl, "session", "get", PHONE) as terminal:
            draw("session-get", f"pawsctl session get {PHONE}", terminal.until_end(), shown)
        server.client.copy("wh:session:+59899000003", "wh:session:+59899000007")
        server.client.expire("wh:session:+59899000007", 5)
        with Terminal(pawsctl, "session", "watch", "--interval", "300ms") as terminal:
            terminal.until("nothing has happened yet")
            pawsctl("session", "touch", "+59899000002")
            terminal.until("1 touched")
            server.client.copy("wh:session:+59899000003", "wh:session:+59899000006")
            terminal.until("1 appeared")
            pawsctl("session", "delete", "+59899000005")
            terminal.until("1 deleted")
            # The session that had five seconds left at the beginning.
            draw("session-watch", "pawsctl session watch", terminal.until("1 expired"), shown)


def answered_now(server: servers.Server) -> None:
    """Set TTLs so that the last message is eleven minutes old."""
    key = f"wh:session:{PHONE}"
    session = json.loads(server.client.get(key) or "")
    session["updatedAt"] = int((time.time() - 660) * 1000)
    server.client.set(key, json.dumps(session, ensure_ascii=False), ex=6 * 3600 - 660)


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, pawsctl: Pawsctl, *arguments: str) -> None:
        self.printed = ""
        self._end, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pawsctl", *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=pawsctl.folder,
            env=pawsctl.environment | {"TERM": "xterm-256color"},
        )
        os.close(inner)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def until(self, text: str) -> str:
        """Return the screen once it contains this text."""
        deadline = time.monotonic() + 30
        while text not in self.screen:
            assert time.monotonic() < deadline, self.screen
            self._read()
        # Read the rest of that screen.
        time.sleep(0.1)
        self._read()
        return self.screen

    def until_end(self) -> str:
        """Return everything that the command printed, after its end."""
        while self._read():
            pass
        return self.screen

    @property
    def screen(self) -> str:
        """Return the last screen that was drawn."""
        return self.printed.rpartition(_REDRAW)[2]

    def _read(self) -> bool:
        if not select.select([self._end], [], [], 0.1)[0]:
            return True
        try:
            data = os.read(self._end, 1 << 16)
        except OSError:
            return False
        self.printed += data.decode("utf-8", "replace")
        return bool(data)


def draw(name: str, command: str, screen: str, shown: dict[str, str]) -> None:
    """Write docs/NAME.svg."""
    for real, instead in shown.items():
        screen = screen.replace(real, instead)
    # Keep colours, drop cursor movements.
    text = re.sub(r"\x1b\[[0-9;?]*[A-Zhl]", "", screen.replace("\r", "")).strip("\n")
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text.assemble(("$ ", "dim"), (command, "bold")))
        console.print(Text.from_ansi(text), soft_wrap=False)
        svg = console.export_svg(title=command, unique_id=name)
    (DOCS / f"{name}.svg").write_text(_FONTS.sub("", svg), "utf-8")


if __name__ == "__main__":
    main()
