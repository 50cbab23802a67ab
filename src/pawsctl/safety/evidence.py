"""Evidence that a Redis is production's, from what was seen of it. Pure."""

import msgspec

from pawsctl.config.target import Address, Target


class Seen(msgspec.Struct, frozen=True):
    """Facts seen of a Redis.

    `foreign` is a host that commands go to and that is not this machine; None if all are local.
    `replicas` maps a server to how many are attached to it, those aside that this project started.
    `untold` says in words what could not be looked at; `names` are those by which it may be
    confirmed, the best one first. `addresses` are those of its servers and their Sentinels, beside
    those that the URL names.
    """

    foreign: str | None
    replicas: dict[str, int]
    untold: tuple[str, ...]
    names: tuple[str, ...]
    addresses: tuple[Address, ...] = ()


def of(target: Target, seen: Seen) -> list[str]:
    """Return the evidence in clauses; none if nothing speaks for production."""
    found = []
    if seen.foreign is not None:
        found.append(f"{seen.foreign} is not this machine (the URL is from {target.origin})")
    if target.tls is not None or target.sentinel_tls is not None:
        found.append("it is reached over TLS")
    for server, count in seen.replicas.items():
        replicas = "1 replica is" if count == 1 else f"{count} replicas are"
        found.append(f"{replicas} attached to {server}")
    return [*found, *target.production]


def of_place(target: Target) -> Seen:
    """Return what is seen of a Redis without a look at it."""
    names = (target.service or target.host, *map(str, target.addresses), target.host)
    return Seen(None if target.is_local else target.host, {}, (), tuple(dict.fromkeys(names)))


def is_named(name: str, seen: Seen) -> bool:
    """Return whether `name` names the Redis, in any case."""
    return name.strip("[]").lower() in (each.strip("[]").lower() for each in seen.names)
