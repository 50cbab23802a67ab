"""Settings that say yes or no, and that a stronger source can only tighten. Pure."""

from collections.abc import Sequence

from pawsctl import escaping
from pawsctl.config.setting_specs import Setting
from pawsctl.errors import UsageError

_YES = ("1", "true", "yes", "on")
_NO = ("", "0", "false", "no", "off")


def is_on(setting: Setting) -> bool:
    """Return whether a switch says yes. Raises UsageError for a value that says neither."""
    said = setting.value.lower()
    if said not in (*_YES, *_NO):
        raise UsageError(
            f"{setting.name} ({setting.origin}) is '{escaping.setting(setting.value)}', which "
            "can't be used.",
            hint="Set it to 1 or 0.",
        )
    return said in _YES


def tightest(said: Sequence[Setting]) -> Setting:
    """Return which of the sources, strongest first, counts: the first that does not say no.

    So no source takes back what another asks for, and a value that can't be read is found.
    """
    return next((each for each in said if each.value.lower() not in _NO), said[0])
