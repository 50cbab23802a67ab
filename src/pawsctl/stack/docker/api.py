"""The Docker SDK's client, kept from what is not about an engine of this machine.

Importing it costs 0.1 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from docker.api import APIClient
from docker.tls import TLSConfig
from docker.utils import config

from pawsctl.stack.docker.contexts import Endpoint, Tls


class LocalApi(APIClient):
    """The API of an engine behind a socket or on loopback."""

    def __init__(self, endpoint: Endpoint, *, timeout: int) -> None:
        tls = _config(endpoint.tls) if endpoint.tls else False
        with _no_config_file():
            super().__init__(endpoint.address or None, timeout=timeout, tls=tls)

    @property
    def trust_env(self) -> bool:
        """Whether proxies and CA files are taken from the environment: they lead elsewhere."""
        return False

    @trust_env.setter
    def trust_env(self, value: bool) -> None:
        """Stay at that, though a session begins by setting it."""


def _config(tls: Tls) -> TLSConfig:
    pair = (str(tls.pair[0]), str(tls.pair[1])) if tls.pair else None
    return TLSConfig(client_cert=pair, ca_cert=str(tls.ca) if tls.ca else None, verify=tls.verify)


def _nothing(config_path: object = None) -> dict[str, dict[str, str]]:
    return {"auths": {}}


@contextmanager
def _no_config_file() -> Iterator[None]:
    """Keep the SDK from reading config.json: it stumbles over forms that docker accepts.

    It looks there for logins and proxies of builds, and is given a login with each pull instead.
    """
    read = config.load_general_config
    config.load_general_config = _nothing
    try:
        yield
    finally:
        config.load_general_config = read
