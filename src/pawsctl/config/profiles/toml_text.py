"""Parse the text of a pawsctl.toml strictly, and name the line of what is wrong. Pure."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from pawsctl import escaping
from pawsctl.config import redis_url
from pawsctl.errors import UsageError

# Key → the types that its value may have, and an example.
_KEYS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "url": ((str,), '"rediss://app@redis.example.com:6380"'),
    "production": ((bool,), "true"),
    "read_only": ((bool,), "true"),
    "mask": ((bool,), "true"),
    "ssl_ca_certs": ((str,), '"ca.pem"'),
    "ssl_certfile": ((str,), '"client.pem"'),
    "ssl_keyfile": ((str,), '"client.key"'),
    "ssl_check_hostname": ((bool,), "true"),
    "ssl_cert_reqs": ((str,), '"required"'),
    "password_file": ((str,), '"redis-password"'),
    "password_command": ((str, list), '"pass show redis/prod", or a list of words'),
    "sentinel_password_file": ((str,), '"sentinel-password"'),
    "sentinel_password_command": ((str, list), '"pass show sentinel/prod", or a list of words'),
    "prefix": ((str,), '"wh:session:"'),
    "ttl": ((str,), '"6h"'),
    "format": ((str,), '"raw"'),
}
CERTIFICATES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
# Each of Redis, and of Sentinels.
PASSWORDS = tuple(
    (f"{whose}password_file", f"{whose}password_command") for whose in ("", "sentinel_")
)
_OWN = (*(key for keys in PASSWORDS for key in keys), *CERTIFICATES)
# A value that looks as if it held a password.
_SECRET = re.compile(r"passw|secret|auth|token", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Entry(msgspec.Struct, frozen=True):
    """A value of a profile, and the line that it stands in."""

    value: Any
    line: int


def profiles(text: str, *, name: str, is_own: bool) -> dict[str, dict[str, Entry]]:
    """Return profile → key → entry. `name` is the file's; `is_own` says that it is the user's own.

    Raises UsageError with the line of what is not understood, of a password, and of what counts in
    the user's own file only.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits is a ValueError, too.
        raise UsageError(f"{name} can't be read: {error}.", hint="Fix that line.") from error
    lines = _Lines(text)
    for key in document:
        if key != "profiles":
            raise UsageError(
                f"{name}:{lines.of(key)} has '{escaping.setting(key)}', which is not known.",
                hint="A profile begins with a line like [profiles.prod].",
            )
    tables = document.get("profiles", {})
    if not isinstance(tables, dict):
        raise UsageError(
            f"{name}:{lines.of('profiles')} is no table.", hint="Write [profiles.prod]."
        )
    return {
        profile: _profile(profile, table, f"{name}:", lines, is_own=is_own)
        for profile, table in tables.items()
    }


def _profile(
    profile: str, table: Any, place: str, lines: "_Lines", *, is_own: bool
) -> dict[str, Entry]:
    if not isinstance(table, dict) or not _NAME.fullmatch(profile):
        raise UsageError(
            f"{place}{lines.of(profile)}: '{escaping.setting(profile)}' is no profile.",
            hint="Its name has letters, digits, '.', '_' and '-': [profiles.prod].",
        )
    entries = {}
    for key, value in table.items():
        line = lines.of(key, profile)
        _require_fit(key, value, f"{place}{line}", is_own=is_own)
        entries[key] = Entry(value, line)
    if "url" in entries:
        _require_no_secret(entries["url"], place, is_own=is_own)
    for keys in PASSWORDS:
        if entries.keys() >= set(keys):
            raise UsageError(
                f"{place}{entries[keys[1]].line}: the profile {profile} has a {keys[0]} and a "
                f"{keys[1]}.",
                hint="Leave one of them out.",
            )
    return entries


def _require_fit(key: str, value: Any, place: str, *, is_own: bool) -> None:
    """Raise UsageError for a key that is not known, or whose value or file does not fit."""
    if key not in _KEYS:
        if _SECRET.search(key):
            raise _password_in_file(place)
        raise UsageError(
            f"{place} has '{escaping.setting(key)}', which a profile does not have.",
            hint=f"It has {', '.join(_KEYS)}.",
        )
    types, example = _KEYS[key]
    is_fit = type(value) in types and value not in ("", [])
    if not is_fit or (isinstance(value, list) and not all(isinstance(each, str) for each in value)):
        raise UsageError(f"{place}: {key} can't be used.", hint=f"Write {key} = {example}.")
    if key in _OWN and not is_own:
        raise _only_own(place, key)


def _require_no_secret(url: Entry, place: str, *, is_own: bool) -> None:
    """Raise UsageError for a URL with a password, or with a certificate if the file was found."""
    where = f"{place}{url.line}"
    target = redis_url.parse(url.value, origin=where)
    if target.password is not None or target.sentinel_password is not None:
        raise _password_in_file(where)
    for tls in (target.tls, target.sentinel_tls):
        if tls is not None and not is_own and (tls.ca_certs or tls.certfile or tls.keyfile):
            raise _only_own(where, "a certificate in the url")


def _password_in_file(place: str) -> UsageError:
    return UsageError(
        f"{place} holds a password, and a pawsctl.toml is no place for one.",
        hint="Take it out; in your own pawsctl.toml, password_file or password_command name one.",
    )


def _only_own(place: str, what: str) -> UsageError:
    return UsageError(
        f"{place}: {what} counts only in the pawsctl.toml of your own configuration directory.",
        hint="Move the profile there: what a repository brings along runs no command and reads no "
        "file of yours.",
    )


class _Lines:
    """The lines in which keys of a TOML text stand."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()

    def of(self, key: str, profile: str = "") -> int:
        """Return the line of a key, of that profile if one is named; else where the profile is."""
        named = re.compile(rf"""[\s{{,.]*["']?{re.escape(key)}["']?\s*[=.\]]""")
        table, first = "", 0
        for number, line in enumerate(self._lines, 1):
            if head := re.match(r"""\s*\[+\s*(.*?)\s*\]""", line):
                table = head[1].replace('"', "").replace("'", "")
                if table == f"profiles.{profile or key}":
                    first = first or number
            is_inside = not profile or table == f"profiles.{profile}"
            dotted = re.search(rf"""(^|[\s{{,.]){re.escape(key)}["']?\s*=""", line)
            if is_inside and named.match(line):
                return number
            if profile and profile in line and dotted:
                return number
        return first or 1
