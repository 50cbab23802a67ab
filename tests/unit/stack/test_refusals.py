"""The hint for a refusal depends on its own words, not on a name or address in it."""

import pytest

from pawsctl.stack.engine.docker.sdk import refusals

REGISTRY = "127.0.0.1:42940"
IMAGE = f"{REGISTRY}/denied/proxy-401/unauthorized:429"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("toomanyrequests: You have reached your pull rate limit", "how often you may pull"),
        ("received unexpected HTTP status: 429 Too Many Requests", "how often you may pull"),
        ("unauthorized: authentication required", "docker login 127.0.0.1:42940"),
        (f"pull access denied for {IMAGE}, repository does not exist", "docker login"),
        (f"manifest for {IMAGE} not found: manifest unknown", "name and tag"),
        ("error parsing HTTP 404 response body: invalid character '<'", "name and tag"),
        ("received unexpected HTTP status: 500 Internal Server Error", "in trouble"),
        ("received unexpected HTTP status: 503 Service Unavailable", "in trouble"),
        ("x509: certificate signed by unknown authority", "/etc/docker/certs.d"),
        ("http: server gave HTTP response to HTTPS client", "insecure-registries"),
        (f'Get "http://{REGISTRY}/v2/": dial tcp {REGISTRY}: connect: connection refused', "reach"),
        (f'Get "http://{REGISTRY}/v2/": EOF', "can be reached"),
        ("dial tcp: lookup geoff.example.com on 1.2.3.4:53: no such host", "can be reached"),
        (f'Head "http://{REGISTRY}/v2/{IMAGE}/manifests/429": context deadline exceeded', "reach"),
        ("proxyconnect tcp: dial tcp 1.2.3.4:3128: connect: connection refused", "the proxy"),
        ("no matching manifest for linux/amd64 in the manifest list entries", "processor"),
        ("write /var/lib/docker/tmp/x: no space left on device", "docker system df"),
        (f"something else about sha256:{'429401' * 10} of {IMAGE}", "Check its name"),
    ],
)
def test_what_a_registry_refuses(reason: str, words: str) -> None:
    """Each refusal gets its own hint."""
    assert words in refusals.registry_hint(reason, IMAGE, REGISTRY)


def test_an_image_may_be_named_like_a_reason() -> None:
    """This also holds on Docker Hub, where the name is one word."""
    reason = "proxyconnect tcp: no answer of denied"

    assert "the proxy" in refusals.registry_hint(reason, "denied:401", "docker.io")


@pytest.mark.parametrize(
    ("reason", "status", "words"),
    [
        ("all predefined address pools have been fully subnetted", 500, "network prune"),
        ("could not find free subnet from subnet pools", 500, "network prune"),
        ("authorization denied by plugin x: no", 403, "authorization plugin"),
        ("failed to initialize logging driver: no syslog", 500, "mend what it writes to"),
        ("configured logging driver does not support reading", 501, "json-file or local"),
        ("task 87fa8aa7: already exists", 500, "restart the machine"),
        ("id already in use", 500, "restart the machine"),
        (f"failed to start shim: mkdir /run/x/moby/{'87fa' * 16}: file exists", 500, "restart the"),
        ("boom", 500, "own log"),
        ("bad parameter", 400, "run it again"),
    ],
)
def test_what_an_engine_refuses(reason: str, status: int, words: str) -> None:
    """If the engine gives no reason, the hint refers to its log."""
    assert words in refusals.hint(reason, status)
