"""Check that a profile can be used: its settings, its password, and whether its Redis answers."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from pawsctl.config import session_settings
from pawsctl.config.profiles.profile import Profile
from pawsctl.config.profiles.toml_text import PASSWORDS
from pawsctl.connection import Timeouts, connect
from pawsctl.errors import PawsctlError


class ProfileStep(Struct, frozen=True):
    """A step of a check, and its result; one that needs another that failed is `skipped`."""

    name: str
    ok: bool
    detail: str
    skipped: bool = False


class ProfileCheck(Struct, frozen=True):
    """The check of one profile."""

    name: str
    url: str
    ok: bool
    steps: list[ProfileStep]


def check(profile: Profile, timeouts: Timeouts, note: Callable[[str], None]) -> ProfileCheck:
    """Check a profile; connect to its Redis for reading alone, and send PING."""
    steps: list[ProfileStep] = []

    def passes(name: str, attempt: Callable[[], str]) -> None:
        if any(not each.ok for each in steps):
            steps.append(ProfileStep(name, False, "", skipped=True))
            return
        try:
            steps.append(ProfileStep(name, True, attempt()))
        except PawsctlError as error:
            steps.append(ProfileStep(name, False, error.message))

    def password() -> str:
        profile.target()
        keys = [key for keys in PASSWORDS for key in keys if profile.get(key)]
        return f"from its {' and '.join(keys)}" if keys else "none"

    def answer() -> str:
        target = replace(profile.target(), read_only="'profile check', which changes nothing")
        with connect(target, timeouts, notice=note) as connection:
            connection.ping()
        return target.url

    def settings() -> str:
        session_settings.require_usable(profile.session_settings())
        return profile.place().url

    passes("settings", settings)
    passes("password", password)
    passes("answers", answer)
    url = steps[0].detail if steps[0].ok else ""
    return ProfileCheck(profile.name, url, all(each.ok for each in steps), steps)
