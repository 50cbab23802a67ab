"""Profiles for display, without passwords."""

import shlex
from collections.abc import Iterator

import msgspec

from pawsctl.config.profiles.profile import Profile


class ProfileItem(msgspec.Struct, frozen=True):
    """A profile in a list; `url` has no password, `in_use` says that commands use it now.

    `own` says that `file` is in the user's configuration directory.
    """

    name: str
    url: str
    production: bool
    read_only: bool
    mask: bool
    in_use: bool
    own: bool
    file: str


class ProfileValue(msgspec.Struct, frozen=True):
    """A value of a profile, and the line that it is from."""

    key: str
    value: str
    origin: str


class ProfileShown(msgspec.Struct, frozen=True):
    """All that a profile says."""

    name: str
    url: str
    production: bool
    read_only: bool
    mask: bool
    file: str
    values: list[ProfileValue]


def listed(profile: Profile, in_use: str) -> ProfileItem:
    """Return a profile for a list; `in_use` is the name of the one in use. Raises UsageError."""
    return ProfileItem(
        name=profile.name,
        url=profile.place().url,
        production=bool(profile.production),
        read_only=bool(profile.read_only),
        mask=bool(profile.mask),
        in_use=profile.name == in_use,
        own=not profile.is_found,
        file=str(profile.path),
    )


def shown(profile: Profile) -> ProfileShown:
    """Return all that a profile says. Raises UsageError for a URL that can't be read."""
    return ProfileShown(
        name=profile.name,
        url=profile.place().url,
        production=bool(profile.production),
        read_only=bool(profile.read_only),
        mask=bool(profile.mask),
        file=str(profile.path),
        values=list(_values(profile)),
    )


def _values(profile: Profile) -> Iterator[ProfileValue]:
    for key, entry in profile.entries.items():
        if key in ("production", "read_only", "mask"):
            continue
        value = entry.value
        if key == "url":
            value = profile.place().url
        elif isinstance(value, list):
            value = shlex.join(value)
        elif isinstance(value, bool):
            value = str(value).lower()
        yield ProfileValue(key, value, profile.origin(key))
    for key in ("production", "read_only", "mask"):
        origin = getattr(profile, key)
        if origin:
            yield ProfileValue(key, "true", origin)
