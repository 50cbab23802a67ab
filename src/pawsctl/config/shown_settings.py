"""Settings for display, without passwords."""

from collections.abc import Sequence

from pawsctl import escaping
from pawsctl.config.setting_specs import SETTING_SPECS, Setting, SettingSpec, is_kept
from pawsctl.config.settings import Settings
from pawsctl.errors import UsageError

# Settings that a profile's own login replaces. REDIS_PASSWORD stays that of the project's Redis.
_REPLACED = ("REDISCLI_AUTH", "REDIS_PASSWORD_FILE")


def shown(settings: Settings, *, names: Sequence[str] = (), db: int | None = None) -> list[Setting]:
    """Return settings for display: passwords as `***`, URLs without theirs.

    `names` are the settings to return, all if empty; `db` is the database that replaces the URL's.
    Raises UsageError for an unknown name.
    """
    known = {each.name: each for each in SETTING_SPECS}
    for name in names:
        if name.upper() not in known:
            raise UsageError(
                f"There is no setting '{escaping.setting(name)}'.",
                hint="Values are set in the environment or in .env, and only shown here. "
                f"Settings: {', '.join(known)}.",
            )
    wanted = [name.upper() for name in names] or known
    return [_shown(settings, known[name], db) for name in wanted]


def _shown(settings: Settings, known: SettingSpec, db: int | None) -> Setting:
    setting = settings[known.name]
    if settings.profile and known.name in _REPLACED and setting.value:
        name = settings.profile.name
        return Setting(setting.name, "", f"not used with profile {name} ({setting.origin})")
    if known.name == "REDIS_URL":
        return _url(settings, setting, db)
    value = setting.value
    if known.is_secret and value and not is_kept(setting):
        value = "***"
    elif known.name.endswith("_URL"):
        value = escaping.without_password(value)
    else:
        value = escaping.setting(value)
    return Setting(setting.name, value, setting.origin)


def _url(settings: Settings, setting: Setting, db: int | None) -> Setting:
    """Return the URL that is used; if it is not set, it follows from REDIS_PORT."""
    try:
        place = settings.redis_place()
    except UsageError:
        if setting.value:
            raise
        # The row of REDIS_PORT shows what is wrong.
        return setting
    if settings.profile:
        return Setting(
            setting.name, place.url if db is None else place.with_db(db).url, place.origin
        )
    url = place if db is None else place.with_db(db)
    is_derived = not setting.value and not settings["REDIS_PORT"].is_default
    return Setting(setting.name, url.url, place.origin if is_derived else setting.origin)
