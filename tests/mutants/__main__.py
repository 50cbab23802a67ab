"""`make mutants`: try a sample of the mutants of the pure modules; see the package."""

import argparse
import os
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.operators import Mutant, mutants
from tests.mutants.workplace import Workplace

_HERE = Path(__file__).parent
_CONTRACT = "pure modules touch nothing"
# So many take 20 minutes on two idle processors.
_ONE_IN = 6
_LEAST_KILLED = 0.95


def main() -> None:
    """Try the mutants and report; exit with 1 if one survives that should not."""
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--every", type=int, default=_ONE_IN, help="take one in so many")
    parser.add_argument("--only", default="", help="only modules whose path holds this")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    began = time.monotonic()
    found, count = [], 0
    for path in _modules():
        if options.only in str(path):
            some, all_of_it = mutants(path, options.every)
            found += some
            count += all_of_it
    with tempfile.TemporaryDirectory(prefix="pawsctl-mutants-") as folder:
        outcomes = _tried(found, Path(folder).resolve(), min(options.workers, len(found)))
    minutes = (time.monotonic() - began) / 60
    sys.stdout.write(
        f"{count} places to change, {len(found)} of them tried in {minutes:.0f} min.\n"
    )
    # A part may have more that is no behaviour than the whole.
    sys.exit(0 if _report(outcomes, least=0 if options.only else _LEAST_KILLED) else 1)


def _modules() -> Iterator[Path]:
    """Yield the files of the modules that the contract calls pure."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        for name in contract["source_modules"] if contract["name"] == _CONTRACT else ():
            path = Path("src", *name.split("."))
            yield from sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]


def _tried(found: list[Mutant], folder: Path, workers: int) -> dict[Mutant, str]:
    """Return what became of each mutant."""
    commands = tomllib.loads((_HERE / "commands.toml").read_text("utf-8"))
    free: SimpleQueue[Workplace] = SimpleQueue()
    for number in range(workers):
        free.put(Workplace(folder / str(number)))
    with _taken(free) as first:
        recorded = first.recorded()

    def require(file: str) -> None:
        with _taken(free) as place:
            place.require(file)

    def outcome(mutant: Mutant) -> str:
        with _taken(free) as place:
            result = place.outcome(mutant, recorded, _serving(mutant, commands))
        sys.stderr.write(f"{result:9} {_sentence(mutant)}\n")
        return result

    files = sorted({file for each in found for file in _serving(each, commands)})
    with ThreadPoolExecutor(workers) as pool:
        # A test that fails in any case would notice every change.
        list(pool.map(require, files))
        return dict(zip(found, pool.map(outcome, found), strict=True))


@contextmanager
def _taken(free: SimpleQueue[Workplace]) -> Iterator[Workplace]:
    """Take a workplace that is free, and give it back."""
    place = free.get()
    try:
        yield place
    finally:
        free.put(place)


def _serving(mutant: Mutant, commands: dict[str, list[str]]) -> list[str]:
    """Return the files of tests of the commands that a mutant's module serves."""
    inside = mutant.path.relative_to("src/pawsctl").as_posix()
    serves = max((each for each in commands if inside.startswith(each)), key=len, default="")
    return commands.get(serves, [])


def _report(outcomes: dict[Mutant, str], *, least: float) -> bool:
    """Print what survived; return whether enough were killed, and each other has its reason."""
    named = tomllib.loads((_HERE / "no_behaviour.toml").read_text("utf-8"))["mutant"]
    reasons = {(each["module"], each["before"], each["after"]): each["why"] for each in named}
    tried = {mutant: result for mutant, result in outcomes.items() if result != "no module"}
    survived = [mutant for mutant, result in tried.items() if result == "survived"]
    nameless = [mutant for mutant in survived if mutant.name not in reasons]
    wrong = [each for each in tried if each.name in reasons and each not in survived]
    killed = len(tried) - len(survived)
    share = killed / len(tried) if tried else 1.0
    lines = [
        f"{len(outcomes) - len(tried)} do not even import, and do not count.",
        f"{killed} of {len(tried)} killed: {share:.1%}; "
        f"{len(survived) - len(nameless)} are no behaviour, {len(nameless)} survived.",
        *(f"survived: {_sentence(each)}" for each in nameless),
        *(f"killed, though said to be no behaviour: {_sentence(each)}" for each in wrong),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return share >= least and not nameless


def _sentence(mutant: Mutant) -> str:
    return f"{mutant.path}:{mutant.line}: {mutant.before}  ->  {mutant.after}"


if __name__ == "__main__":
    main()
