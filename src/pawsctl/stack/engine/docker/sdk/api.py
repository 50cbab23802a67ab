"""The Docker SDK's client, limited to an engine on this machine.

Importing it costs 0.1 s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
from docker.api import APIClient
from docker.errors import APIError, DockerException
from docker.tls import TLSConfig
from docker.utils import config
from urllib3.connectionpool import ConnectionPool

from pawsctl.stack.engine.docker.sdk.connection_queue import ConnectionQueue
from pawsctl.stack.engine.docker.sdk.contexts import Endpoint, EngineTls

# The SDK makes its pools itself; this is urllib3's own place for another queue.
ConnectionPool.QueueCls = ConnectionQueue

# Seconds; the timeout after a request has timed out.
_SECOND_CHANCE = 5
# Paths whose reply is a list; all others reply with an object.
_LISTS = ("/containers/json", "/images/json", "/networks", "/changes", "/history")
# Bytes of an answer that an error message quotes.
_QUOTED = 60


class NotUnderstood(DockerException):
    """The engine's answer is not a reply of Docker's API."""


class Reply(dict[str, Any]):
    """An object in a reply; a missing field raises NotUnderstood instead of KeyError."""

    def __missing__(self, key: str) -> NoReturn:
        raise NotUnderstood(f"'{key}' is missing in its answer")


class LocalApi(APIClient):
    """The API of an engine behind a socket or on loopback."""

    def __init__(self, endpoint: Endpoint, *, timeout: int) -> None:
        tls = _config(endpoint.tls) if endpoint.tls else False
        with _no_config_file():
            super().__init__(endpoint.address or None, timeout=timeout, tls=tls)

    @property
    def trust_env(self) -> bool:
        """False: proxies and CA files of the environment are not for an engine on this machine."""
        return False

    @trust_env.setter
    def trust_env(self, value: bool) -> None:
        """Ignore the value: a requests session sets it when it is created."""

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request; after a timeout, later requests get a shorter one."""
        try:
            return super().send(request, **kwargs)
        except requests.Timeout:
            self.timeout = min(self.timeout, _SECOND_CHANCE)
            raise

    def _result(self, response: requests.Response, json: bool = False, binary: bool = False) -> Any:
        if not json:
            return super()._result(response, json, binary)  # type: ignore[misc]  # not in the stubs
        self._raise_for_status(response)
        return _decoded(response)

    def _raise_for_status(self, response: requests.Response) -> None:
        try:
            super()._raise_for_status(response)  # type: ignore[misc]  # not in the stubs
        # An error reply that is JSON without a message.
        except (LookupError, TypeError) as error:
            raise APIError(str(error), response=response, explanation=response.text) from error


def _decoded(response: requests.Response) -> Any:
    try:
        found = json.loads(response.content, object_hook=Reply)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood(f"its answer begins with {_beginning(response)}") from error
    wants_list = urlsplit(response.url).path.endswith(_LISTS)
    if found is None and wants_list:
        return []
    if not isinstance(found, list if wants_list else dict):
        raise NotUnderstood(f"its answer is {_beginning(response)}")
    return found


def _beginning(response: requests.Response) -> str:
    text = response.content[:_QUOTED].decode("utf-8", "replace")
    return f"'{text}'" if text else "empty"


def _config(tls: EngineTls) -> TLSConfig:
    pair = (str(tls.pair[0]), str(tls.pair[1])) if tls.pair else None
    return TLSConfig(client_cert=pair, ca_cert=str(tls.ca) if tls.ca else None, verify=tls.verify)


def _nothing(config_path: object = None) -> dict[str, dict[str, str]]:
    return {"auths": {}}


@contextmanager
def _no_config_file() -> Iterator[None]:
    """Keep the SDK from reading config.json: it fails on forms that the docker command accepts.

    It would read logins and build proxies there; instead, each pull passes a login.
    """
    read = config.load_general_config
    config.load_general_config = _nothing
    try:
        yield
    finally:
        config.load_general_config = read
