"""Parsing of INFO's reply into fields and into key counts of each database. Pure."""

from collections.abc import Mapping
from typing import Any


def fields(reply: Any) -> dict[str, str]:
    """Return the fields of a reply with a `name:value` on each line."""
    pairs = (line.partition(":") for line in text(reply).splitlines())
    return {name: value for name, colon, value in pairs if colon}


def keys(info: Mapping[str, str]) -> tuple[int, int]:
    """Return the number of keys in all databases, and of those that expire, from INFO's fields."""
    # db0:keys=3,expires=2,avg_ttl=…
    databases = [
        dict(pair.split("=") for pair in value.split(","))
        for name, value in info.items()
        if name.startswith("db") and name[2:].isdigit()
    ]
    return (
        sum(int(each["keys"]) for each in databases),
        sum(int(each["expires"]) for each in databases),
    )


def databases(info: Mapping[str, str]) -> dict[str, tuple[int, int]]:
    """Return by database the number of its keys, and of those that expire, from INFO's fields."""
    return {
        name: keys({name: value})
        for name, value in info.items()
        if name.startswith("db") and name[2:].isdigit()
    }


def server(info: Mapping[str, str]) -> str:
    """Return the server's name and version, such as `redis 7.2.4`, from INFO's fields."""
    name = "valkey" if "valkey_version" in info else "redis"
    version = info.get("valkey_version") or info.get("redis_version") or "of unknown version"
    return f"{name} {version}"


def text(reply: Any) -> str:
    """Return a reply as text; empty if it is none."""
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else ""
