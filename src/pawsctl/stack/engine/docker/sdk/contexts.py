"""The address of the engine: from DOCKER_HOST or the current context, as for `docker`."""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from pawsctl.config.target import is_loopback
from pawsctl.errors import NoEngine
from pawsctl.stack.engine.docker.sdk import config_file

_DEFAULT = "default"
_SCHEMES = ("unix", "npipe", "tcp", "http", "https")
_FORMS = "Write it as unix:///var/run/docker.sock or tcp://127.0.0.1:2375"
_PORT, _TLS_PORT = 2375, 2376
# Bytes; macOS takes 103.
_LONGEST_PATH = 107


class EngineTls(Struct, frozen=True):
    """Files for a TLS connection; `verify` says whether the engine's certificate is checked."""

    ca: Path | None
    pair: tuple[Path, Path] | None
    verify: bool


class Endpoint(Struct, frozen=True):
    """An engine's address, empty for the default socket, and its TLS files, if it uses TLS."""

    address: str
    tls: EngineTls | None

    def __str__(self) -> str:
        return self.address or "the default socket"


def endpoint(environ: Mapping[str, str] = os.environ) -> Endpoint:
    """Return the endpoint that the docker command would use.

    Raises NoEngine if the context does not exist or can't be read, if the address is invalid, if
    the engine is on another host, or if certificates are missing.
    """
    stated = environ.get("DOCKER_HOST", "").strip()
    # DOCKER_CERT_PATH alone does not switch TLS on.
    wants_tls = bool(environ.get("DOCKER_TLS_VERIFY") or environ.get("DOCKER_TLS"))
    context = environ.get("DOCKER_CONTEXT") or config_file.text(
        config_file.read(environ), "currentContext"
    )
    if stated or context in ("", _DEFAULT):
        address = stated or (f"tcp://localhost:{_TLS_PORT}" if wants_tls else "")
        address = _sdk_address(address, "DOCKER_HOST", hint="or unset it.", tls=wants_tls)
        is_tcp = address.startswith("tcp:")
        return Endpoint(address, _tls_of(environ) if wants_tls and is_tcp else None)
    return _of_context(context, environ)


def _tls_of(environ: Mapping[str, str]) -> EngineTls:
    stated = environ.get("DOCKER_CERT_PATH")
    return _tls(
        Path(stated) if stated else config_file.folder(environ),
        verify=bool(environ.get("DOCKER_TLS_VERIFY")),
        hint="Set DOCKER_CERT_PATH to the directory with ca.pem, cert.pem and key.pem, or unset "
        "DOCKER_TLS_VERIFY and DOCKER_TLS.",
    )


def _tls(folder: Path, *, verify: bool, hint: str) -> EngineTls:
    ca, cert, key = (folder / f"{name}.pem" for name in ("ca", "cert", "key"))
    there = {each for each in (ca, cert, key) if each.is_file()}
    missing = [each for each in (cert, key) if each not in there and len(there & {cert, key}) == 1]
    if verify and ca not in there:
        missing.insert(0, ca)
    if missing:
        raise NoEngine(
            f"{missing[0]}, which the connection to the Docker Engine needs, can't be read.",
            hint=hint,
        )
    pair = (cert, key) if cert in there else None
    return EngineTls(ca if ca in there else None, pair, verify)


def _of_context(name: str, environ: Mapping[str, str]) -> Endpoint:
    folder = config_file.folder(environ) / "contexts"
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    meta = folder / "meta" / digest / "meta.json"
    hint = "See 'docker context ls', and choose one with 'docker context use'"
    try:
        docker = _docker_of(json.loads(config_file.content(meta)))
    except (FileNotFoundError, NotADirectoryError) as error:
        whose = "" if environ.get("DOCKER_CONTEXT") else ", which Docker's config.json names,"
        raise NoEngine(
            f"The Docker context '{name}'{whose} does not exist.",
            hint=f"{hint}, or unset DOCKER_CONTEXT."
            if environ.get("DOCKER_CONTEXT")
            else f"{hint}.",
        ) from error
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not what Docker writes"
        raise NoEngine(
            f"The Docker context '{name}' can't be read from {meta}: {reason}.",
            hint=f"Remove it with 'docker context rm --force {name}' and make it anew, or choose "
            "another with 'docker context use'.",
        ) from error
    host, skips_verify = docker
    address = _sdk_address(host, f"The address of the Docker context '{name}'", hint=f"{hint}.")
    certificates = folder / "tls" / digest / "docker"
    if not address.startswith("tcp:") or not certificates.is_dir():
        return Endpoint(address, None)
    return Endpoint(
        address,
        _tls(
            certificates,
            verify=not skips_verify,
            hint=f"Make the context '{name}' anew, with its certificates, or choose another with "
            "'docker context use'.",
        ),
    )


def _docker_of(meta: Any) -> tuple[str, bool]:
    """Return the address, and whether the engine's certificate is not checked."""
    found = meta["Endpoints"]["docker"]
    host = (found.get("Host") or "") if isinstance(found, dict) else None
    if not isinstance(host, str):
        raise TypeError(found)
    return host.strip(), bool(found.get("SkipTLSVerify"))


def _sdk_address(address: str, what: str, *, hint: str, tls: bool = False) -> str:
    """Return the address in the SDK's form; for tcp always with host and port.

    Raises NoEngine if it is invalid or on another host.
    """
    if not address or address == "unix://":
        return ""
    try:
        url = urlsplit(address if "://" in address else f"tcp://{address}")
        port = url.port
    except ValueError:
        url, port = SplitResult("", "", "", "", ""), None
    if url.scheme in ("unix", "npipe") and (sys.platform == "win32") == (url.scheme == "npipe"):
        path = address.partition("://")[2]
        if url.scheme == "unix" and len(os.fsencode(path)) > _LONGEST_PATH:
            raise NoEngine(
                f"{what} can't be used: the path of its socket is longer than {_LONGEST_PATH} "
                "bytes.",
                hint="Have the engine listen at a shorter path, or make a link to it there.",
            )
        if path.strip("/"):
            return address
    is_word = ("://" not in address and port is None) or len(address.split()) > 1
    is_ssh = url.scheme == "ssh" and url.hostname
    if is_ssh or (url.scheme in _SCHEMES[2:] and not is_word and _is_remote(url)):
        raise NoEngine(
            f"The Docker Engine at {url.hostname} is on another host: the ports it publishes and "
            "the files it mounts are not this machine's.",
            hint="Unset DOCKER_HOST, or choose a local context with 'docker context use default'.",
        )
    if url.scheme not in _SCHEMES[2:] or is_word:
        shown = re.sub("//[^/]*@", "//", address)
        raise NoEngine(
            f"{what} can't be used: '{shown}' is no address of an engine here.",
            hint=f"{_FORMS}, {hint}" if hint.startswith("or") else hint,
        )
    host = (url.hostname or "127.0.0.1").removesuffix(".")
    shown = f"[{host}]" if ":" in host else host
    standard = _TLS_PORT if tls or url.scheme == "https" else _PORT
    scheme = "https" if url.scheme == "https" else "tcp"
    return f"{scheme}://{shown}:{port or standard}{url.path.rstrip('/')}"


def _is_remote(url: SplitResult) -> bool:
    host = (url.hostname or "localhost").removesuffix(".")
    return not (is_loopback(host) or host == socket.gethostname().lower() or _is_own(host))


def _is_own(host: str) -> bool:
    """Whether a numeric address is one of this machine's."""
    try:
        address = host if ":" in host else socket.inet_ntoa(socket.inet_aton(host))
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
