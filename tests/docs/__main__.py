"""`python -m tests.docs` writes the generated parts of the pages, and the compose files as JSON.

With --check it only says which of them differ from the code, and exits with 1 if one does. With
--examples [KIND…] it writes what the examples really print into the pages; those of the kind
`stack` need Docker.
"""

import sys

from tests.docs import examples, parsed_compose, reference


def main(arguments: list[str]) -> int:
    """Write or check them; return the exit status."""
    if arguments[:1] == ["--examples"]:
        examples.write(arguments[1:])
        return 0
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = 0
    pages = {page: reference.as_generated(page) for page in reference.pages_with_generated_parts()}
    for page, text in (pages | parsed_compose.generated()).items():
        if not page.exists() or text != page.read_text("utf-8"):
            stale += 1
            if arguments:
                print(f"{page.name} differs from the code: run 'make docs'", file=sys.stderr)
            else:
                page.parent.mkdir(exist_ok=True)
                page.write_text(text, "utf-8")
                print(f"wrote {page.name}")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
