"""The settings that the bot itself reads, from where it reads them.

The bot is a Next.js application: the environment comes first, then `.env.local`, then `.env`. Other
than for pawsctl's own settings, an empty value in the environment hides what a file says.
"""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from pawsctl.config import dotenv_file
from pawsctl.config.load_settings import home
from pawsctl.config.setting_specs import is_production
from pawsctl.config.settings import Settings

# Services in the bot's health endpoint → the variables that they need.
SERVICES = {
    "redis": ("REDIS_URL",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "database": ("DATABASE_URL",),
    "twilio": ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
}
_MODE = "NODE_ENV"


class BotSettings(msgspec.Struct, frozen=True):
    """Whether each service of the bot is configured, what is missing, and whether it develops.

    `production` is where NODE_ENV says so, in words, or ''. No value is kept: the bot's keys are
    nothing that pawsctl needs.
    """

    configured: Mapping[str, bool]
    missing: list[str]
    is_development: bool
    production: str = ""


def load(settings: Settings, *, environ: Mapping[str, str], directory: Path) -> BotSettings:
    """Read the bot's settings; a file that --env-file names stands for both files.

    Raises UsageError for a file that can't be read or that another user could have written.
    """
    paths = [settings.file]
    if settings.is_found or settings.file is None:
        paths.insert(0, dotenv_file.nearest(directory, home(environ), ".env.local"))
    files = [(path, dotenv_file.read(path)) for path in paths if path is not None]

    def said(name: str) -> tuple[str, str]:
        if name in environ:
            return environ[name], f"{name} in the environment"
        for path, file in files:
            if name in file:
                return file[name][0], f"{name} in {path}:{file[name][1]}"
        return "", ""

    names = {name for each in SERVICES.values() for name in each}
    found = {name for name in names if said(name)[0]}
    mode, origin = said(_MODE)
    return BotSettings(
        configured={service: found.issuperset(each) for service, each in SERVICES.items()},
        missing=[name for each in SERVICES.values() for name in each if name not in found],
        is_development=mode == "development",
        production=origin if is_production(mode) else "",
    )
