"""Pull images that are missing, and report the progress layer by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pawsctl.errors import OperationFailed
from pawsctl.stack.engine.docker.images import logins, reference
from pawsctl.stack.engine.docker.images.logins import Login
from pawsctl.stack.engine.docker.sdk import refusals
from pawsctl.stack.engine.docker.sdk.sdk_client import explained
from pawsctl.stack.engine.protocol import Pull
from pawsctl.stack.events import Emit, LayerProgress, Pulled, Pulling

if TYPE_CHECKING:
    from docker.api import APIClient

# Status line about the whole image, whose id is not that of a layer.
_NOT_A_LAYER = "Pulling from "


def image(api: APIClient, name: str, *, pull: Pull, emit: Emit) -> dict[str, Any]:
    """Return the `inspect` data of an image, after a download if `pull` asks for one.

    Raises UsageError if the engine refuses the name, and OperationFailed with the registry's
    message if the image could not be pulled.
    """
    from docker.errors import APIError, ImageNotFound

    if pull != "always":
        try:
            found: dict[str, Any] = api.inspect_image(name)
        except ImageNotFound as error:
            if pull == "never":
                raise OperationFailed(
                    f"The image {name} is not on this machine, and --pull never forbids to get it.",
                    hint=f"Get it with 'docker pull {name}', or leave --pull out.",
                ) from error
        except APIError as error:
            if reference.is_refused(explained(error)):
                raise reference.bad_name(name) from error
            raise
        else:
            return found
    _download(api, name, emit)
    downloaded: dict[str, Any] = api.inspect_image(name)
    return downloaded


def _download(api: APIClient, name: str, emit: Emit) -> None:
    from docker.errors import APIError

    from pawsctl.stack.engine.docker.sdk.api import NotUnderstood

    emit(Pulling(name))
    login = logins.of_image(name)
    try:
        # `images.pull()` of the SDK swallows the errors that come in the stream.
        for event in api.pull(name, stream=True, decode=True, auth_config=login.sent):
            if not isinstance(event, dict):
                raise NotUnderstood("an event of its pull is no object")
            if "error" in event:
                raise _not_to_be_had(name, str(event["error"]), login)
            status = event.get("status", "")
            if "id" in event and not status.startswith(_NOT_A_LAYER):
                detail = event.get("progressDetail") or {}
                emit(
                    LayerProgress(
                        image=name,
                        layer=event["id"],
                        status=status,
                        current=detail.get("current", 0),
                        total=detail.get("total", 0),
                    )
                )
    except APIError as error:
        if reference.is_refused(explained(error)):
            raise reference.bad_name(name) from error
        raise _not_to_be_had(name, explained(error), login) from error
    emit(Pulled(name))


def _not_to_be_had(name: str, reason: str, login: Login) -> OperationFailed:
    without = f" It was asked for without a login, since {login.problem}." if login.problem else ""
    return OperationFailed(
        f"The image {name} could not be pulled: {reason.strip().rstrip('.')}.{without}",
        hint=refusals.registry_hint(reason, name, reference.registry_of(name)),
    )
