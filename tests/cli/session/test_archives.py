"""Round trips of sessions through an archive, and damaged archives."""

import bz2
import hashlib
import io
import lzma
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pawsctl.errors import ExitStatus
from tests.archives import HEADER, assert_same, held, write
from tests.cli_runner import Pawsctl
from tests.conftest import BROKEN, GOOD
from tests.servers import Server

SIX_HOURS = 21_600


def fill(server: Server) -> None:
    """Store every sample under its own phone, binary keys and values, and keys without a TTL."""
    for number, sample in enumerate([*GOOD, *BROKEN]):
        server.client.set(f"wh:session:+{number}", sample.read_bytes(), px=60_000 + number * 7_777)
    server.client.set("wh:session:+forever", b"{}")
    server.client.set(b"wh:session:\xff\x00\n", bytes(range(256)), ex=SIX_HOURS)
    server.client.set("wh:session:ñandú\u202e", "", ex=SIX_HOURS)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_export_flush_import_brings_back_every_byte_and_ttl(
    anywhere: Pawsctl, any_server: Server, tmp_path: Path, name: str
) -> None:
    """This includes broken and binary values, strange keys, and sessions that never expire."""
    fill(any_server)
    before = held(any_server)
    exported = anywhere("session", "export", name, "--json")
    assert exported.status == ExitStatus.OK
    assert exported.json["sessions"] == len(before)
    assert exported.json["file"] == str(tmp_path / name)
    assert anywhere("session", "flush", "--yes").status == ExitStatus.OK
    imported = anywhere("session", "import", name, "--json")
    assert imported.status == ExitStatus.OK
    assert imported.json == {
        "url": any_server.url,
        "file": name,
        "dry_run": False,
        "imported": len(before),
        "kept": 0,
        "expired": 0,
        "rejected": 0,
        "changed": 0,
        "backup": None,
        "reasons": [],
        "evicted": 0,
    }
    assert_same(before, held(any_server))


def test_an_archive_goes_through_pipes(anywhere: Pawsctl, any_server: Server) -> None:
    """Dashes mean stdout and stdin; messages go to stderr."""
    fill(any_server)
    before = held(any_server)
    exported = anywhere("session", "export", "-", "--json")
    assert exported.status == ExitStatus.OK
    assert f"Exported {len(before)} sessions" in exported.err
    assert len(exported.out.splitlines()) == len(before) + 2
    anywhere("session", "flush", "--yes")
    imported = anywhere("session", "import", "-", stdin=exported.out)
    assert f"Imported {len(before)} sessions" in imported.text
    assert_same(before, held(any_server))


def test_an_archive_on_stdout_shows_nothing_dangerous(pawsctl: Pawsctl, server: Server) -> None:
    """A terminal may show it: such characters are escaped, and the values are the same."""
    values = {
        "wh:session:+1": '{"status":"a\x7fb\u202ec\u0085d","messages":[]}',
        "wh:session:+2": "no JSON: \x1b[2J \u2028 \U000e0041 👩\u200d👧 ñ",
    }
    for key, value in values.items():
        server.client.set(key, value)
    exported = pawsctl("session", "export", "-").out
    assert (
        re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\U000e0041]", exported.decode()) is None
    )
    body, _, trailer = exported.rstrip(b"\n").rpartition(b"\n")
    assert hashlib.sha256(body + b"\n").hexdigest().encode() in trailer
    server.client.flushall()
    assert pawsctl("session", "import", "-", stdin=exported).status == ExitStatus.OK
    assert server.client.mget(values) == [each.encode() for each in values.values()]


def test_an_archive_of_nothing_is_an_archive(pawsctl: Pawsctl, server: Server) -> None:
    """An empty Redis gives a valid archive, and its import succeeds."""
    assert pawsctl("session", "export", "a.jsonl", "--json").json["sessions"] == 0
    assert pawsctl("session", "import", "a.jsonl", "--json").json["imported"] == 0
    assert server.client.dbsize() == 0


def test_lines_longer_than_a_block_survive(pawsctl: Pawsctl, server: Server) -> None:
    """Archives are read in blocks of a megabyte."""
    for number in range(5):
        server.client.set(f"wh:session:+{number}", os.urandom(16).hex() * 70_000)
    before = held(server)
    pawsctl("session", "export", "a.jsonl")
    server.client.flushall()
    assert pawsctl("session", "import", "a.jsonl").status == ExitStatus.OK
    assert_same(before, held(server))


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("piped", [False, True], ids=["file", "stdin"])
def test_a_truncated_archive_changes_nothing(
    pawsctl: Pawsctl, server: Server, tmp_path: Path, name: str, piped: bool
) -> None:
    """This holds wherever it was cut."""
    fill(server)
    pawsctl("session", "export", name)
    server.client.flushall()
    whole = (tmp_path / name).read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1 if name == "a.jsonl" else len(whole) - 9
    for size in (0, 1, 40, len(whole) // 2, last, len(whole) - 3):
        (tmp_path / name).write_bytes(whole[:size])
        if piped:
            result = pawsctl("session", "import", "-", "--json", stdin=whole[:size])
        else:
            result = pawsctl("session", "import", name, "--json")
        assert result.status == ExitStatus.FAILED, size
        assert result.out == b""
        assert "archive" in result.error["message"] + result.error["hint"]
        assert server.client.dbsize() == 0


def test_a_tampered_archive_changes_nothing(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """A byte that differs, a line missing or added, another header, data after the trailer."""
    for number in range(3):
        server.client.set(f"wh:session:+{number}", b"value")
    pawsctl("session", "export", "a.jsonl")
    server.client.flushall()
    whole = (tmp_path / "a.jsonl").read_bytes()
    lines = whole.splitlines(keepends=True)
    tampered = [
        whole.replace(b'value"}', b'VALUE"}', 1),
        whole.replace(server.url.encode(), b"redis://elsewhere"),
        b"".join([*lines[:2], *lines[3:]]),
        b"".join([*lines[:2], lines[1], *lines[2:]]),
        b"".join([lines[0], lines[2], lines[1], *lines[3:]]),
        whole + lines[1],
        whole.replace(b"\n", b"\r\n"),
        whole.replace(b'"count":3', b'"count":4'),
        b"".join(lines[1:]),
    ]
    for content in tampered:
        assert content != whole
        (tmp_path / "b.jsonl").write_bytes(content)
        result = pawsctl("session", "import", "b.jsonl", "--json")
        assert result.status == ExitStatus.FAILED, content
        assert server.client.dbsize() == 0


def test_what_is_no_archive_is_told_from_a_newer_one(
    pawsctl: Pawsctl, server: Server, tmp_path: Path
) -> None:
    """The two errors have different hints."""
    (tmp_path / "a.jsonl").write_text('{"a":1}\n{"b":2}\n')
    assert "is no archive of sessions" in pawsctl("session", "import", "a.jsonl").err
    write(tmp_path / "b.jsonl", [], header=HEADER | {"version": 2})
    assert "use a newer one" in pawsctl("session", "import", "b.jsonl").err
    missing = pawsctl("session", "import", "c.jsonl")
    assert missing.status == ExitStatus.USAGE
    assert "c.jsonl can't be read: No such file or directory" in missing.err
    assert server.client.dbsize() == 0


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.jsonl", data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("packed", "command"),
    [
        (bz2.compress, "bzip2 -dc"),
        (lzma.compress, "xz -dc"),
        (_zipped, "unzip -p"),
        # A frame with one block as it is.
        (lambda _data: bytes.fromhex("28b52ffd20010900007b"), "zstd -dc"),
    ],
    ids=["bzip2", "xz", "zip", "zstd"],
)
@pytest.mark.parametrize("piped", [False, True], ids=["file", "stdin"])
def test_what_another_program_compressed_is_told_from_damage(
    pawsctl: Pawsctl,
    server: Server,
    packed: Callable[[bytes], bytes],
    command: str,
    piped: bool,
) -> None:
    """The archive in it may be sound; the hint says how to unpack it."""
    server.client.set("wh:session:+1", b"{}")
    pawsctl("session", "export", "a.jsonl")
    data = packed((pawsctl.folder / "a.jsonl").read_bytes())
    (pawsctl.folder / "a").write_bytes(data)
    for verb in ("import", "verify"):
        result = pawsctl("session", verb, "-" if piped else "a", "--json", stdin=data)
        assert result.status == ExitStatus.FAILED
        name = "The archive on stdin" if piped else "a"
        assert result.error["message"] == f"{name} is compressed by another program than gzip."
        assert f"'{command}'" in result.error["hint"]
        assert "another archive" not in result.error["hint"]
