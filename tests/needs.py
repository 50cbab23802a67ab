"""Skip or fail a test if this machine lacks something that the test needs."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test, or fail it if PAWSCTL_TEST_NO_SKIPS=1.

    The variable marks a machine that was prepared to run everything: there, a skip would hide a
    gap in the preparation.
    """
    # `from None`: the reason already says what matters of an error that is being handled.
    if os.environ.get("PAWSCTL_TEST_NO_SKIPS") == "1":
        message = f"skips are forbidden here (PAWSCTL_TEST_NO_SKIPS=1): {reason}"
        raise pytest.fail.Exception(message, pytrace=False) from None
    raise pytest.skip.Exception(reason) from None
