"""Run a redis-cli that is logged in to this project's Redis."""

import os
import subprocess
from collections.abc import Callable, Sequence

from pawsctl.config.settings import StackSettings
from pawsctl.stack.engine.choose import engine_of
from pawsctl.stack.events import Emit
from pawsctl.stack.project import project


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
