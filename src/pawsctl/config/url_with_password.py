"""Format a target as a Redis URL with its passwords, to pass to a program. Pure."""

from urllib.parse import quote

from pawsctl.config.target import Target, Tls


def of(target: Target) -> str:
    """Return the URL that `redis_url.parse` parses into this target's address and login."""
    user, password = (quote(each or "", safe="") for each in (target.username, target.password))
    login = f"{user}:{password}@" if password else f"{user}@" if user else ""
    parameters = _parameters(target)
    query = f"?{'&'.join(parameters)}" if parameters else ""
    if target.path is not None:
        return f"unix://{login}{quote(target.path)}{query}"
    scheme, _, rest = target.url.partition("://")
    return f"{scheme}://{login}{rest.rpartition('@')[2]}{query}"


def _parameters(target: Target) -> list[str]:
    found = {
        "db": str(target.db) if target.path is not None and target.db else None,
        "sentinel_username": target.sentinel_username,
        "sentinel_password": target.sentinel_password,
    }
    if target.kind == "sentinel" and (target.tls is None) != (target.sentinel_tls is None):
        found["sentinel_ssl"] = "false" if target.sentinel_tls is None else "true"
    return [
        f"{name}={quote(value, safe='/')}"
        for name, value in (found | _tls(target.tls or target.sentinel_tls)).items()
        if value
    ]


def _tls(tls: Tls | None) -> dict[str, str | None]:
    if tls is None:
        return {}
    return {
        "ssl_ca_certs": tls.ca_certs,
        "ssl_certfile": tls.certfile,
        "ssl_keyfile": tls.keyfile,
        "ssl_cert_reqs": None if tls.verify else "none",
        "ssl_check_hostname": "false" if tls.verify and not tls.check_hostname else None,
    }
