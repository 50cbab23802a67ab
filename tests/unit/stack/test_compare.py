"""Two servers compared by their INFO."""

import pytest

from pawsctl.stack.engine.docker.takeover import compare


@pytest.mark.parametrize(
    ("info", "missing"),
    [
        ({"db0": "keys=10,expires=4"}, 0),
        ({"db0": "keys=9,expires=4"}, 1),
        ({"db0": "keys=8,expires=2"}, 2),
        ({"db0": "keys=8,expires=2", "expired_keys": "2"}, 0),
        # A key that never expires can't have expired.
        ({"db0": "keys=9,expires=4", "expired_keys": "1"}, 1),
        ({"db1": "keys=10,expires=4"}, 6),
        ({"expired_keys": "4"}, 6),
        ({}, 10),
        ({"db0": "keys=20,expires=0"}, 0),
    ],
)
def test_keys_that_are_missing_are_counted(info: dict[str, str], missing: int) -> None:
    """But for those that may have expired."""
    assert compare.missing({"db0": (10, 4)}, info) == missing
