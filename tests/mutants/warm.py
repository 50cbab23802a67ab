"""The process in a copy of the project that forks for each run of pytest, with libraries loaded."""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import coverage
import pytest
from hypothesis import Phase, settings

NO_MODULE = 70
"""The exit status where the module cannot even be imported."""

# Some changes make something wait for ever.
_SECONDS = 180

_OPTIONS = (
    *("-x", "-q"),
    *("-p", "no:cacheprovider", "-p", "no:randomly"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)


class Run(NamedTuple):
    """Tests to run: all in these files, or those that are named, in this order."""

    module: str
    files: list[str]
    names: Sequence[str] = ()
    seconds: int = 120
    """The most processor time: some changes make something endless."""
    record: str = ""
    """A file for the lines that each test reaches, if they are to be recorded."""


class _Plugin:
    """A pytest plugin that chooses and orders tests, repeats examples, and records lines."""

    def __init__(self, names: Iterable[str], recorded: coverage.Coverage | None) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._recorded = recorded
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Have Hypothesis try the same examples each time, and make no failing one smaller."""
        settings.register_profile(
            "mutants",
            parent=settings.get_profile("any speed"),
            derandomize=True,
            database=None,
            phases=(Phase.explicit, Phase.generate),
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that were named, or those in the files that take no seconds."""
        items[:] = [each for each in items if not _is_slow(each)]
        if self._places:
            items[:] = [each for each in items if each.nodeid in self._places]
            items.sort(key=lambda each: self._places[each.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Record for this test from here on."""
        if self._recorded:
            self._recorded.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record how long the test took."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration


def _is_slow(item: pytest.Item) -> bool:
    """Return whether a test is marked so for itself, and not for its folder."""
    marked = item.get_closest_marker("slow") is not None
    return marked and not item.nodeid.startswith("tests/integration/")


def main() -> None:
    """Load the libraries, then answer each request with the exit status of a run."""
    _load()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                os._exit(_tested(Run(*json.loads(line))))
            except BaseException:  # noqa: BLE001 - the other process goes on
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _load() -> None:
    """Import what the tests and pawsctl need, apart from themselves."""
    import pawsctl

    for each in pkgutil.walk_packages(pawsctl.__path__, "pawsctl."):
        if each.name != "pawsctl.__main__":
            importlib.import_module(each.name)
    with Path("log").open("w") as log, contextlib.redirect_stdout(log):
        # Pytest's plugins, and what the fixtures need.
        pytest.main([*_OPTIONS, "--collect-only", "tests/unit/test_durations.py"])
    for name in [each for each in sys.modules if each.partition(".")[0] in ("pawsctl", "tests")]:
        del sys.modules[name]
    gc.freeze()


def _tested(run: Run) -> int:
    os.setsid()
    with Path("log").open("wb") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    for number in (signal.SIGXCPU, signal.SIGALRM):
        signal.signal(number, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_CPU, (run.seconds, run.seconds + 10))
    signal.alarm(_SECONDS)
    recorded = None
    if run.record:
        recorded = coverage.Coverage(run.record, config_file=False, source_pkgs=["pawsctl"])
        recorded.start()
    if run.module:
        try:
            importlib.import_module(run.module)
        except Exception:  # noqa: BLE001 - whatever its code raises
            return NO_MODULE
    plugin = _Plugin(run.names, recorded)
    status = pytest.main([*_OPTIONS, *run.files], plugins=[plugin])
    if recorded:
        recorded.stop()
        recorded.save()
        Path(f"{run.record}.json").write_text(json.dumps(plugin.seconds), "utf-8")
    return int(status)


if __name__ == "__main__":
    main()
