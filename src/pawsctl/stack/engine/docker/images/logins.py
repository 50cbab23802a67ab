"""The login for a pull, found in the same places as the docker command does.

If no login is found, the pull goes on without one, as with the docker command. The reason is
reported if the registry then refuses.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from pawsctl.stack.engine.docker.images.reference import registry_of
from pawsctl.stack.engine.docker.sdk import config_file

# Docker Hub's name in config.json and for helpers; image names use a newer one.
_HUB = "https://index.docker.io/v1/"
_HUB_NAMES = ("docker.io", "index.docker.io", "registry-1.docker.io")
# Seconds; a helper may ask a person to unlock a key ring.
_PATIENCE = 60
_NOT_FOUND = "credentials not found"


class Login(Struct, frozen=True):
    """The login to send to a registry, and the reason if one is missing."""

    sent: dict[str, str]
    problem: str = ""


def of_image(image: str) -> Login:
    """Return the login for the registry of an image."""
    registry = registry_of(image)
    server = _HUB if registry in _HUB_NAMES else registry
    config = config_file.read()
    helpers = config_file.table(config, "credHelpers")
    helper = config_file.text(helpers, server) or config_file.text(helpers, registry)
    helper = helper or config_file.text(config, "credsStore")
    asked = _of_helper(helper, server) if helper else Login({})
    if asked.sent:
        return asked
    stored = _of_file(config_file.table(config, "auths"), registry, server)
    return stored if stored.sent else Login({}, asked.problem or stored.problem)


def _of_helper(helper: str, server: str) -> Login:
    program = f"docker-credential-{helper}"
    found = shutil.which(program)
    if found is None:
        return Login({}, f"{program}, which config.json names, is not on PATH")
    try:
        done = subprocess.run(  # noqa: S603 - the user's own configuration names it
            [found, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Login({}, f"{program} gives no login ({_reason(error)})")
    if answer is None:
        said = (done.stdout + done.stderr).decode("utf-8", "replace").strip()
        if _NOT_FOUND in said:
            return Login({})
        if "{" in said:
            # The output may contain the login.
            said = ""
        return Login({}, f"{program} refuses: {said[:200] or f'status {done.returncode}'}")
    if not isinstance(answer, dict):
        return Login({}, f"{program} gives no login")
    return Login(_sent(answer.get("Username"), answer.get("Secret"), server))


def _of_file(auths: Mapping[str, Any], registry: str, server: str) -> Login:
    for key in (server, registry, *auths):
        entry = auths.get(key)
        if not isinstance(entry, dict) or (key != server and _host(key) != registry):
            continue
        token = entry.get("identitytoken")
        if isinstance(token, str) and token:
            return Login({"identitytoken": token, "serveraddress": server})
        user, password = entry.get("username"), entry.get("password")
        try:
            decoded = base64.b64decode(str(entry.get("auth") or ""), validate=True).decode("utf-8")
        except ValueError:
            return Login({}, f"the login for {key} in config.json can't be read")
        if decoded:
            user, _, password = decoded.rstrip("\0").partition(":")
        return Login(_sent(user, password, server))
    return Login({})


def _sent(user: object, secret: object, server: str) -> dict[str, str]:
    if not (isinstance(user, str) and isinstance(secret, str) and (user or secret)):
        return {}
    if user == "<token>":
        return {"identitytoken": secret, "serveraddress": server}
    return {"username": user, "password": secret, "serveraddress": server}


def _host(key: str) -> str:
    host = key.removeprefix("https://").removeprefix("http://").partition("/")[0]
    return "docker.io" if host in _HUB_NAMES else host


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer within {_PATIENCE} s"
    return "its answer is no JSON"
