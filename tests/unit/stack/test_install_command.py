"""How to add the embedded server, by the way in which pawsctl was installed."""

from pathlib import Path
from typing import Any

import pytest

from pawsctl.stack.engine.embedded.install_command import command_for

PYTHON = "/env/bin/python"
INDEX: dict[str, Any] = {}
GIT: dict[str, Any] = {
    "url": "https://example.com/p.git",
    "vcs_info": {"vcs": "git", "commit_id": "1"},
}


@pytest.mark.parametrize(
    ("marker", "has_pip", "begins"),
    [
        ("pipx_metadata.json", True, "pipx install --force"),
        ("uv-receipt.toml", False, "uv tool install --force"),
        ("", True, f"{PYTHON} -m pip install"),
        ("", False, f"uv pip install --python {PYTHON}"),
    ],
)
def test_the_command_is_that_of_the_program_that_installed_it(
    tmp_path: Path, marker: str, has_pip: bool, begins: str
) -> None:
    """pipx and uv leave a file in the environment; uv's environments have no pip."""
    if marker:
        (tmp_path / marker).touch()

    def told(origin: dict[str, Any]) -> str:
        return command_for(origin, prefix=tmp_path, python=PYTHON, has_pip=has_pip)

    wheel = tmp_path / "a wheel.whl"
    wheel.touch()
    assert told(INDEX) == f"{begins} 'pawsctl[embedded]'"
    assert told({"url": wheel.as_uri()}) == f"{begins} '{wheel}[embedded]'"
    assert told({"url": "file:///gone"}) == f"{begins} 'pawsctl[embedded]'"
    assert told(GIT) == f"{begins} 'pawsctl[embedded] @ git+https://example.com/p.git'"


def test_a_checkout_stays_editable(tmp_path: Path) -> None:
    """Its own folder is installed again."""
    origin = {"url": tmp_path.as_uri(), "dir_info": {"editable": True}}
    told = command_for(origin, prefix=tmp_path, python=PYTHON, has_pip=True)
    assert told == f"{PYTHON} -m pip install --editable '{tmp_path}[embedded]'"
