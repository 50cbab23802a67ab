"""`make bench`: measure every bar in one run and write RESULTS.md beside this file.

It takes 20 minutes on two idle cores, and no command in it more than ten. A run that fails leaves
the last RESULTS.md. `make bench-quick` takes a minute, with a tenth of the sessions and without
what needs Docker, npm or a million sessions; it writes nothing.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from benchmarks import cases, serve
from benchmarks.redis_server import Store
from benchmarks.report import Report

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Run every case and write the report."""
    # A shell has what it runs in the background ignore Ctrl-C, and what is measured would inherit
    # that: a watch would go on for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="fewer sessions, runs and cases")
    parser.add_argument("--only", default="", help="only cases whose name holds this")
    options = parser.parse_args()
    scale = cases.Scale.quick() if options.quick else cases.Scale.full()
    is_minute = options.quick and not options.only
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        # Else the changes that are measured would stand in the user's own audit log.
        os.environ["XDG_STATE_HOME"] = str(Path(name) / "state")
        store = Store(Path(name))
        store.start()
        try:
            if options.only:
                store.seed(scale.sessions)
            for case in cases.QUICK if is_minute else (*cases.ALL, serve.served):
                if options.only in case.__name__:
                    sys.stderr.write(f"{case.__name__} …\n")
                    case(store, scale, report)
        finally:
            store.stop()
    if options.quick:
        report.note(
            "With a tenth of the sessions, each start weighs ten times as much: what it outweighs "
            "has its bar in `make bench` alone."
        )
    text = report.markdown(store)
    sys.stdout.write(text)
    if not options.quick and not options.only:
        whole = RESULTS.with_suffix(".new")
        whole.write_text(text, "utf-8")
        whole.replace(RESULTS)
    sys.exit(0 if report.holds else 1)


if __name__ == "__main__":
    main()
