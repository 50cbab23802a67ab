"""A command that has several parts lets no other between them."""

import sqlite3
import time
from contextlib import closing
from itertools import groupby

from tests.stack_fixtures import Stack


def _is_free(lock: sqlite3.Connection) -> bool:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        return False
    lock.execute("ROLLBACK")
    return True


def test_a_restart_holds_the_lock_from_its_first_check_to_its_end(embedded_stack: Stack) -> None:
    """It would undo a `stop` between its halves."""
    assert embedded_stack("redis", "up").status == 0
    (path,) = (embedded_stack.folder / "state").rglob("lock")
    seen = []
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as lock:
        restart = embedded_stack.start("redis", "restart")
        while restart.poll() is None:
            seen.append(_is_free(lock))
            time.sleep(0.001)
    _, said = restart.communicate(timeout=60)
    # Two who try at once may both be refused, for a moment.
    held = [each for is_free, each in groupby(seen) if not is_free and len([*each]) > 1]

    assert restart.returncode == 0, said
    assert len(held) == 1
