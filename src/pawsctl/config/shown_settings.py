"""Settings for display, without passwords."""

from pawsctl import escaping
from pawsctl.config import redis_url
from pawsctl.config.setting_specs import SETTING_SPECS, Setting, SettingSpec, is_kept
from pawsctl.config.settings import Settings


def shown(settings: Settings) -> list[Setting]:
    """Return every setting for display: passwords as `***`, URLs without theirs."""
    return [_shown(settings, known) for known in SETTING_SPECS]


def _shown(settings: Settings, known: SettingSpec) -> Setting:
    setting = settings[known.name]
    value = setting.value
    if known.name == "REDIS_URL" and value:
        value = redis_url.parse(value, origin=setting.origin).url
    elif known.is_secret and value and not is_kept(setting):
        value = "***"
    elif known.name.endswith("_URL"):
        value = escaping.without_password(value)
    else:
        value = escaping.setting(value)
    return Setting(setting.name, value, setting.origin)
