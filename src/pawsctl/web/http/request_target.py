"""The target of a request: with its host in front, as proxies send it, or its path alone."""

from urllib.parse import unquote

from starlette.types import Scope

_SCHEMES = (b"http", b"https")


def as_path(scope: Scope) -> Scope:
    """Return a request for `http://host/path` as one for its path at that host.

    By RFC 9112, 3.2.2, a server accepts that form, and the host in it counts, not the header's.
    """
    scheme, mark, rest = scope["raw_path"].partition(b"://")
    if not mark or scheme.lower() not in _SCHEMES:
        return scope
    host, slash, path = rest.partition(b"/")
    raw = slash + path or b"/"
    others = [each for each in scope["headers"] if each[0] != b"host"]
    return {
        **scope,
        "path": unquote(raw.decode("ascii", "backslashreplace")),
        "raw_path": raw,
        "headers": [(b"host", host), *others],
    }
