"""How tests are given to parallel workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

_MODULE = """
import os, pathlib, pytest

@pytest.fixture(scope="module", params=["one", "two"])
def costly(request):
    with pathlib.Path(request.config.rootpath, "setups").open("a") as stream:
        stream.write(f"{__name__} {request.param}\\n")

@pytest.mark.parametrize("number", range(4))
def test_sharing(costly, number): pass

@pytest.mark.parametrize("number", range(4))
def test_alone(number): pass
"""


@pytest.mark.slow
def test_what_tests_share_is_set_up_once_for_all_workers(tmp_path: Path) -> None:
    """Else each of ten workers forms a topology of its own."""
    for name in ("test_a.py", "test_b.py"):
        (tmp_path / name).write_text(_MODULE)
    (tmp_path / "pytest.ini").touch()
    plugins = ["-p", "xdist", "-p", "tests.distribution"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-n", "2", "--dist", "loadgroup"],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": str(_ROOT),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert "24 passed" in done.stdout, done.stdout + done.stderr
    setups = (tmp_path / "setups").read_text().splitlines()
    assert sorted(setups) == ["test_a one", "test_a two", "test_b one", "test_b two"]
