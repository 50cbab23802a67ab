"""The generated parts of the pages, made from the code.

A part's name says what it contains: `settings`, `exit statuses`, `global options`, `index`,
`lint rules`, or the full name of a command.
"""

import re
import textwrap
from pathlib import Path
from typing import Any

from pawsctl.config.setting_specs import SETTING_SPECS
from pawsctl.errors import ExitStatus
from pawsctl.sessions.contract.rules import RULES
from tests.docs import commands, pages, results

STATUSES = {
    ExitStatus.OK: "done, healthy",
    ExitStatus.FAILED: "a check, a step or an operation failed; Redis refused",
    ExitStatus.USAGE: "wrong usage; settings that contradict each other or can't be read",
    ExitStatus.NOT_CONFIRMED: "not confirmed, or read-only",
    ExitStatus.NO_SESSION: "no such session",
    ExitStatus.UNREACHABLE: "Redis can't be reached, or refuses the login",
    ExitStatus.NO_ENGINE: "no Docker Engine, if one was asked for",
    ExitStatus.CONFLICT: "conflict: a port in use, or a container of that name that is not ours",
    ExitStatus.TIMEOUT: "timed out waiting",
    ExitStatus.PARTIAL: "partial: some nodes did not answer, or some values could not be read",
    ExitStatus.INTERRUPTED: "interrupted by Ctrl-C; 143 by SIGTERM, 129 by a closed terminal",
}

SETTINGS = {
    "REDIS_URL": "the Redis that `session …`, `backup restore`, `test-session`, `health`, `serve`, "
    "`doctor`, `redis memory` and `redis maxmemory` talk to; without it, the one of `redis up`. "
    "`--url` wins",
    "REDIS_PORT": "the port of this project's own Redis",
    "REDIS_PASSWORD": "its password; `random` has `redis up` make and keep one. Completes a "
    "`REDIS_URL` without a password on loopback only",
    "REDIS_PASSWORD_FILE": "a file with the password on its one line, for any host. A `.env` that "
    "was found, not named, may name files below its own directory and in `/run/secrets`",
    "REDISCLI_AUTH": "the password for any host, as redis-cli reads it. One from the environment "
    "is not sent to another machine that only a found `.env` names",
    "REDIS_IMAGE": "the image of its container",
    "REDIS_MAXMEMORY": "how much Redis may hold. Its container gets twice that, 512 MB at least; "
    "for `docker compose` set `REDIS_MEMORY_LIMIT` yourself",
    "REDIS_COMMANDER_IMAGE": "the image that `redis dev` adds",
    "REDIS_COMMANDER_PORT": "the port of Redis Commander",
    "REDIS_COMMANDER_USER": "the user who signs in there",
    "REDIS_COMMANDER_PASSWORD": "that user's password, for development",
    "PAWSCTL_PROJECT": "the compose project that owns containers, network and volume",
    "PAWSCTL_ENGINE": "`docker`, `embedded`, or `auto`: Docker if an engine answers, else the "
    "embedded server. One that already runs stays in use until `redis down`",
    "PAWSCTL_PROFILE": "the profile in `pawsctl.toml` whose Redis is used; it replaces `REDIS_URL` "
    "and every password but its own",
    "PAWSCTL_READ_ONLY": "`1` for read-only, as `--read-only`; what one source tightens, no other "
    "loosens",
    "PAWSCTL_MASK": "`1` shows pseudonyms for phones and blocks for what people wrote, as `--mask` "
    "([safety.md](safety.md#masking)); what one source tightens, no other loosens",
    "SESSION_PREFIX": "what the keys of all sessions begin with; pawsctl reads, writes and deletes "
    "no other key as a session",
    "SESSION_TTL": "how long a session lives at most, such as `30m` or `14d`; `never`, "
    "with `SESSION_FORMAT=raw`, if sessions need not expire",
    "SESSION_FORMAT": "`bot`, or `raw` for string values of any other application, see "
    "[applications.md](applications.md)",
    "PAWSCTL_BACKUP_HOURS": "how long [backups](safety.md#undo) are kept",
    "APP_URL": "the bot, whose `/api/health` `doctor` asks",
    "NODE_ENV": "the bot's own; where it is `development`, `serve` tells of single sessions, and "
    "where it is `production`, `--yes` alone destroys nothing",
    "PAWSCTL_SERVE_TOKEN": "the token that a request from another machine must have to be answered "
    "with a session; without a token, such requests are refused",
}


def pages_with_generated_parts() -> list[Path]:
    """Return the pages that have any."""
    return [page for page in pages.every_page() if pages.generated_names(page)]


def as_generated(page: Path) -> str:
    """Return a page's text with its generated parts made from the code."""
    return pages.with_generated(page.read_text("utf-8"), _part)


def _part(name: str) -> str:
    every = {"settings": _settings, "exit statuses": _statuses}
    every |= {"global options": _global_options, "index": _index, "lint rules": _rules}
    return every[name]() if name in every else _command(name)


def _table(rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table; the first row has its titles."""
    head, *rest = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *rest])


def _cell(text: str) -> str:
    """Return a text for a table's cell, with Markdown characters escaped."""
    return re.sub(r"([|*\\])", r"\\\1", text)


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


def _settings() -> str:
    rows: list[tuple[str, ...]] = [("setting", "default", "")]
    for known in SETTING_SPECS:
        default = f"`{known.default}`" if known.default else "none"
        rows.append((f"`{known.name}`", default, SETTINGS[known.name]))
    return _table(rows)


def _statuses() -> str:
    rows = [(str(int(status)), STATUSES[status]) for status in ExitStatus]
    return _table([("status", ""), *rows])


def _rules() -> str:
    rows = [(f"`{rule.id}`", rule.level, _cell(rule.about)) for rule in RULES]
    return _table([("rule", "level", "what holds"), *rows])


def _global_options() -> str:
    return _table([("option", ""), *map(_option, commands.global_options())])


def _option(option: Any) -> tuple[str, str]:
    """Return an option's names and value, and its help with its default."""
    value = commands.value_of(option)
    *others, last = sorted(option.opts, key=len)
    names = [*others, f"{last} {value}".rstrip()]
    default = option.default
    is_told = isinstance(default, str | int | float) and not isinstance(default, bool)
    shown = f" [{default:g}]" if isinstance(default, float) else f" [{default}]"
    text = _cell(option.help + (shown if is_told and default != "" else ""))
    return ", ".join(map(_code, names)), text


def _values(command: Any, param: Any) -> str:
    """Return a sentence with the values that an option knows, or ''."""
    known = command.values.get(param.opts[0])
    return f" Known: {', '.join(map(_code, known()))}." if known else ""


def _index() -> str:
    rows = []
    for name, command in commands.every_command().items():
        first = " ".join(command.help.split("\n\n")[0].split())
        anchor = f"pawsctl-{name}".replace(" ", "-")
        rows.append((f"[`{name}`](#{anchor})", _cell(first)))
    return _table([("command", ""), *rows])


def _command(name: str) -> str:
    """Return a command's purpose, usage and results."""
    command = commands.every_command()[name]
    own = commands.own_parameters(command)
    paragraphs = [textwrap.fill(" ".join(each.split()), 100) for each in command.help.split("\n\n")]
    paragraphs.append(f"```text\n{commands.synopsis(name, command)}\n```")
    rows: list[tuple[str, ...]] = []
    for each in own:
        is_argument = each.param_type_name == "argument"
        row = (_code(each.metavar), _cell(each.help)) if is_argument else _option(each)
        rows.append((row[0], row[1] + _values(command, each)))
    if rows:
        paragraphs.append(_table([("argument or option", ""), *rows]))
    numbers = ", ".join(map(str, commands.statuses(name, command)))
    paragraphs.append(f"Exit status: {numbers} ([what they mean](scripting.md#exit-statuses)).")
    for result in results.RESULTS[name]:
        about = ", ".join(filter(None, (result.when, result.form)))
        paragraphs.append(f"JSON{about and f' ({about})'}:")
        paragraphs.append(f"```ts\n{results.notation(result.types)}\n```")
    return "\n\n".join(paragraphs)
