"""What a test does where this machine lacks something that it needs."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test, or fail it where PAWSCTL_TEST_NO_SKIPS=1.

    A machine that was prepared to run everything says so by that variable: there, what would be
    a skip elsewhere is a hole in the preparation, and must not pass unseen.
    """
    # `from None`: called while an error is handled, the reason says of it what matters.
    if os.environ.get("PAWSCTL_TEST_NO_SKIPS") == "1":
        message = f"skips are forbidden here (PAWSCTL_TEST_NO_SKIPS=1): {reason}"
        raise pytest.fail.Exception(message, pytrace=False) from None
    raise pytest.skip.Exception(reason) from None
