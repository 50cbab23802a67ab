"""A copy of the project in which mutants are tried, one after the other.

It has an environment of its own with the same libraries, so that every process that a test starts
imports the mutant.
"""

import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import coverage

from tests.mutants.operators import Mutant
from tests.mutants.warm import NO_MODULE, Run

_TRACKED = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
_SURVIVED = (0, 5)  # passed, or there was none


class Workplace:
    """A copy of the project in a folder, with a process that has loaded the libraries."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        names = subprocess.run(_TRACKED, capture_output=True, check=True, text=True).stdout
        for name in filter(os.path.isfile, names.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, folder / name)
        self._process = subprocess.Popen(
            [_environment(folder), "-m", "tests.mutants.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            text=True,
            # Bytecode of what does not change is kept.
            env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
        )
        # The process ends with this one, which holds the other end of its stdin.
        # Python compiles a module anew if it has another time than its bytecode says.
        self._time = 1_000_000_000

    def recorded(self) -> "Recorded":
        """Run the unit tests; return what each of them reaches."""
        data = self._folder / "data"
        self._require(Run("", ["tests/unit"], seconds=600, record=str(data)))
        return Recorded(self._folder, data)

    def require(self, file: str) -> None:
        """Run the tests in a file. Raises SystemExit if they fail on the code as it is."""
        self._require(Run("", [file]))

    def _require(self, run: Run) -> None:
        if self._run(run):
            raise SystemExit((self._folder / "log").read_text("utf-8", "replace"))

    def outcome(self, mutant: Mutant, recorded: "Recorded", commands: list[str]) -> str:
        """Try a mutant: `killed`, `survived`, or `no module` if Python can't import it."""
        original = (self._folder / mutant.path).read_text("utf-8")
        self._write(mutant.path, mutant.source)
        try:
            module = ".".join(mutant.path.with_suffix("").parts[1:])
            for run in recorded.runs(module, mutant.path, mutant.line):
                if (status := self._run(run)) not in _SURVIVED:
                    return "no module" if status == NO_MODULE else "killed"
            for each in commands:
                run = Run(module, [each])
                # Twice, for a test of a command may also fail for another reason.
                if self._run(run) not in _SURVIVED and self._run(run) not in _SURVIVED:
                    return "killed"
            return "survived"
        finally:
            self._write(mutant.path, original)

    def _write(self, path: Path, source: str) -> None:
        self._time += 10
        (self._folder / path).write_text(source, "utf-8")
        os.utime(self._folder / path, (self._time, self._time))

    def _run(self, run: Run) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(run) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def _environment(folder: Path) -> Path:
    """Make an environment with this one's libraries and the copy's code; return its Python."""
    venv.EnvBuilder(symlinks=True).create(folder / ".venv")
    (libraries,) = folder.glob(".venv/lib/python*/site-packages")
    (libraries / "copy.pth").write_text(f"{folder / 'src'}\n{sysconfig.get_path('purelib')}\n")
    python = folder / ".venv" / "bin" / "python"
    _, _, code = Path(sysconfig.get_path("scripts"), "pawsctl").read_text().partition("\n")
    script = python.with_name("pawsctl")
    script.write_text(f"#!{python}\n{code}")
    script.chmod(0o755)
    return python


class Recorded:
    """The lines that each unit test reaches."""

    def __init__(self, folder: Path, data: Path) -> None:
        self._folder = folder
        self._data = coverage.CoverageData(str(data))
        self._data.read()
        self._seconds: dict[str, float] = json.loads(data.with_suffix(".json").read_text())
        files = {each.partition("::")[0] for each in self._seconds}
        self._files = {each: (folder / each).read_text("utf-8") for each in files}

    def runs(self, module: str, path: Path, line: int) -> Iterator[Run]:
        """Yield runs of the tests that reach a line, then of others that may use its module.

        Other tests may use what was once made there, such as a constant or a cached result.
        """
        by_line = self._data.contexts_by_lineno(str(self._folder / path))
        known = [each for each in by_line if each <= line]
        nearest = set(by_line[max(known)]) if known else set()
        others = {name for names in by_line.values() for name in names} - nearest
        named = re.compile(rf"\b{module.rpartition('.')[2]}\b")
        files = {each for each in self._files if named.search(self._files[each])}
        others |= {each for each in self._seconds if each.partition("::")[0] in files} - nearest
        for found in (nearest, others):
            took = {name: self._seconds[name] for name in found if name}
            if took:
                names = sorted(took, key=took.__getitem__)
                where = sorted({each.partition("::")[0] for each in names})
                yield Run(module, where, names, 10 + 3 * int(sum(took.values())))
