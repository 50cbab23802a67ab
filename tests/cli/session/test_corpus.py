"""Lists of odd sessions, byte for byte as they are kept in tests/listings/.

`make screens` writes them anew. The plain sessions are left out there.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import corpus, fork_server, servers
from tests.cli_runner import TIMEOUT_SECONDS, Pawsctl

LISTINGS = Path(__file__).parent.parent.parent / "listings"
ALL = "waiting,phone,key,ttl,status,messages,updated_at,bytes,problem,last_message"
# The options of a list, and the terminal's columns that COLUMNS tells, if any.
LISTS = {
    "text": ("-o text", None),
    "text-50": ("-o text", 50),
    "text-80": ("-o text", 80),
    "text-160": ("-o text", 160),
    "text-all": (f"-o text --columns {ALL}", None),
    "text-all-80": (f"-o text --columns {ALL}", 80),
    "text-all-160": (f"-o text --columns {ALL}", 160),
    "text-numbers-last": ("-o text --columns last_message,status,bytes", 70),
    "all.csv": (f"-o csv --columns {ALL}", None),
    "all.jsonl": (f"-o jsonl --columns {ALL}", None),
    "default.jsonl": ("-o jsonl", None),
}
# Texts that depend on the time of day; the replacements are as long.
PASSING = (
    (rb"(?<=[:,])(199[01]\d|198[5-9]\d|864\d\d)(?=[,}])", b"TTL"),
    (rb"lives 864\d\d s", b"lives TTL s"),
    (rb"\d+(?= s in the future)", b"N"),
    (rb'^\d+(?=,)|(?<="waiting":)\d+', b"N"),
    (rb"(?<![u\d])\d{4,7}(?= d| ?\xe2\x80\xa6)", lambda found: b"N" * len(found[0])),
)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pawsctl]:
    """pawsctl on a server with the corpus."""
    folder = tmp_path_factory.mktemp("corpus")
    with servers.running(folder) as server:
        corpus.store(server)
        yield Pawsctl(folder, server.url)


def _printed(listed: Pawsctl, name: str) -> bytes:
    options, columns = LISTS[name]
    result = listed(
        *f"session list --sort phone {options}".split(),
        env={"COLUMNS": str(columns)} if columns else {},
    )
    assert (result.status, result.err) == (0, "")
    return _settled(result.out)


def _settled(out: bytes) -> bytes:
    """Return an output without its plain sessions and the time of day."""
    plain = re.compile(rf"wh:session:\{corpus.PLAIN}|\{corpus.PLAIN}\d{{4}} ".encode())
    lines = [line for line in out.splitlines(keepends=True) if not plain.search(line)]
    for pattern, replacement in PASSING:
        lines = [re.sub(pattern, replacement, line) for line in lines]
    return b"".join(lines)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_odd_sessions_is_as_it_was(
    listed: Pawsctl, name: str, request: pytest.FixtureRequest
) -> None:
    """Text in several widths, CSV and JSON, with the default columns and with all."""
    file = LISTINGS / name
    printed = _printed(listed, name)
    if request.config.getoption("--write-screens"):
        file.write_bytes(printed)
    assert printed.decode().splitlines() == file.read_bytes().decode().splitlines()


@pytest.mark.parametrize("name", ["all.csv", "all.jsonl"])
def test_a_list_that_is_not_sorted_has_the_same_lines(listed: Pawsctl, name: str) -> None:
    """A sorted list keeps less of each session; the lines are the same."""
    result = listed(*f"session list {LISTS[name][0]}".split())
    expected = (LISTINGS / name).read_bytes().splitlines()
    assert sorted(_settled(result.out).splitlines()) == sorted(expected)


def test_a_list_in_a_terminal_is_as_it_was(listed: Pawsctl, request: pytest.FixtureRequest) -> None:
    """With colours, and with ages instead of dates."""
    _, printed = fork_server.run_in_terminal(
        ["session", "list", "--sort", "phone"],
        columns=110,
        folder=listed.folder,
        environment=listed.environment | {"TERM": "xterm-256color"},
        timeout=TIMEOUT_SECONDS,
    )
    file = LISTINGS / "terminal"
    shown = _settled(printed.replace(b"\r\n", b"\n"))
    if request.config.getoption("--write-screens"):
        file.write_bytes(shown)
    assert shown.decode().splitlines() == file.read_bytes().decode().splitlines()
