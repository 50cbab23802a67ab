"""Docker's own settings: config.json, contexts, certificates and proxies, as in `docker`."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.stack_fixtures import Stack

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy")
NO_PROXY_HELPS = {
    **dict.fromkeys(_PROXIES, "http://127.0.0.1:1"),
    **dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "/nowhere.pem"),
}


@pytest.fixture
def configured(docker_engine: docker.DockerClient, asking: Stack) -> Stack:
    """pawsctl on Docker, with the test's own configuration."""
    asking.environment["DOCKER_CONFIG"] = str(asking.folder / "configuration")
    (asking.folder / "configuration").mkdir()
    return asking


@pytest.fixture
def by_context(configured: Stack) -> Stack:
    """pawsctl with that configuration, without DOCKER_HOST."""
    configured.environment.pop("DOCKER_HOST", None)
    return configured


def _write_context(stack: Stack, name: str, meta: Any) -> Path:
    folder = Path(stack.environment["DOCKER_CONFIG"]) / "contexts"
    digest = hashlib.sha256(name.encode()).hexdigest()
    path = folder / "meta" / digest / "meta.json"
    path.parent.mkdir(parents=True)
    path.write_text(meta if isinstance(meta, str) else json.dumps(meta))
    return folder / "tls" / digest / "docker"


def _named(name: str, host: str) -> dict[str, Any]:
    return {"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host}}}


def _socket() -> str:
    return os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")


ANYTHING = [
    *("null", "[]", "1", '"x"', "true", "{}", '{"x": null}', '{"x": 1}', '{"x": {"auth": 1}}'),
    *('"\\ud800"', '"\\u0000"', '"../../x"', '{"127.0.0.1:1": {"username": 1, "password": 2}}'),
    *('{"127.0.0.1:1": {"auth": "/w=="}}', '{"127.0.0.1:1": null}', '{"127.0.0.1:1": "\\u0000"}'),
]
CONFIGS = [
    *(b"", b"{", b"\xff\xfe\x00", b"\0" * 50, b"[" * 100_000, b'{"a":' * 100_000, b"NaN"),
    *(text.encode() for text in ANYTHING),
    *(f'{{"{name}": {text}}}'.encode() for name in ("auths", "credHelpers") for text in ANYTHING),
    *(
        f'{{"{name}": {text}}}'.encode()
        for name in ("credsStore", "proxies", "HttpHeaders")
        for text in ("null", "[]", "1", '"\\u0000"', '{"x": null}')
    ),
    *(f'{{"currentContext": {text}}}'.encode() for text in ("null", "[]", "1", '""', '"default"')),
    b'{"auths": {"x": {"auth": ""}}, "credsStore": "nowhere"}',
]


@pytest.mark.parametrize("content", CONFIGS)
def test_forms_of_config_json(configured: Stack, content: bytes) -> None:
    """A form that docker accepts, or only warns of, prevents neither a connection nor a pull."""
    (Path(configured.environment["DOCKER_CONFIG"]) / "config.json").write_bytes(content)

    done = configured("redis", "up", env={"REDIS_IMAGE": "127.0.0.1:1/redis:7"})

    assert done.status == 1, done.err
    assert "Pulling 127.0.0.1:1/redis:7" in done.err.splitlines()
    assert "connection refused" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ["x", "\\ud800", "\\u0000", "../../x", "-x"])
def test_a_current_context_of_any_name(by_context: Stack, name: str) -> None:
    """A context that does not exist is an error, not a crash."""
    (Path(by_context.environment["DOCKER_CONFIG"]) / "config.json").write_text(
        f'{{"CurrentContext": "{name}"}}'
    )

    done = by_context("redis", "status")

    assert done.status == 6
    assert "does not exist" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.parametrize("kind", ["directory", "pipe", "endless", "link to itself"])
def test_a_config_json_that_is_no_file(configured: Stack, kind: str) -> None:
    """It is ignored, and not read for ever."""
    path = Path(configured.environment["DOCKER_CONFIG"]) / "config.json"
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "endless" else path)

    done = configured("redis", "status", "--json")

    assert done.status == 1, done.err
    assert done.json["engine"] == "docker"


def test_a_context_beside_no_config_json(by_context: Stack) -> None:
    """DOCKER_CONTEXT selects it, in the directory where config.json would be."""
    _write_context(by_context, "mine", _named("mine", "unix:///nonexistent/of-mine.sock"))

    done = by_context("redis", "status", env={"DOCKER_CONTEXT": "mine"})

    assert done.status == 6
    assert "unix:///nonexistent/of-mine.sock" in done.err


def test_a_context_that_is_current(by_context: Stack) -> None:
    """It leads to an engine."""
    _write_context(by_context, "mine", _named("mine", _socket()))
    (Path(by_context.environment["DOCKER_CONFIG"]) / "config.json").write_text(
        '{"currentContext": "mine"}'
    )

    assert by_context("redis", "status", "--json").json["engine"] == "docker"


@pytest.mark.parametrize(
    "meta",
    [
        "{",
        "[]",
        "{}",
        '{"Endpoints": []}',
        '{"Endpoints": {"docker": "x"}}',
        '{"Name": "mine", "Endpoints": {"docker": {"Host": 5}}}',
    ],
)
def test_a_corrupted_context(by_context: Stack, meta: str) -> None:
    """The error names it and its file, and says how to remove it."""
    _write_context(by_context, "mine", meta)

    done = by_context("redis", "status", env={"DOCKER_CONTEXT": "mine"})

    assert done.status == 6
    assert "The Docker context 'mine' can't be read from " in done.err
    assert "docker context rm --force mine" in done.err


@pytest.mark.parametrize(
    ("host", "words"),
    [("nonsense", "is no address"), ("ssh://user@192.0.2.1", "is on another host")],
)
def test_a_context_whose_address_is_none_here(by_context: Stack, host: str, words: str) -> None:
    """The hint is to change the context."""
    _write_context(by_context, "mine", _named("mine", host))

    done = by_context("redis", "status", env={"DOCKER_CONTEXT": "mine"})

    assert done.status == 6
    assert words in done.err
    assert "docker context use" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
def test_a_context_that_is_no_file(by_context: Stack) -> None:
    """A pipe is not waited for."""
    _write_context(by_context, "mine", "{")
    (meta,) = by_context.folder.rglob("meta.json")
    meta.unlink()
    os.mkfifo(meta)

    done = by_context("redis", "status", env={"DOCKER_CONTEXT": "mine"})

    assert done.status == 6
    assert "it is no regular file" in done.err


def test_docker_host_goes_before_a_context(configured: Stack) -> None:
    """As with the docker command; the context is then not read."""
    _write_context(configured, "mine", "{")

    done = configured(
        "redis", "status", "--json", env={"DOCKER_HOST": _socket(), "DOCKER_CONTEXT": "mine"}
    )

    assert done.json["engine"] == "docker"


def test_certificates_that_are_missing(configured: Stack) -> None:
    """The error names the first missing file, and the variables that require it."""
    environment = {
        "DOCKER_HOST": "tcp://127.0.0.1:1",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(configured.folder),
    }
    no_ca = configured("redis", "status", env=environment)
    (configured.folder / "ca.pem").write_text("no certificate")
    (configured.folder / "cert.pem").write_text("no certificate")
    no_key = configured("redis", "status", env=environment)

    for done, name in ((no_ca, "ca.pem"), (no_key, "key.pem")):
        assert done.status == 6
        assert f"{configured.folder / name}, which the connection" in done.err
        assert "DOCKER_CERT_PATH" in done.err


def test_certificates_of_a_context_that_are_missing(by_context: Stack) -> None:
    """The hint is to create the context again."""
    folder = _write_context(by_context, "mine", _named("mine", "tcp://127.0.0.1:1"))
    folder.mkdir(parents=True)
    (folder / "cert.pem").write_text("no certificate")

    done = by_context("redis", "status", env={"DOCKER_CONTEXT": "mine"})

    assert done.status == 6
    assert "key.pem" in done.err or "ca.pem" in done.err
    assert "Make the context 'mine' anew" in done.err


def test_certificates_do_not_matter_to_a_socket(configured: Stack) -> None:
    """A socket has no TLS."""
    done = configured(
        "redis", "status", "--json", env={"DOCKER_HOST": _socket(), "DOCKER_TLS_VERIFY": "1"}
    )

    assert done.json["engine"] == "docker"


@pytest.fixture
def on_loopback(docker_engine: docker.DockerClient) -> Iterator[str]:
    """The engine by TCP, on loopback."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(_socket().removeprefix("unix://"))
                for source, target in ((client, engine), (engine, client)):
                    threading.Thread(target=_pump, args=(source, target), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    with listener:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65_536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
    source.close()


def test_proxies_do_not_matter_to_an_engine_here(configured: Stack, on_loopback: str) -> None:
    """Nor do CA files, for a socket or on loopback."""
    for host in (_socket(), on_loopback):
        done = configured("redis", "status", "--json", env={"DOCKER_HOST": host, **NO_PROXY_HELPS})

        assert done.status == 1, done.err
        assert done.json["engine"] == "docker"


def test_where_certificates_are_says_nothing_of_their_use(
    configured: Stack, on_loopback: str
) -> None:
    """As with the docker command, only DOCKER_TLS_VERIFY or DOCKER_TLS turns TLS on."""
    certificates = {"DOCKER_HOST": on_loopback, "DOCKER_CERT_PATH": str(configured.folder)}

    plain = configured("redis", "status", "--json", env=certificates)
    encrypted = configured("redis", "status", env={**certificates, "DOCKER_TLS": "1"})

    assert plain.json["engine"] == "docker"
    assert encrypted.status == 6
    assert "TLS" in encrypted.err


def test_tls_that_the_engine_does_not_speak(configured: Stack, on_loopback: str) -> None:
    """The error names the variables that turn TLS on."""
    done = configured(
        "redis",
        "status",
        env={"DOCKER_HOST": on_loopback.replace("tcp:", "https:")},
    )

    assert done.status == 6
    assert "TLS" in done.err
    assert "DOCKER_TLS_VERIFY" in done.err
