"""Run a redis-cli that is logged in to this project's Redis."""

import os
import subprocess
from collections.abc import Callable, Sequence

from pawsctl.config.settings import StackSettings
from pawsctl.connection import read_list
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.events import Emit
from pawsctl.stack.project import project


def only_reads(arguments: Sequence[str]) -> bool:
    """Return whether redis-cli, run with these arguments, sends a single command that reads.

    Of redis-cli's own options, only the database (-n) may precede the command.
    """
    words = list(arguments)
    while len(words) > 1 and words[0] == "-n":
        del words[:2]
    return bool(words) and read_list.only_reads(words)


def client(
    settings: StackSettings,
    arguments: Sequence[str],
    *,
    terminal: bool,
    emit: Emit,
    write: Callable[[bytes], None] | None = None,
) -> int:
    """Run a redis-cli that is logged in to this project's Redis, and return its exit status.

    Its input and output are ours; `terminal` says whether they are a terminal. If `write` is given,
    it gets each line of the output instead. Raises OperationFailed if Redis does not run or no
    redis-cli is found.
    """
    here = project.load(settings)
    command = engine_of(here, emit).client(arguments, terminal=terminal)
    environment = {**os.environ, **command.environment}
    output = subprocess.PIPE if write else None
    with subprocess.Popen(command.arguments, env=environment, stdout=output) as process:  # noqa: S603
        try:
            for line in process.stdout or ():
                if write:
                    write(line)
            status = process.wait()
        except BaseException:
            process.kill()
            raise
    # If a signal has ended it, the status is 128 + signal, as in a shell.
    return status if status >= 0 else 128 - status
