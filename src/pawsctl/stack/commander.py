"""Redis Commander asked over HTTP whether it works.

`/` and `/healthcheck` answer 200 whatever happens. What tells is a login (`POST /signin`, always
200, with a token that lives 60 s) and `/apiv2/server/info`, where a Redis that is not connected is
`disabled`.
"""

import json
from http.client import HTTPConnection, HTTPException
from typing import Any

from pawsctl.stack.wire import HOST


def probe(port: int, user: str, password: str, *, timeout: float = 2.0) -> str:
    """Empty where the login works and Redis is connected, else what is wrong."""
    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        login = _json(connection, "POST", "/signin", {"username": user, "password": password})
        if not login.get("ok"):
            return "it refuses the login"
        answer = _json(connection, "GET", "/apiv2/server/info", token=login["bearerToken"])
        servers = answer["data"]
        if not servers or servers[0].get("disabled"):
            return "it is not connected to Redis"
    except OSError as error:
        return error.strerror or "the connection was closed"
    except (HTTPException, ValueError, LookupError, TypeError, AttributeError):
        return "it gives answers that are not Redis Commander's"
    finally:
        connection.close()
    return ""


def _json(
    connection: HTTPConnection,
    method: str,
    path: str,
    body: dict[str, str] | None = None,
    *,
    token: str = "",
) -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = json.loads(connection.getresponse().read())
    if not isinstance(answer, dict):
        raise TypeError("not an object")
    return answer
