"""The packages that are built from a checkout, as pyproject.toml describes them."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# The build adds these by itself.
ADDED = {"pyproject.toml", ".gitignore"}


def _about() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_an_sdist_has_all_that_a_checkout_has() -> None:
    """So `make demo`, `make test` and `make lint` work in it; this test also runs in an sdist."""
    included = set(_about()["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    assert [each for each in included if not (ROOT / each).exists()] == []
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, check=True, text=True
        )
        assert {each.partition("/")[0] for each in listed.stdout.splitlines()} - ADDED == included


def test_the_metadata_names_the_pages_of_the_project() -> None:
    """An index shows them beside the package."""
    assert {"Homepage", "Documentation", "Changelog", "Issues"} <= _about()["project"][
        "urls"
    ].keys()
