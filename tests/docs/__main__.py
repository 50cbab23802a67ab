"""`python -m tests.docs` writes the generated parts of the pages.

With --check it only says which pages differ from the code, and exits with 1 if one does. With
--examples [KIND…] it writes what the examples really print into the pages; those of the kind
`stack` need Docker.
"""

import sys

from tests.docs import examples, reference


def main(arguments: list[str]) -> int:
    """Write or check the pages; return the exit status."""
    if arguments[:1] == ["--examples"]:
        examples.write(arguments[1:])
        return 0
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = 0
    for page in reference.pages_with_generated_parts():
        text = reference.as_generated(page)
        if text != page.read_text("utf-8"):
            stale += 1
            if arguments:
                print(f"{page.name} differs from the code: run 'make docs'", file=sys.stderr)
            else:
                page.write_text(text, "utf-8")
                print(f"wrote {page.name}")
    return 1 if arguments and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
