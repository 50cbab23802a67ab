"""`python -m tests.standins`: build, push or remove the stand-ins."""

from __future__ import annotations

import argparse
import sys
import time

from tests.standins import engine
from tests.standins.images import STANDINS, ensure, remove
from tests.standins.machine import CannotBuildError


def main() -> int:
    """Do what the arguments say, one line of report per image."""
    parser = argparse.ArgumentParser(prog="python -m tests.standins", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--push", metavar="HOST:PORT", help="push the images to this registry")
    what.add_argument("--remove", action="store_true", help="delete the stand-ins")
    options = parser.parse_args()
    try:
        for standin in STANDINS:
            if options.remove:
                did = "removed" if remove(standin) else "not a stand-in"
            else:
                began = time.monotonic()
                did = f"{ensure(standin).value} ({time.monotonic() - began:.1f} s)"
            if options.push:
                did += f", pushed as {engine.push(standin.image, options.push)}"
            sys.stdout.write(f"{standin.image}: {did}\n")
    except (CannotBuildError, engine.EngineError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
