"""Whether all data of a server is in its append-only file."""

from pawsctl.stack.engine import append_only

WRITTEN = {
    "aof_enabled": "1",
    "aof_rewrite_in_progress": "0",
    "aof_rewrite_scheduled": "0",
    "aof_last_bgrewrite_status": "ok",
}


def test_all_data_is_in_the_file_only_if_everything_says_so() -> None:
    """Old servers do not tell how the last write went."""
    assert append_only.is_written(WRITTEN)
    assert append_only.is_written({**WRITTEN, "aof_last_write_status": "ok"})
    assert not append_only.is_written({**WRITTEN, "aof_last_write_status": "err"})
    for name in WRITTEN:
        assert not append_only.is_written({**WRITTEN, name: "2"}), name
        assert not append_only.is_written({k: v for k, v in WRITTEN.items() if k != name}), name
