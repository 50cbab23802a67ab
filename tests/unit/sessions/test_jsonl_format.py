"""The lines of archives."""

import contextlib
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pawsctl.errors import OperationFailed
from pawsctl.sessions.archive import jsonl_format as archive
from pawsctl.sessions.archive import read
from pawsctl.sessions.archive.jsonl_format import Header, Rejected, Trailer
from pawsctl.sessions.contract.keyspace import BOT, Keyspace
from pawsctl.sessions.contract.saved import Saved

PREFIX = "wh:session:"
KEY = f"{PREFIX}+12"
ENTRY = {"phone": "+12", "key": KEY, "expires_at": 5, "value": "{}"}


def test_an_archive_of_the_bots_sessions_begins_plainly() -> None:
    """All that is as usual is left out."""
    line = archive.header("redis://h", 1_767_225_600.9, BOT)
    assert line == (
        b'{"format":"pawsctl sessions","version":1,"source":"redis://h",'
        b'"exported_at":"2026-01-01T00:00:00Z"}\n'
    )
    assert archive.trailer(3, "sha256:ab") == b'{"count":3,"checksum":"sha256:ab"}\n'


def test_an_archive_says_what_is_not_as_usual() -> None:
    """Another application's prefix, what it was kept for, and that it is masked."""
    kept = {"kept_before": "session flush", "kept_hours": 1.5, "masked": True}
    line = archive.header("redis://h", 0, Keyspace("app:", 60, "raw"), **kept)  # type: ignore[arg-type]
    assert json.loads(line) == {
        "format": "pawsctl sessions",
        "version": 1,
        "source": "redis://h",
        "exported_at": "1970-01-01T00:00:00Z",
        "prefix": "app:",
        "values": "raw",
        **kept,
    }


@pytest.mark.parametrize(
    ("more", "is_header"),
    [
        ({}, True),
        ({"prefix": "a:"}, True),
        ({"prefix": "a"}, False),
        ({"kept_hours": 100_000}, True),
        ({"kept_hours": 100_001}, False),
        ({"kept_hours": -1}, False),
        ({"values": "bot"}, False),
    ],
)
def test_a_header_is_within_bounds(more: dict[str, Any], is_header: bool) -> None:
    """Else it is none."""
    line = json.dumps({**json.loads(archive.header("redis://h", 0, BOT)), **more})
    found = archive.read_line(line.encode(), Header)
    assert (found is not None) is is_header
    if found and not more:
        assert (found.prefix, found.kept_before, found.masked, found.kept_hours) == (
            None, "", False, 0,
        )  # fmt: skip


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b'{"count":"3"}', b'{"count":3,"checksum":"\xff"}']
)
def test_what_is_no_trailer_is_none(line: bytes) -> None:
    """A line that was cut off, for example."""
    assert archive.read_line(line, Trailer) is None
    assert archive.read_line(archive.trailer(3, "x"), Trailer) == Trailer(3, "x")


@pytest.mark.parametrize(
    "saved",
    [
        Saved(KEY.encode(), b'{"a":"\xc3\xa4"}', 5),
        Saved(KEY.encode(), b"", None),
        Saved(KEY.encode(), b"\xff\x00", 0),
        Saved(KEY.encode() + b"\xff", b"##[group]", 5),
        Saved(KEY.encode() + b"\xff", b"\xff", 5),
    ],
)
@pytest.mark.parametrize("undo", [False, True])
def test_every_session_comes_back_from_its_line(saved: Saved, undo: bool) -> None:
    """Byte by byte."""
    line = archive.lines([saved], PREFIX)
    assert b"##[" not in line
    assert json.loads(line)["phone"].startswith("+12")
    assert archive.read_lines(line * 2, PREFIX, undo=undo) == [saved, saved]


@pytest.mark.parametrize("key", [KEY.encode(), KEY.encode() + b"\xff"])
def test_a_key_that_is_no_string_comes_back_for_undo_only(key: bytes) -> None:
    """Only undo restores the reply to DUMP."""
    saved = Saved(key, b"\x00\xff", 5, "hash")
    line = archive.lines([saved], PREFIX)
    assert archive.read_lines(line, PREFIX, undo=True) == [saved]
    (found,) = archive.read_lines(line, PREFIX)
    assert str(found) == "it has not one of value and value_base64"


def test_a_seen_mark_comes_back_for_undo_only() -> None:
    """It is no session."""
    saved = Saved(b"wh:seen:m", b"1", 5)
    line = archive.lines([saved], PREFIX)
    assert archive.read_lines(line, PREFIX, undo=True) == [saved]
    (found,) = archive.read_lines(line, PREFIX)
    assert str(found) == f"the key 'wh:seen:m' does not begin with {PREFIX}"


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"value_base64": "e30="}, "it has not one of"),
        ({"value": None}, "it has not one of"),
        ({"value": None, "value_base64": "e30"}, "the value is no base64: "),
        ({"value": None, "value_base64": "e3\u00e4="}, "the value is no base64: "),
        ({"key_base64": "!"}, "the key is no base64: "),
        ({"key": "wh:seen:m"}, "the key 'wh:seen:m' does not begin"),
        ({"key_base64": "eA=="}, "the key 'x' does not begin"),
        ({"expires_at": -1}, "no session: "),
        ({"expires_at": 2**63}, "no session: "),
        ({"expires_at": 1.5}, "no session: "),
        ({"value": 7}, "no session: "),
    ],
)
def test_a_line_that_is_no_session_says_why(more: dict[str, Any], reason: str) -> None:
    """The lines beside it are read."""
    good = json.dumps(ENTRY).encode()
    bad = json.dumps({**ENTRY, **more}).encode()
    first, found, last = archive.read_lines(b"\n".join((good, bad, good)), PREFIX)
    assert first == last == Saved(KEY.encode(), b"{}", 5)
    assert isinstance(found, Rejected)
    assert str(found).startswith(reason)
    # As a whole block, which is read in another way.
    (found,) = archive.read_lines(bad + b"\n", PREFIX)
    assert str(found).startswith(reason)


def test_lines_that_are_no_text_are_rejected() -> None:
    """Each by itself."""
    good = json.dumps({**ENTRY, "expires_at": 2**63 - 1}).encode()
    lines = [good, good.replace(b"{}", b"\xff"), b"[" * 100_000, b"", good]
    first, *others, last = archive.read_lines(b"\n".join(lines), PREFIX)
    assert first == last == Saved(KEY.encode(), b"{}", 2**63 - 1)
    assert [type(each) for each in others] == [Rejected] * 3


@pytest.mark.parametrize(
    ("length", "escapes", "is_too_long"),
    [
        (717_924_010, 0, False),
        (717_925_034, 0, False),
        (717_925_035, 0, True),
        (717_925_039, 1, False),
        (717_925_040, 1, True),
    ],
)
def test_a_line_is_too_long_for_the_largest_value(
    length: int, escapes: int, is_too_long: bool
) -> None:
    """512 MiB in base64, and two for the rest; each escape may make it five bytes longer."""
    assert archive.is_too_long(length, escapes) is is_too_long


def test_a_value_is_no_larger_than_redis_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is as large is."""
    assert archive.LONGEST_VALUE == 1 << 29
    monkeypatch.setattr(archive, "LONGEST_VALUE", 3)
    lines = archive.lines([Saved(KEY.encode(), each, 5) for each in (b"abc", b"abcd")], PREFIX)
    whole, large = archive.read_lines(lines, PREFIX)
    assert whole == Saved(KEY.encode(), b"abc", 5)
    assert str(large) == "its value has 4 bytes, and Redis holds 3"


@pytest.mark.parametrize(("length", "is_read"), [(64 * 1024, True), (64 * 1024 + 1, False)])
def test_a_header_has_64_kb_at_most(tmp_path: Path, length: int, is_read: bool) -> None:
    """A file without lines is not read into memory to look for one."""
    short = archive.header("redis://h", 0, BOT)
    line = archive.header("redis://h" + "x" * (length - len(short)), 0, BOT)
    assert len(line) == length
    path = tmp_path / "a.jsonl"
    path.write_bytes(line + archive.trailer(0, f"sha256:{sha256(line).hexdigest()}"))
    with (
        contextlib.nullcontext() if is_read else pytest.raises(OperationFailed),
        read.opened(str(path)) as found,
    ):
        assert found.header.source.endswith("x")
