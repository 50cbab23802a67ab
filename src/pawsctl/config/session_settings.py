"""The settings on where an application keeps its sessions, and for how long."""

import re
from collections.abc import Iterable
from typing import Literal, Self

import msgspec
from msgspec.structs import replace

from pawsctl import durations, escaping
from pawsctl.config.setting_specs import Setting
from pawsctl.config.settings import Settings
from pawsctl.errors import UsageError

_LEAST = 2
# Characters with a meaning in SCAN's MATCH and in our own globs.
_GLOB = re.compile(r"[*?\[\]\\]")
_LONGEST_DAYS = 3_650
_NEVER = "never"


Format = Literal["bot", "raw"]


class SessionSettings(msgspec.Struct, frozen=True):
    """The prefix of all keys, with its origin, the longest TTL in seconds, and the values' format.

    A TTL of 0 says that sessions need not expire.
    `is_found` says that the prefix is from a file that was found by search, and nobody named.
    `found_ttl` is the origin of the TTL if that is, else ''. `is_bots_ttl` says that sessions of
    another application have the bot's TTL, since nobody has set one.
    """

    prefix: str
    ttl: int
    format: Format
    origin: str
    is_found: bool
    found_ttl: str = ""
    is_bots_ttl: bool = False

    @property
    def is_default_prefix(self) -> bool:
        """Whether nobody has set the prefix."""
        return self.origin == "default"

    @property
    def doubt_on_ttl(self) -> str:
        """A sentence that what is called too long may not be; empty if somebody set the TTL."""
        if not self.is_bots_ttl:
            return ""
        return f"SESSION_TTL is not set: {durations.text(self.ttl)} is how long the bot's live."

    def require_own_ttl(self) -> None:
        """Raise UsageError if a TTL that nobody has set would end sessions earlier."""
        if self.is_bots_ttl:
            raise UsageError(
                f"{self.doubt_on_ttl} It would end sessions earlier than they do now.",
                hint="Set SESSION_TTL, or the profile's ttl, to how long this application's live.",
            )

    def with_prefix(self, prefix: Setting, *, is_found: bool) -> Self:
        """Return the settings with another prefix; `is_found` is about that one."""
        return replace(self, prefix=prefix.value, origin=prefix.origin, is_found=is_found)


def read(settings: Settings) -> SessionSettings:
    """Return the settings on sessions, validated. Raises UsageError if one can't be used."""
    prefix = settings["SESSION_PREFIX"]
    is_found = settings.is_from_found_file(prefix)
    longest, form = settings["SESSION_TTL"], _format(settings["SESSION_FORMAT"])
    ttl = _ttl(longest)
    _require_fitting(ttl, form, longest)
    found_ttl = longest.origin if settings.is_from_found_file(longest) else ""
    is_bots_ttl = form == "raw" and longest.is_default
    return SessionSettings(
        _prefix(prefix), ttl, form, prefix.origin, is_found, found_ttl, is_bots_ttl
    )


def require_usable(settings: Iterable[Setting]) -> None:
    """Raise UsageError if one of some settings on sessions can't be used."""
    checks = {"SESSION_PREFIX": _prefix, "SESSION_TTL": _ttl, "SESSION_FORMAT": _format}
    given = {each.name: each for each in settings}
    for name, setting in given.items():
        checks[name](setting)
    if ttl := given.get("SESSION_TTL"):
        form = _format(given["SESSION_FORMAT"]) if "SESSION_FORMAT" in given else "bot"
        _require_fitting(_ttl(ttl), form, ttl)


def _prefix(setting: Setting) -> str:
    value = setting.value
    if len(value) < _LEAST:
        fault = f"a prefix has {_LEAST} characters at least"
    elif found := _GLOB.search(value):
        fault = f"{found[0]} stands for other characters in a glob"
    elif not value.isprintable():
        fault = "it has a control character, or one that can't be seen"
    elif value != value.strip():
        fault = "it begins or ends with a blank"
    else:
        return value
    raise UsageError(
        f"SESSION_PREFIX ({setting.origin}) is '{escaping.setting(value)}', which can't be used: "
        f"{fault}.",
        hint="Set it to what all keys of the sessions begin with, such as wh:session: or sess:.",
    )


def _require_fitting(ttl: int, form: Format, setting: Setting) -> None:
    if not ttl and form == "bot":
        raise UsageError(
            f"SESSION_TTL ({setting.origin}) is '{_NEVER}', and the bot's sessions expire.",
            hint="For those of another, SESSION_FORMAT, or the profile's format, is raw.",
        )


def _ttl(setting: Setting) -> int:
    if setting.value == _NEVER:
        return 0
    try:
        seconds = durations.seconds(setting.value)
    except ValueError:
        seconds = 0
    if seconds < 1 or seconds != int(seconds) or seconds > _LONGEST_DAYS * 86_400:
        value = escaping.setting(setting.value)
        like = f"{value}s or " if value.isdecimal() and 0 < int(value) < 10**8 else ""
        raise UsageError(
            f"SESSION_TTL ({setting.origin}) is '{value}', which can't be used.",
            hint=f"Set it to a time in whole seconds, {_LONGEST_DAYS}d at most, like {like}6h, 30m "
            f"or 14d; or, with SESSION_FORMAT=raw, to {_NEVER}, if sessions need not expire.",
        )
    return int(seconds)


def _format(setting: Setting) -> Format:
    match setting.value:
        case "bot":
            return "bot"
        case "raw":
            return "raw"
    raise UsageError(
        f"SESSION_FORMAT ({setting.origin}) is '{escaping.setting(setting.value)}', which can't be "
        "used.",
        hint="Set it to bot, or to raw for the values of any other application.",
    )
