"""The settings that pawsctl knows: name, default, and whether it is a secret."""

from pathlib import Path
from typing import Literal

import msgspec

from pawsctl.config import kept_password

EngineChoice = Literal["auto", "docker", "embedded"]

DEFAULT_BACKUP_HOURS = "24"

# No secret: it is in compose/defaults, and protects a page on loopback only.
KNOWN_COMMANDER_PASSWORD = "admin123"  # noqa: S105


class SettingSpec(msgspec.Struct, frozen=True):
    """A setting that pawsctl reads; a switch says yes or no."""

    name: str
    default: str = ""
    is_secret: bool = False
    is_switch: bool = False


SETTING_SPECS = (
    SettingSpec("REDIS_URL", is_secret=True),
    SettingSpec("REDIS_PORT", "6379"),
    SettingSpec("REDIS_PASSWORD", is_secret=True),
    SettingSpec("REDIS_PASSWORD_FILE"),
    SettingSpec("REDISCLI_AUTH", is_secret=True),
    SettingSpec("REDIS_IMAGE", "redis:7.2-alpine"),
    SettingSpec("REDIS_MAXMEMORY", "256mb"),
    SettingSpec("REDIS_COMMANDER_IMAGE", "ghcr.io/joeferner/redis-commander:latest"),
    SettingSpec("REDIS_COMMANDER_PORT", "8081"),
    SettingSpec("REDIS_COMMANDER_USER", "admin"),
    SettingSpec("REDIS_COMMANDER_PASSWORD", KNOWN_COMMANDER_PASSWORD, is_secret=True),
    SettingSpec("PAWSCTL_PROJECT", "paws-wpp"),
    SettingSpec("PAWSCTL_ENGINE", "auto"),
    SettingSpec("PAWSCTL_PROFILE"),
    SettingSpec("PAWSCTL_READ_ONLY", is_switch=True),
    SettingSpec("PAWSCTL_MASK", is_switch=True),
    SettingSpec("SESSION_PREFIX", "wh:session:"),
    SettingSpec("SESSION_TTL", "6h"),
    SettingSpec("SESSION_FORMAT", "bot"),
    SettingSpec("PAWSCTL_BACKUP_HOURS", DEFAULT_BACKUP_HOURS),
    SettingSpec("APP_URL", "http://localhost:3000"),
    SettingSpec("NODE_ENV"),
    SettingSpec("PAWSCTL_SERVE_TOKEN", is_secret=True),
)


class Setting(msgspec.Struct, frozen=True):
    """A setting's value, and its origin in words."""

    name: str
    value: str
    origin: str

    @property
    def is_default(self) -> bool:
        """Whether nobody set it."""
        return self.origin == "default"

    def is_of(self, file: Path | None) -> bool:
        """Return whether the value is from that `.env`."""
        return self.origin.startswith(f"{self.name} in {file}:")


def is_production(mode: str) -> bool:
    """Return whether a value of NODE_ENV says production, in any case, with blanks around it."""
    return mode.strip().lower() == "production"


def is_kept(setting: Setting) -> bool:
    """Return whether a setting asks for the password that is kept for this project."""
    return setting.name == "REDIS_PASSWORD" and setting.value == kept_password.ASKED
