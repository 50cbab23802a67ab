"""The scripts that make a shell ask pawsctl, and their installation.

Typer offers no public way to replace its scripts.
"""

import contextlib
import io
from typing import Any

from pawsctl.cli.completion import FILES
from pawsctl.errors import UsageError

_BASH = f"""\
_pawsctl_completion() {{
    local IFS=$'\\n' reply status
    reply=$(env COMP_WORDS="${{COMP_WORDS[*]}}" COMP_CWORD="$COMP_CWORD" \\
        _PAWSCTL_COMPLETE=complete_bash "$1" 2>/dev/null)
    status=$?
    COMPREPLY=( $reply )
    if [[ $status == {FILES} ]]; then
        compopt -o default 2>/dev/null
    fi
}}

# bash before 4.4 sorts, and knows files alone where there is nothing else.
complete -o nosort -F _pawsctl_completion pawsctl 2>/dev/null ||
    complete -o default -F _pawsctl_completion pawsctl
"""

_ZSH = """\
#compdef pawsctl

_pawsctl_completion() {
  eval "$(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" \\
    _PAWSCTL_COMPLETE=complete_zsh ${~words[1]} 2>/dev/null)"
}

if [[ $funcstack[1] == _pawsctl ]]; then
  _pawsctl_completion
fi
compdef _pawsctl_completion pawsctl
"""


def of(shell: str) -> str:
    """Return the script of a shell. Raises UsageError for one that has none."""
    shared = _typers()
    if shell not in shared._completion_scripts:
        raise UsageError(
            "There is no completion for this shell.",
            hint="Run this command in bash, zsh, fish or PowerShell.",
        )
    made: str = shared.get_completion_script(
        prog_name="pawsctl", complete_var="_PAWSCTL_COMPLETE", shell=shell
    )
    return made.strip() + "\n"


def of_this_shell() -> str:
    """Return the script of the shell that pawsctl was started from. Raises UsageError."""
    return of(_typers()._get_shell_name() or "")


def installed() -> str:
    """Install the script for the shell that pawsctl was started from, and say where.

    Raises UsageError if that shell has none, or if its files can't be written.
    """
    of_this_shell()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            shell, path = _typers().install(prog_name="pawsctl")
    except OSError as error:
        raise UsageError(
            f"{error.filename} can't be written: {error.strerror}.",
            hint="'pawsctl --show-completion' prints the script, to be put elsewhere.",
        ) from error
    return f"Completion for {shell} is in {path}; it works in new terminals.\n"


def _typers() -> Any:
    """Return Typer's module on shells, with our own scripts for bash and zsh."""
    from typer import _completion_shared

    # Typer's scripts offer files wherever nothing else is known.
    own = {"bash": _BASH, "zsh": _ZSH}
    _completion_shared._completion_scripts |= {
        shell: script.replace("%", "%%") for shell, script in own.items()
    }
    return _completion_shared
