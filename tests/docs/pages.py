"""README.md and the pages in docs/, and their parts."""

import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
COMMANDS = DOCS / "commands.md"
SETTINGS = DOCS / "settings.md"
SCRIPTING = DOCS / "scripting.md"
PRODUCTION = DOCS / "production.md"
TASKS = DOCS / "tasks.md"

_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_GENERATED = re.compile(
    r"(<!-- generated: (?P<name>[^>]*?) -->\n).*?(\n<!-- end of generated -->)", re.DOTALL
)


def every_page() -> list[Path]:
    """Return README.md, CONTRIBUTING.md and all pages in docs/."""
    return [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]


def parts(page: Path, section: str) -> tuple[str, str, str]:
    """Split a page: before a second-level heading, from there to the next, and after that.

    An empty `section` is the whole page.
    """
    text = page.read_text("utf-8")
    if not section:
        return "", text, ""
    begin = text.index(f"\n## {section}\n")
    end = text.find("\n## ", begin + 1)
    end = end if end > 0 else len(text)
    return text[:begin], text[begin:end], text[end:]


def blocks(page: Path, section: str = "") -> list[str]:
    """Return the console blocks of a section, or of the whole page."""
    return _BLOCK.findall(parts(page, section)[1])


def with_generated(text: str, write: Callable[[str], str]) -> str:
    """Return a page's text with each generated part replaced by what `write` returns for its name.

    Such a part stands between `<!-- generated: NAME -->` and `<!-- end of generated -->`.
    """
    return _GENERATED.sub(lambda found: f"{found[1]}\n{write(found['name'])}\n{found[3]}", text)


def generated_names(page: Path) -> list[str]:
    """Return the names of a page's generated parts."""
    return [found["name"] for found in _GENERATED.finditer(page.read_text("utf-8"))]
