"""Registries that refuse, and the credentials of a pull."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import docker
import pytest

from tests.stack_fixtures import NOTHING, Docker, Stack


class _Registry(ThreadingHTTPServer):
    """Answers every request the same, and records the logins it gets."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = (status, body, headers)
        self.logins: list[str] = []

    @property
    def image(self) -> str:
        """The name of an image that it might have."""
        return f"127.0.0.1:{self.server_port}/redis:7.2-alpine"


class _Handler(BaseHTTPRequestHandler):
    server: _Registry

    def do_GET(self) -> None:
        status, body, headers = self.server.answer
        kind, _, login = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            self.server.logins.append(base64.b64decode(login).decode())
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def _registry(status: int, body: bytes, **headers: str) -> Iterator[_Registry]:
    server = _Registry(
        status, body, {name.replace("_", "-"): value for name, value in headers.items()}
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _error(code: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, _error("UNAUTHORIZED"), "docker login 127.0.0.1:"),
        (403, _error("DENIED"), "docker login 127.0.0.1:"),
        (429, _error("TOOMANYREQUESTS"), "limits how often you may pull"),
        (429, b"slow down", "limits how often you may pull"),
        (200, b"<html>Not a registry</html>", "Check "),
        (503, b"", "in trouble"),
        (404, b"", "name and tag"),
    ],
    ids=["401", "403", "429", "429-garbage", "garbage", "503", "404"],
)
def test_a_registry_that_refuses(
    docker_stack: Stack, engine_view: Docker, status: int, body: bytes, words: str
) -> None:
    """Its own message is shown, with a hint that fixes it."""
    challenge = {"WWW_Authenticate": 'Basic realm="here"'} if status == 401 else {}
    with _registry(status, body, Content_Type="application/json", **challenge) as registry:
        done = docker_stack("redis", "up", env={"REDIS_IMAGE": registry.image})

    assert done.status == 1
    assert f"The image {registry.image} could not be pulled: " in done.err
    assert words in done.err.split("→")[1]
    assert engine_view.names() == NOTHING


def _helper(stack: Stack, script: str) -> dict[str, str]:
    """Install a credential helper `test` that runs this script."""
    folder = stack.folder / "helpers"
    folder.mkdir()
    (folder / "docker-credential-test").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "docker-credential-test").chmod(0o755)
    return {"PATH": f"{folder}:{stack.environment['PATH']}"}


def _configuration(stack: Stack, **config: object) -> dict[str, str]:
    folder = stack.folder / "configuration"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    return {"DOCKER_CONFIG": str(folder)}


@pytest.mark.parametrize(
    "script",
    [
        "",
        "echo 'the key ring is locked'; exit 1",
        "echo no json",
        "echo '[]'",
        "echo 'credentials not found in native keychain'; exit 1",
    ],
    ids=["missing", "refuses", "garbage", "list", "has-none"],
)
def test_without_its_helper_an_image_is_pulled_anonymously(
    docker_stack: Stack, unpulled_image: str, script: str
) -> None:
    """docker does the same; the registry may allow it."""
    configuration = _configuration(docker_stack, credsStore="test")
    helper = _helper(docker_stack, script) if script else {}

    done = docker_stack(
        "redis", "up", env={"REDIS_IMAGE": unpulled_image, **configuration, **helper}
    )

    assert done.status == 0, done.err
    assert f"Pulling {unpulled_image}" in done.err.splitlines()
    assert "docker-credential" not in done.err


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("", "docker-credential-test, which config.json names, is not on PATH"),
        ("echo 'the key ring is locked'; exit 1", "refuses: the key ring is locked"),
    ],
    ids=["missing", "refuses"],
)
def test_a_helper_is_named_if_the_registry_wants_a_login(
    docker_stack: Stack, script: str, words: str
) -> None:
    """A missing or failing helper is why no login was sent."""
    helper = _helper(docker_stack, script) if script else {}
    with _registry(401, _error("UNAUTHORIZED"), WWW_Authenticate='Basic realm="x"') as registry:
        host = registry.image.partition("/")[0]
        configuration = _configuration(docker_stack, credHelpers={host: "test"})
        done = docker_stack(
            "redis", "up", env={"REDIS_IMAGE": registry.image, **configuration, **helper}
        )

    assert done.status == 1
    assert words in done.err
    assert "docker login" in done.err


@pytest.mark.parametrize("stream", ["", " >&2"])
def test_a_login_that_a_failing_helper_prints_is_not_shown(
    docker_stack: Stack, stream: str
) -> None:
    """The error says that there was no login, and gives the helper's status."""
    script = f"""echo '{{"Username": "me", "Secret": "secret-of-mine"}}'{stream}; exit 3"""
    helper = _helper(docker_stack, script)
    with _registry(401, _error("UNAUTHORIZED"), WWW_Authenticate='Basic realm="x"') as registry:
        configuration = _configuration(docker_stack, credsStore="test")
        done = docker_stack(
            "redis", "up", env={"REDIS_IMAGE": registry.image, **configuration, **helper}
        )

    assert done.status == 1
    assert "docker-credential-test refuses: status 3" in done.err
    assert "secret-of-mine" not in done.err + done.text


@pytest.mark.parametrize("source", ["file", "fields", "helper"])
def test_a_login_is_sent(
    docker_stack: Stack, docker_engine: docker.DockerClient, source: str
) -> None:
    """From config.json or from a helper, which takes precedence."""
    encoded = base64.b64encode(b"me:secret:of mine").decode()
    with _registry(401, _error("UNAUTHORIZED"), WWW_Authenticate='Basic realm="x"') as registry:
        host = registry.image.partition("/")[0]
        environment = {"REDIS_IMAGE": registry.image}
        if source == "helper":
            answer = json.dumps({"Username": "me", "Secret": "secret:of mine"})
            environment |= _helper(docker_stack, f"cat >/dev/null; echo '{answer}'")
            environment |= _configuration(
                docker_stack, credsStore="test", auths={host: {"auth": "bm86bm8="}}
            )
        elif source == "file":
            environment |= _configuration(
                docker_stack, auths={f"http://{host}/v1/": {"auth": encoded}}
            )
        else:
            entry = {"auth": "", "username": "me", "password": "secret:of mine"}
            environment |= _configuration(docker_stack, auths={host: entry})
        docker_stack("redis", "up", env=environment)

    assert set(registry.logins) == {"me:secret:of mine"}
