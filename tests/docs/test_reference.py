"""The generated parts of the pages follow the code, and links between pages work."""

import re
import shlex
from importlib.metadata import version
from pathlib import Path

import pytest

import pawsctl
from pawsctl.config.setting_specs import SETTING_SPECS
from pawsctl.errors import ExitStatus
from tests.cli_runner import Pawsctl
from tests.docs import commands, pages, parsed_compose, reference, results

SOURCE = Path(pawsctl.__file__).parent


@pytest.mark.parametrize("page", reference.pages_with_generated_parts(), ids=lambda page: page.name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    """`make docs` would change nothing."""
    assert page.read_text("utf-8") == reference.as_generated(page), "run 'make docs'"


def test_compose_files_are_kept_as_json() -> None:
    """`make docs` would change nothing: else each command would load a parser of YAML."""
    for path, text in parsed_compose.generated().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run 'make docs'"


def test_the_example_of_a_dotenv_file_has_every_setting() -> None:
    """Each is a line in .env.example with its default, commented out."""
    lines = (pages.ROOT / ".env.example").read_text("utf-8").splitlines()
    given = dict(line[1:].split("=", 1) for line in lines if re.match(r"#[A-Z_]+=", line))
    told = {each.name: each.default or given.get(each.name) for each in SETTING_SPECS}
    assert told == {name: value for name, value in given.items() if name in told}


@pytest.mark.parametrize("name", commands.every_command())
def test_every_command_has_a_part_and_an_example(name: str) -> None:
    """They are below its own heading in docs/commands.md."""
    _, heading, text = pages.COMMANDS.read_text("utf-8").partition(f"\n### `pawsctl {name}`\n")
    assert heading, "there is no heading"
    section = text.partition("\n##")[0]
    assert f"<!-- generated: {name} -->" in section
    assert re.search(rf"^\$ .*\bpawsctl {name}\b", section, re.MULTILINE), "there is no example"


def test_every_command_has_its_results() -> None:
    """None is missing, and none is left over."""
    assert results.RESULTS.keys() == commands.every_command().keys()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        *(("session list", ""), ("session get", "+1"), ("session ttl", ""), ("session lint", "")),
        *(("session delete", "+1"), ("session seed", "3"), ("session export", "-")),
        *(("health", ""), ("doctor", ""), ("test-session", "")),
    ],
)
def test_the_status_without_a_redis_is_among_those_told(
    bare_pawsctl: Pawsctl, name: str, arguments: str
) -> None:
    """Whichever way the command connects."""
    result = bare_pawsctl("--url", "redis://127.0.0.1:1", *name.split(), *arguments.split())
    told = commands.statuses(name, commands.every_command()[name])
    assert result.status != ExitStatus.OK
    assert result.status in told


def test_every_setting_and_status_is_described() -> None:
    """None is missing, and none is left over."""
    assert list(reference.SETTINGS) == [known.name for known in SETTING_SPECS]
    assert list(reference.STATUSES) == list(ExitStatus)


def test_the_readme_stays_a_first_look() -> None:
    """It has at most 200 lines; more belongs in docs/."""
    assert len(pages.README.read_text("utf-8").splitlines()) <= 200


@pytest.mark.parametrize("page", pages.every_page(), ids=lambda page: page.name)
def test_what_is_installed_exists(page: Path) -> None:
    """Wheels have this version, and nothing is installed from an index that lacks it."""
    text = page.read_text("utf-8")
    assert set(re.findall(r"pawsctl-([\w.]+)-py3", text)) <= {version("pawsctl")}
    assert not re.search(r"install '?pawsctl(?!-)\b", text)


@pytest.mark.parametrize("page", pages.every_page(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Each leads to a file of the repository, and to a heading that is in it."""
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]*#?[^)]*)\)", text):
        name, _, anchor = target.partition("#")
        if name.startswith(("http:", "https:")):
            continue
        found = (page.parent / name).resolve() if name else page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


def test_the_files_of_the_architecture_exist() -> None:
    """They are below src/pawsctl, or the repository's root."""
    text = (pages.DOCS / "architecture.md").read_text("utf-8")
    for name in re.findall(r"`([\w/.]+(?:\.py|\.yaml|/))`", text):
        assert (SOURCE / name).exists() or (pages.ROOT / name).exists(), name


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def mentioned(page: Path) -> list[str]:
    """Return the pawsctl command lines in backticks in a page's prose and tables."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?pawsctl ([^`]+)`", text)


@pytest.mark.parametrize("page", pages.every_page(), ids=lambda page: page.name)
def test_commands_and_options_in_the_text_exist(page: Path) -> None:
    """A renamed command or option fails on every page that names it."""
    every = commands.every_command()
    groups = {name.split()[0] for name in every}
    shared = {each for option in commands.global_options() for each in option.opts}
    for line in mentioned(page):
        words = shlex.split(line.replace("…", ""))
        if words[0].startswith("-") or (words[0] in groups and len(words) == 1):
            continue
        name = words[0] if words[0] in every else " ".join(words[:2])
        assert name in every, line
        options = {each for parameter in every[name].params for each in parameter.opts}
        given = [each for each in words if each.startswith("--") and each != "--"]
        assert set(given) <= options | shared | {"--help"}, line
