"""Whether all files of an append-only file are there."""

import pytest

from pawsctl.stack.engine import append_only_files

LISTED = [f"d/appendonly.aof.{each}" for each in ("2.base.rdb", "2.incr.aof", "3.incr.aof")]
MANIFEST = b"""file appendonly.aof.2.base.rdb seq 2 type b
file appendonly.aof.1.base.rdb seq 1 type h
file appendonly.aof.2.incr.aof seq 2 type i
file "appendonly.aof.3.incr.aof" seq 3 type i startoffset 5
"""


@pytest.mark.parametrize(
    ("files", "is_whole"),
    [
        ({"d/f.manifest": MANIFEST}, False),
        ({"d/f.manifest": MANIFEST, **dict.fromkeys(LISTED, b"")}, True),
        *(
            ({"d/f.manifest": MANIFEST, **dict.fromkeys({*LISTED} - {one}, b"")}, False)
            for one in LISTED
        ),
        ({"d/f.manifest": b""}, True),
        ({"d/f.manifest": b'file "f seq 1 type b'}, False),
        ({"f": b""}, True),
        ({"d/f": b"", **dict.fromkeys(LISTED, b"")}, False),
        ({}, False),
    ],
)
def test_each_file_of_the_manifest_must_be_there(files: dict[str, bytes], is_whole: bool) -> None:
    """But for those that the server is about to remove."""
    assert append_only_files.are_there("d", "f", files.get) is is_whole
