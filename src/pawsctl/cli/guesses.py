"""Names of commands and options that people know from other programs, and what they mean here."""

import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import typer

from pawsctl.cli.help_text import summary
from pawsctl.errors import UsageError

_SESSION = {
    **dict.fromkeys(("ls", "ps", "all", "keys", "scan"), "session list"),
    **dict.fromkeys(("search", "find", "grep"), "session list --grep TEXT"),
    **dict.fromkeys(("show", "cat", "view", "print", "read", "transcript"), "session get PHONE"),
    **dict.fromkeys(("rm", "del", "remove", "end"), "session delete PHONE"),
    **dict.fromkeys(("clear", "purge", "wipe", "drop", "reset"), "session flush"),
    **dict.fromkeys(("dump", "save"), "session export FILE"),
    **dict.fromkeys(("restore", "load"), "session import FILE"),
    **dict.fromkeys(("status", "info", "count", "size", "statistics"), "session stats"),
    **dict.fromkeys(("expire", "extend", "renew"), "session touch PHONE"),
    **dict.fromkeys(("check", "validate"), "session lint"),
    **dict.fromkeys(("monitor", "tail", "follow"), "session watch"),
    **dict.fromkeys(("fake", "generate"), "session seed N"),
    **dict.fromkeys(("fix", "mend", "unstick"), "session repair PHONE"),
    **dict.fromkeys(("vi", "vim", "set", "change"), "session edit PHONE"),
    **dict.fromkeys(("forget", "gdpr", "anonymize"), "session erase PHONE"),
    **dict.fromkeys(("cp", "mv", "migrate", "sync", "clone"), "session copy --to URL|PROFILE"),
    **dict.fromkeys(("wait", "waiting", "queue"), "session list --waiting"),
    "open": "session get PHONE",
    "test": "test-session",
}
_REDIS = {
    **dict.fromkeys(("ps", "ls", "list", "show", "info", "port", "url"), "redis status"),
    **dict.fromkeys(("run", "create"), "redis up"),
    **dict.fromkeys(("rm", "remove", "delete", "destroy", "clean", "prune"), "redis down"),
    **dict.fromkeys(("pull", "upgrade", "update"), "redis up --pull always"),
    "kill": "redis stop",
    **dict.fromkeys(("wait", "healthcheck"), "health --wait 60s"),
    **dict.fromkeys(("exec", "shell", "sh", "redis-cli"), "redis cli"),
    **dict.fromkeys(("log", "tail"), "redis logs"),
    **dict.fromkeys(("flush", "flushall", "flushdb", "wipe"), "redis reset"),
    **dict.fromkeys(("ping", "check"), "health"),
    **dict.fromkeys(("ui", "commander", "open"), "redis dev"),
}
_ROOT = {
    **dict.fromkeys(("ps", "info"), "redis status"),
    **dict.fromkeys(("ping", "check"), "health"),
    **dict.fromkeys(("settings", "env", "configuration"), "config"),
    **dict.fromkeys(("diagnose", "debug"), "doctor"),
    **dict.fromkeys(("metrics", "web", "server", "http", "api"), "serve"),
    **dict.fromkeys(("wait", "healthcheck"), "health --wait 60s"),
    **dict.fromkeys(("undo", "rollback"), "backup restore --latest"),
    **dict.fromkeys(("history", "changes"), "audit list"),
    **dict.fromkeys(("login", "context", "environment"), "profile"),
    "init": "redis up",
    "sessions": "session",
    "completion": "--install-completion",
}
_BACKUP = {
    **dict.fromkeys(("ls", "ps"), "backup list"),
    **dict.fromkeys(("get", "cat", "view"), "backup show NAME"),
    **dict.fromkeys(("rm", "delete", "remove", "clean", "prune", "clear"), "backup purge NAME"),
    **dict.fromkeys(("create", "add", "make", "new", "save"), "session export FILE"),
    **dict.fromkeys(("check", "verify"), "session verify FILE"),
    **dict.fromkeys(("undo", "apply", "load"), "backup restore NAME"),
}
_PROFILE = {
    **dict.fromkeys(("ls", "ps"), "profile list"),
    **dict.fromkeys(("get", "cat", "view"), "profile show NAME"),
    **dict.fromkeys(("test", "verify", "validate", "lint"), "profile check"),
}
_AUDIT = dict.fromkeys(("ls", "ps", "show", "log", "get", "view"), "audit list")
_OF_GROUP: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "": (_ROOT, _SESSION, _REDIS),
    "session": (_SESSION, _REDIS, _ROOT),
    "redis": (_REDIS, _SESSION, _ROOT),
    "backup": (_BACKUP,),
    "profile": (_PROFILE,),
    "audit": (_AUDIT,),
}

# As near as `stats` and `status`, not as `reset` and `redis`.
_NEAR = 0.75
# As near as `--limt` and `--limit`.
_NEAR_OPTION = 0.8

# Commands, options, and what to do instead; the first that fits counts.
_OPTIONS = (
    ("redis memory", ("-p", "--port", "--host", "-a", "--pass", "--password"), "url"),
    ("redis maxmemory", ("-p", "--port", "--host", "-a", "--pass", "--password"), "url"),
    ("redis logs", ("--lines", "--last", "-l"), "Write --tail N."),
    ("redis", ("-d", "--detach", "--wait"), "Leave it out: it returns when Redis answers."),
    ("redis", ("-p", "--port"), "Set REDIS_PORT, in the environment or in .env."),
    ("redis", ("-a", "--pass", "--password"), "Set REDIS_PASSWORD, in the environment or in .env."),
    ("session", ("--since", "--newer", "--recent"), "Write --updated-within 10m."),
    ("session list", ("--desc", "--descending", "-r"), "Write --reverse."),
    ("session list", ("--all", "-a"), "Leave it out: it lists all, or by filters."),
    ("session list", ("--order", "--order-by", "--by"), "Write --sort FIELD."),
    ("session delete", ("--yes", "-y", "--force", "-f"), "Leave it out: it does not ask."),
    ("session import", ("--yes", "-y"), "Leave it out: it does not ask."),
    ("session touch", ("--yes", "-y"), "Leave it out: it does not ask."),
    ("session touch", ("--ttl", "--seconds"), "SESSION_TTL is the time that it gives."),
    ("session flush", ("--all", "-a"), "Leave it out: without a filter, it deletes all."),
    ("session flush", ("--force", "-f"), "Write --yes."),
    ("session", ("--older-than", "--older", "--inactive"), "Write --idle TIME."),
    ("session delete", ("--all", "--match"), "'pawsctl session flush' deletes all, or by filters."),
    ("session", ("-l", "--max", "--count", "--head", "--top"), "Write --limit N."),
    ("session", ("--filter", "--where", "--search"), "Filters are --match, --status, --grep …"),
    ("", ("--format",), "Write -o json, or another format."),
    ("", ("--JSON", "-j"), "Write --json."),
    ("", ("-V",), "Write --version."),
    ("", ("-p", "--port", "--host", "-a", "--pass", "--password", "-u", "--uri"), "url"),
)
# Commands that take no arguments, and what an argument may be meant for.
_ARGUMENTS = {
    "session list": "'pawsctl session get PHONE' shows one session.",
    "session flush": "'pawsctl session delete PHONE' deletes one session.",
    "session stats": "'pawsctl session get PHONE' shows one session.",
    "redis up": "Write --topology sentinel or cluster; Redis Commander comes with 'redis dev'.",
    **dict.fromkeys(
        ("redis down", "redis start", "redis stop", "redis restart", "redis reset"),
        "Leave it out: it acts on all services of this project.",
    ),
    "redis failover": "Write --topology sentinel or --topology cluster.",
}
_ID = "For an id that begins with -, write -- before it."
_URL = "Write --url redis://[USER:PASSWORD@]HOST:PORT, or set REDIS_URL."


def keep_near(error: Any) -> None:
    """Have a message on an unknown option name no other one that is hardly like it."""
    if getattr(error, "possibilities", None):
        error.possibilities = get_close_matches(
            error.option_name, error.possibilities, cutoff=_NEAR_OPTION
        )


def of_usage(error: Any) -> str:
    """Return a sentence on an option or argument that a command does not take, or ''."""
    option, ctx = getattr(error, "option_name", None), getattr(error, "ctx", None)
    if ctx is None:
        return ""
    path = ctx.command_path.removeprefix("pawsctl").strip()
    if error.message.startswith("Got unexpected extra argument"):
        return _ARGUMENTS.get(path, "")
    # A wrong value of an option has such a name, too.
    if not error.message.startswith("No such option"):
        return ""
    may_be_id = len(option or "") == 2 and any(
        each.name in ("phone", "phones") for each in ctx.command.params
    )
    told = [_ID] if may_be_id else []
    for command, names, instead in _OPTIONS:
        if option in names and f"{path} ".startswith(f"{command} ".lstrip()):
            return " ".join([_URL if instead == "url" else instead, *told])
    return " ".join(told)


def help_or_version(ctx: typer.Context, args: list[str]) -> None:
    """Print help or the version for `help [COMMAND...]` and `version`, and exit."""
    if args[0] == "version":
        # Saves 25 ms without it.
        from importlib.metadata import version

        sys.stdout.write(f"pawsctl {version('pawsctl')}\n")
        raise typer.Exit
    if args[0] == "help":
        found: Any = ctx
        for word in (each for each in args[1:] if not each.startswith("-")):
            if not hasattr(found.command, "resolve_command"):
                break
            name, command, _ = found.command.resolve_command(found, [word])
            found = command.context_class(command, info_name=name, parent=found)
        sys.stdout.write(f"{found.get_help()}\n")
        raise typer.Exit


def require_known(ctx: Any, args: list[str]) -> None:
    """Raise UsageError for a command that is known by another name, or in another group."""
    name = args[0].lower()
    tables = _OF_GROUP.get(ctx.command_path.removeprefix("pawsctl").strip(), ())
    for meant in _meanings(ctx.find_root(), tables, name):
        command = _command(ctx.find_root(), meant)
        about = f": {summary(command)}" if command is not None else "."
        near = get_close_matches(name, ctx.command.list_commands(ctx), n=1, cutoff=_NEAR)
        typo = f" Did you mean '{near[0]}'?" if near else ""
        raise UsageError(
            f"No such command '{args[0]}'.{typo}",
            hint=f"Use 'pawsctl {meant}'{about}",
        )


def _meanings(root: Any, tables: tuple[Mapping[str, str], ...], name: str) -> Iterator[str]:
    """Yield the commands that a name may stand for, the likeliest first."""
    if not tables or not name.strip():
        return
    own, *others = tables
    if name in own:
        yield own[name]
    for path in (name, f"redis {name}", f"session {name}"):
        if _command(root, path) is not None:
            yield path
    for table in others:
        if name in table:
            yield table[name]


def _command(root: Any, path: str) -> Any:
    """Return the command of a full name, such as `session get PHONE`, or None."""
    found = root.command
    for word in path.split():
        if word.startswith("-") or not hasattr(found, "get_command"):
            break
        found = found.get_command(root, word)
    return None if found is root.command else found
