"""The description of the server in OpenAPI 3.1, which it gives at `/openapi.json`."""

from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pawsctl.web.http import requests

Schema = dict[str, Any]


def _object(properties: Schema, *optional: str) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _response(about: str, schema: Schema | None = None) -> Schema:
    content = {"application/json": {"schema": schema}} if schema else {}
    return {"description": about, **({"content": content} if content else {})}


_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_IS: Schema = {"type": "boolean"}
_ERROR = _object({"error": _TEXT})
_CONFIGURED = _object({"configured": _IS})
_HEALTH = _object(
    {
        "status": {"enum": ["healthy", "unhealthy"]},
        "timestamp": _TIME,
        "services": _object(
            {
                "redis": _object({"status": {"enum": ["up", "down"]}, "configured": _IS}),
                "anthropic": _CONFIGURED,
                "database": _CONFIGURED,
                "twilio": _CONFIGURED,
            }
        ),
    }
)
_SESSION = _object(
    {
        # The stored values, whatever they are.
        "status": {},
        "messageCount": {"type": "integer", "minimum": 0},
        "updatedAt": _TEXT,
        "messages": {"type": "array", "items": _object({"role": {}, "type": _TEXT}, "role")},
    },
    "status",
)
_ALWAYS = {
    "403": _response("The Host header does not name this server.", _ERROR),
    "405": _response("Another method.", _ERROR),
    "413": _response("A body of more than 64 KB.", _ERROR),
}

_OPTIONS = {
    "summary": "The methods that are answered, in Allow",
    "responses": {"200": _response("Allow has them."), **_ALWAYS},
}


def _path(get: Schema, **more: Schema) -> Schema:
    """Return a path's operations: HEAD is like GET, without the body."""
    statuses = {each: _response(answer["description"]) for each, answer in get["responses"].items()}
    head = {"summary": get["summary"], "responses": statuses}
    return {"get": get, "head": head, "options": _OPTIONS, **more}


_POST = {
    "summary": "A session in short, if NODE_ENV is development",
    "description": "From beyond the server's machine it needs 'Authorization: Bearer TOKEN', the "
    "token being PAWSCTL_SERVE_TOKEN.",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _object({"phone": {"not": {"enum": [None, False, 0, ""]}}}),
                "example": {"phone": "+1234567890"},
            }
        },
    },
    "responses": {
        **_ALWAYS,
        "200": _response(
            "The session, or null if there is none.",
            _object({"phone": {}, "session": {"anyOf": [_SESSION, {"type": "null"}]}}),
        ),
        "400": _response("No JSON, or no phone in it.", _ERROR),
        "401": _response("Without the token.", _ERROR),
        "403": _response("No token is set, or the Host header does not name this server.", _ERROR),
        "404": _response("NODE_ENV is not development, or SESSION_FORMAT is raw.", _ERROR),
        "408": _response("The body did not come in time.", _ERROR),
        "500": _response("The stored value can't be summed up, or Redis refuses.", _ERROR),
        "503": _response("Redis does not answer.", _ERROR),
    },
}

_PATHS = {
    "/api/health": _path(
        {
            "summary": "Whether Redis answers and the bot is configured",
            "responses": {
                "200": _response("Healthy.", _HEALTH),
                "503": _response("Unhealthy.", _HEALTH),
                **_ALWAYS,
            },
        },
        post=_POST,
    ),
    "/livez": _path(
        {
            "summary": "Whether this process answers",
            "responses": {"200": _response("It does.", _object({"status": _TEXT})), **_ALWAYS},
        }
    ),
    "/readyz": _path(
        {
            "summary": "Whether Redis answers, may be read and takes writes",
            "responses": {
                "200": _response("It does.", _object({"status": _TEXT})),
                "503": _response("It does not.", _object({"status": _TEXT, "reason": _TEXT})),
                **_ALWAYS,
            },
        }
    ),
    "/metrics": _path(
        {
            "summary": "Figures for Prometheus",
            "responses": {
                "200": {
                    "description": "Text in Prometheus's format, or OpenMetrics.",
                    "content": {
                        "text/plain": {"schema": _TEXT},
                        "application/openmetrics-text": {"schema": _TEXT},
                    },
                },
                **_ALWAYS,
            },
        }
    ),
    "/openapi.json": _path(
        {
            "summary": "This description",
            "responses": {"200": _response("It.", {"type": "object"}), **_ALWAYS},
        }
    ),
}


async def get(_request: Request) -> Response:
    """Answer with the description."""
    info = {"title": "pawsctl serve", "version": version("pawsctl")}
    return requests.answer(200, {"openapi": "3.1.0", "info": info, "paths": _PATHS})
