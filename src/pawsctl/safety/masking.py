"""The mask for private data, with the key that this user keeps for it."""

import secrets

from pawsctl.config.settings import Settings
from pawsctl.errors import UsageError
from pawsctl.files import keyed_hash
from pawsctl.sessions.contract.keys import SESSION_PREFIX
from pawsctl.sessions.contract.mask import Mask

_BYTES = 32


def of(settings: Settings) -> Mask:
    """Return the mask for sessions under the settings' prefix, and the bot's.

    Raises OperationFailed if the key can't be read or made, UsageError if the state directory is
    not safe.
    """
    prefixes = filter(None, (SESSION_PREFIX, settings.text("SESSION_PREFIX")))
    return Mask(keyed_hash.derived("mask"), prefixes)


def makeshift() -> Mask:
    """Return a mask for when settings or key can't be read; its pseudonyms differ each time."""
    return Mask(secrets.token_bytes(_BYTES))


def require_none(settings: Settings, what: str, hint: str) -> None:
    """Raise UsageError if private data is to be masked; `what` says why it can't be."""
    if settings.mask:
        raise UsageError(f"{what}, and private data is to be masked ({settings.mask}).", hint=hint)
