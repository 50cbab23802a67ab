"""`python -m tests.faults`: run the attacks, print the table, and fail if anything went wrong.

FULL=1 in the environment runs everything instead of a sample, SEED=N repeats a sample, ONLY=NAME
runs the groups whose name contains NAME. With a path as its argument, the table is written into
that document, between its two markers.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from tests.faults import groups
from tests.faults.tally import Tally, table

_BEGIN, _END = "<!-- table -->\n", "<!-- end of table -->\n"


def main(arguments: list[str]) -> int:
    """Run the attacks; return the exit status: 2 for arguments or groups that make no sense.

    With PAWSCTL_TEST_NO_SKIPS=1, an attack that this machine can't make is a failure.
    """
    # A shell has what it runs in the background ignore Ctrl-C, and that would be inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    document = Path(arguments[0]) if arguments else None
    if document is not None and not (document.is_file() and _BEGIN in document.read_text("utf-8")):
        print(f"{document} is no document with a place for the table", file=sys.stderr)
        return 2
    full = os.environ.get("FULL") == "1"
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}: SEED={seed} make faults repeats this", flush=True)
    begun = time.monotonic()
    found: dict[str, list[Tally]] = {name: [] for name in groups.GROUPS}
    for name, tally in groups.run(seed, full=full, only=os.environ.get("ONLY", "")):
        found[name].append(tally)
        state = tally.skipped or ("clean" if tally.is_clean else f"{len(tally.failures)} faults")
        print(
            f"{time.monotonic() - begun:5.0f} s  {tally.attack}: {tally.tries} tries, {state}",
            flush=True,
        )
    tallies = [tally for each in found.values() for tally in each]
    if not tallies:
        print(f"no group has that name; there are: {', '.join(groups.GROUPS)}", file=sys.stderr)
        return 2
    text = table(tallies)
    print(f"\n{text}\n", flush=True)
    # Last, where whoever reads only the end of a log finds them.
    for each in tallies:
        for line in each.failures:
            print(line, file=sys.stderr)
    if document is not None:
        _write(document, text)
    may_skip = os.environ.get("PAWSCTL_TEST_NO_SKIPS") != "1"
    return 0 if all(_is_passed(each, may_skip=may_skip) for each in tallies) else 1


def _is_passed(tally: Tally, *, may_skip: bool) -> bool:
    """Return whether an attack was made and found nothing."""
    return tally.is_clean and (may_skip if tally.skipped else tally.tries > 0)


def _write(document: Path, text: str) -> None:
    """Replace the text between the markers of a document."""
    before, _, rest = document.read_text("utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    document.write_text(f"{before}{_BEGIN}{text}\n{_END}{after}", "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
