"""`make bench`: measure every bar in one run and write RESULTS.md beside this file.

`make bench BENCH=--quick` takes a tenth of the sessions and one run of each, to see that it works.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import cases, serve
from benchmarks.redis_server import Store
from benchmarks.report import Report

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Run every case and write the report."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="fewer sessions, one run of each")
    parser.add_argument("--only", default="", help="only cases whose name holds this")
    options = parser.parse_args()
    scale = cases.Scale.quick() if options.quick else cases.Scale.full()
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name))
        store.start()
        try:
            for case in (*cases.ALL, serve.served):
                if options.only in case.__name__:
                    sys.stderr.write(f"{case.__name__} …\n")
                    case(store, scale, report)
        finally:
            store.stop()
    text = report.markdown(store)
    sys.stdout.write(text)
    if not options.quick and not options.only:
        RESULTS.write_text(text, "utf-8")
    sys.exit(0 if report.holds else 1)


if __name__ == "__main__":
    main()
