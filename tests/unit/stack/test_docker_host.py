"""Detection of Docker Engines whose host network is not this machine's."""

import sys
from typing import Any

import pytest

from pawsctl.errors import NoEngine
from pawsctl.stack.engine.docker.sdk.sdk_client import check_host_network


class _Engine:
    """A stand-in for a remote engine's client: returns these facts from `info`."""

    def __init__(self, **about: Any) -> None:
        self._about = about

    def info(self) -> dict[str, Any]:
        return self._about


def _check(**about: Any) -> None:
    check_host_network(_Engine(**about))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"OperatingSystem": "Docker Desktop"}, "virtual machine"),
        (
            {"OperatingSystem": "Debian", "SecurityOptions": ["name=seccomp", "name=rootless"]},
            "Rootless",
        ),
    ],
)
def test_another_host_is_refused_with_the_reason(about: dict[str, Any], words: str) -> None:
    """The error says what to do instead."""
    with pytest.raises(NoEngine, match=words) as caught:
        _check(**about)

    assert "PAWSCTL_ENGINE=embedded" in caught.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every engine is in a machine")
def test_an_engine_of_this_machine_is_taken() -> None:
    """For example on any Linux."""
    _check(OperatingSystem="Debian GNU/Linux 12", SecurityOptions=["name=seccomp"])
