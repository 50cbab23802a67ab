"""What mends a refusal of the engine or of a registry, by the words it refuses with. Pure."""

_TRY_AGAIN = "Fix this and run it again."

# The first that is found in the refusal, in small letters, counts.
_ENGINE = {
    (
        "address pools have been fully subnetted",
        "non-overlapping ipv4 address pool",
    ): "Remove the networks that nobody uses with 'docker network prune', or give the engine more "
    "addresses with default-address-pools in its daemon.json.",
    ("no space left on device", "disk quota exceeded"): "Make room on Docker's disk: 'docker "
    "system df' shows what takes it, 'docker image prune' removes images that have no name.",
    ("marked for removal", "dead and cannot", "is dead"): "Remove the container with 'docker rm "
    "--force'; if that is refused, restart Docker and try it again.",
    (
        "does not support reading",
        "logging driver",
    ): "Its log is where the engine's log driver sends it, if anywhere; to read it here, set "
    "log-driver to json-file or local in the engine's daemon.json, restart Docker, and run "
    "'pawsctl redis down' and 'pawsctl redis up'.",
    (
        "no chain/target/match",
        "external connectivity",
        "iptables failed",
    ): "Restart Docker: a firewall has removed its rules.",
    ("executable file not found", "exec format error"): "The image does not run a Redis on this "
    "machine: choose another with REDIS_IMAGE or REDIS_COMMANDER_IMAGE.",
    ("permission denied", "operation not permitted"): "Look at what the engine may do: SELinux, "
    "AppArmor or a rootless engine can forbid this.",
    ("cgroup",): "The engine can't limit this container: look at 'docker info' for its cgroup "
    "driver, and restart Docker.",
    ("read-only file system",): "Docker's disk has become read-only: look at the system's log.",
}
_REGISTRY = {
    ("toomanyrequests", "too many requests", "429"): "The registry limits how often you may pull: "
    "wait, or log in with 'docker login {registry}'.",
    (
        "unauthorized",
        "denied",
        "authentication required",
        "no basic auth credentials",
        "401",
        "403",
        "forbidden",
    ): "Log in with 'docker login {registry}', or check the image's name.",
    ("http response to https client",): "The registry has no TLS: add it to insecure-registries in "
    "the engine's daemon.json, and restart Docker.",
    (
        "x509",
        "certificate",
    ): "The engine does not trust the registry's certificate: put its CA into "
    "/etc/docker/certs.d/{registry}/ca.crt.",
    ("no matching manifest", "does not match the"): "The image is not made for this machine's "
    "processor: choose another with REDIS_IMAGE or REDIS_COMMANDER_IMAGE.",
    ("no space left on device",): "Make room on Docker's disk: 'docker system df' shows what takes "
    "it.",
    ("proxyconnect", "proxy"): "Check the proxy that the engine goes through: 'docker info' shows "
    "it.",
    (
        "connection refused",
        "no such host",
        "timeout",
        "deadline exceeded",
        "unreachable",
        "eof",
        "connection reset",
    ): "Check that {registry} can be reached from here; behind a proxy, the engine has to know it.",
}
_NAME = (
    "Check its name and your connection, or choose another with REDIS_IMAGE or "
    "REDIS_COMMANDER_IMAGE."
)


def hint(reason: str) -> str:
    """Return what mends what the engine refused."""
    return _found(_ENGINE, reason) or _TRY_AGAIN


def registry_hint(reason: str, registry: str) -> str:
    """Return what mends what a registry refused."""
    return (_found(_REGISTRY, reason) or _NAME).format(registry=registry)


def _found(table: dict[tuple[str, ...], str], reason: str) -> str:
    small = reason.lower()
    return next((told for words, told in table.items() if any(w in small for w in words)), "")
