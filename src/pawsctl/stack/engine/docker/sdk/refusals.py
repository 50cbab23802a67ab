"""Hints for errors of the engine or of a registry, found by the error's text. Pure."""

import re

_TRY_AGAIN = "Fix this and run it again."
_ENGINE_FAILS = (
    "See what the engine's own log says of it (Docker's: 'journalctl -u docker'), or restart it."
)

# Docker was killed while it started or stopped the container, which has a process left.
LEFT = (": already exists", "id already in use", "start shim: mkdir")

# The first entry with a text found in the lower-case error counts.
_ENGINE = {
    (
        "address pools have been fully subnetted",
        "non-overlapping ipv4 address pool",
        "could not find free subnet",
    ): "Remove the networks that nobody uses with 'docker network prune', or give the engine more "
    "addresses with default-address-pools in its daemon.json.",
    ("no space left on device", "disk quota exceeded"): "Make room on Docker's disk: 'docker "
    "system df' shows what takes it, 'docker image prune' removes images that have no name.",
    ("marked for removal", "dead and cannot", "is dead"): "Remove the container with 'docker rm "
    "--force'; if that is refused, restart Docker and try it again.",
    ("failed to initialize logging driver", "failed to create logging driver"): "The engine's log "
    "driver does not work: mend what it writes to, or set log-driver to json-file in the engine's "
    "daemon.json and restart Docker.",
    (
        "does not support reading",
        "logging driver",
        "log driver",
    ): "Its log is where the engine's log driver sends it, if anywhere; to read it here, set "
    "log-driver to json-file or local in the engine's daemon.json, restart Docker, and run "
    "'pawsctl redis down' and 'pawsctl redis up'.",
    (
        "no chain/target/match",
        "external connectivity",
        "iptables failed",
    ): "Restart Docker: a firewall has removed its rules.",
    # For a machine whose processes are not in sight, see left_running.
    LEFT: "Docker was killed while it "
    "started or stopped this container, and what it had begun still runs where Docker does not see "
    "it: restart the machine that Docker runs on, or Docker Desktop, and run this again.",
    ("executable file not found", "exec format error"): "The image does not run a Redis on this "
    "machine: choose another with REDIS_IMAGE or REDIS_COMMANDER_IMAGE.",
    ("authorization denied",): "Ask who runs this engine: its authorization plugin forbids it.",
    ("permission denied", "operation not permitted"): "Look at what the engine may do: SELinux, "
    "AppArmor or a rootless engine can forbid this.",
    ("cgroup",): "The engine can't limit this container: look at 'docker info' for its cgroup "
    "driver, and restart Docker.",
    ("read-only file system",): "Docker's disk has become read-only: look at the system's log.",
}
_LOCAL_DISK = "Make room on Docker's disk: 'docker system df' shows what takes it."
_REGISTRY = {
    r"too ?many ?requests|\b429\b": "The registry limits how often you may pull: wait, or log in "
    "with 'docker login {registry}'.",
    r"unauthorized|\bdenied\b|authentication required|no basic auth credentials|\b40[13]\b"
    r"|forbidden": "Log in with 'docker login {registry}', or check the image's name.",
    "http response to https client": "The registry has no TLS: add it to insecure-registries in "
    "the engine's daemon.json, and restart Docker.",
    "x509|certificate": "The engine does not trust the registry's certificate: put its CA into "
    "/etc/docker/certs.d/{registry}/ca.crt.",
    "no matching manifest|does not match the|no match for platform|no image found in": "The image "
    "is not made for this machine's processor: choose another with REDIS_IMAGE or "
    "REDIS_COMMANDER_IMAGE.",
    r"manifest unknown|name unknown|not found|does not exist|\b404\b": "Check the image's name and "
    "tag, in REDIS_IMAGE or REDIS_COMMANDER_IMAGE.",
    "no space left on device|disk quota exceeded": _LOCAL_DISK,
    "proxyconnect|via proxy": "Check the proxy that the engine goes through: 'docker info' shows "
    "it.",
    "connection refused|no such host|server misbehaving|time(d )?-?out|deadline exceeded"
    r"|unreachable|\beof\b|connection reset|no route to host": "Check that {registry} can be "
    "reached from here; behind a proxy, the engine has to know it.",
    r"http status:? 5\d\d|\b50[0234]\b": "The registry at {registry} is in trouble: try again "
    "later, or choose another image with REDIS_IMAGE or REDIS_COMMANDER_IMAGE.",
}
_NAME = (
    "Check its name and your connection, or choose another with REDIS_IMAGE or "
    "REDIS_COMMANDER_IMAGE."
)
# Parts of an error that may contain any numbers and words: addresses, paths, digests.
_NO_REASON = re.compile(
    r"\S*/\S*|sha256:[0-9a-f]+|(?:localhost|[\w-]+(?:\.[\w-]+)+|\[[0-9a-f:]+\]):\d{2,5}\b"
)


def hint(reason: str, status: int | None = None) -> str:
    """Return the hint for an error of the engine; `status` is its HTTP status, if it had one."""
    small = reason.lower()
    found = (told for words, told in _ENGINE.items() if any(w in small for w in words))
    # The engine answers 500 to any failure of a program that it runs.
    return next(found, _ENGINE_FAILS if status and status >= 500 else _TRY_AGAIN)


def registry_hint(reason: str, image: str, registry: str) -> str:
    """Return the hint for an error of a registry.

    The image's name and addresses in the error are ignored: they may contain any words.
    """
    said = _NO_REASON.sub(" ", reason)
    for name in (image, image.partition(":")[0]):
        said = re.sub(rf"(?<!\S){re.escape(name)}(?![\w-])", " ", said)
    said = said.lower()
    for words, told in _REGISTRY.items():
        if re.search(words, said):
            return told.format(registry=registry)
    return _NAME
