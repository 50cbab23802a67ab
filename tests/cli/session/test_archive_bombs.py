"""Archives that unpack to more than fits in memory are refused while they are read."""

import hashlib
import resource
import subprocess
import sys
import zlib
from pathlib import Path
from struct import pack

import msgspec
import pytest

from pawsctl.errors import ExitStatus
from pawsctl.sessions.archive import jsonl_format, source_file
from tests.archives import HEADER
from tests.cli_runner import Pawsctl
from tests.servers import Server

BEGIN = msgspec.json.encode(HEADER) + b"\n"
LINE = b'{"phone":"+1","key":"wh:session:+1","expires_at":null,"value":"'
# Python with a command's imports takes 150 MB of it.
MEMORY = 280 * 1024 * 1024


def packed(begin: bytes, filling: bytes, megabytes: int) -> bytes:
    """Return a gzip file of `begin` and that many megabytes of `filling`."""
    block = filling * (1_048_576 // max(1, len(filling)))
    compressor = zlib.compressobj(1, zlib.DEFLATED, -15)
    start = compressor.compress(begin) + compressor.flush(zlib.Z_FULL_FLUSH)
    # What follows a full flush refers to nothing before it, so one block can stand in many places.
    each = compressor.compress(block) + compressor.flush(zlib.Z_FULL_FLUSH)
    checksum, size = zlib.crc32(begin), len(begin) + len(block) * megabytes
    for _ in range(megabytes):
        checksum = zlib.crc32(block, checksum)
    header = b"\x1f\x8b\x08" + bytes(7)
    return header + start + each * megabytes + compressor.flush() + pack("<LL", checksum, size)


def limited(pawsctl: Pawsctl, *arguments: str, stdin: Path | None = None) -> tuple[int, str]:
    """Run a command with little memory; return its exit status and stderr."""
    with (stdin or Path("/dev/null")).open("rb") as file:
        feeder = subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE)
        done = subprocess.run(
            [sys.executable, "-m", "pawsctl", *arguments],
            stdin=feeder.stdout,
            capture_output=True,
            cwd=pawsctl.folder,
            env=pawsctl.environment,
            timeout=120,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        )
        feeder.kill()
        feeder.communicate()
    return done.returncode, done.stderr.decode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ((b"", b"\0", 300), "its first line is not the header"),
        ((b"{", b'"', 300), "its first line is not the header"),
        ((BEGIN + LINE, b"a", 700), "has a line of more than"),
        ((BEGIN, b"\n", 300), "its last line is not the trailer"),
        ((BEGIN + LINE, b"\\n", 300), "its last line is not the trailer"),
    ],
    ids=["no-header", "long-header", "long-line", "many-lines", "escapes"],
)
def test_memory_stays_flat(
    pawsctl: Pawsctl, server: Server, content: tuple[bytes, bytes, int], reason: str
) -> None:
    """No bomb, from a file or stdin, takes much memory; each gives an error and writes nothing."""
    path = pawsctl.folder / "bomb.gz"
    path.write_bytes(packed(*content))
    assert path.stat().st_size < 10_000_000
    for name, stdin in (("bomb.gz", None), ("-", path)):
        status, err = limited(pawsctl, "session", "import", name, stdin=stdin)
        assert status == ExitStatus.FAILED, err
        assert reason in err
        assert "Traceback" not in err
        assert server.client.dbsize() == 0


def test_what_never_ends_is_not_kept(pawsctl: Pawsctl) -> None:
    """The first line is checked before the second megabyte is read."""
    for name in ("/dev/zero", "-"):
        status, err = limited(pawsctl, "session", "verify", name, stdin=Path("/dev/zero"))
        assert status == ExitStatus.FAILED
        assert "its first line is not the header" in err


@pytest.mark.slow
def test_a_whole_archive_with_too_large_a_session_is_told(pawsctl: Pawsctl, server: Server) -> None:
    """Its checksum is right, but its value is larger than the memory available."""
    body = BEGIN + LINE + b"a" * 300_000_000 + b'"}\n'
    digest = hashlib.sha256(body).hexdigest()
    (pawsctl.folder / "a.jsonl").write_bytes(body + jsonl_format.trailer(1, f"sha256:{digest}"))
    status, err = limited(pawsctl, "session", "import", "a.jsonl")
    assert status == ExitStatus.FAILED, err
    assert "not enough memory" in err
    assert "Traceback" not in err


def test_lines_of_any_length_that_a_session_has_are_taken(pawsctl: Pawsctl, server: Server) -> None:
    """A line may span several chunks or gzip members, or consist of escapes only."""
    values = [b"\x01" * 400_000, b"a" * 3_000_000, b'"' * 1_048_576, b"\xff" * 70_000, b""]
    for number, value in enumerate(values):
        server.client.set(f"wh:session:+{number}", value)
    assert pawsctl("session", "export", "a.jsonl").status == ExitStatus.OK
    server.client.flushall()
    whole = (pawsctl.folder / "a.jsonl").read_bytes()
    half = len(whole) // 2
    members = packed(whole[:half], b"", 0) + packed(whole[half:], b"", 0) + b"\0" * 100
    for content in (whole, members):
        imported = pawsctl("session", "import", "--replace", "-", "--json", stdin=content)
        assert imported.status == ExitStatus.OK, imported.err
        assert imported.json["imported"] == len(values)
    for number, value in enumerate(values):
        assert server.client.get(f"wh:session:+{number}") == value
    damaged = pawsctl("session", "import", "-", stdin=members + b"rubbish")
    assert damaged.status == ExitStatus.FAILED
    assert "is damaged or cut short" in damaged.err


def test_uncompressed_bytes_come_in_pieces_of_a_bounded_size(tmp_path: Path) -> None:
    """However small the compressed bytes are, all data comes in bounded pieces."""
    path = tmp_path / "a.gz"
    path.write_bytes(packed(b"begin", b"a", 50) + packed(b"end", b"b", 1))
    with source_file.opened(str(path)) as source:
        for _ in range(2):
            sizes = [len(piece) for piece in source.chunks()]
            assert sum(sizes) == 51 * 1_048_576 + len("beginend")
            assert max(sizes) <= 1_048_576
