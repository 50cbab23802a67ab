"""The application: each path and what answers it."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pawsctl.config.bot_settings import BotSettings
from pawsctl.web import openapi, probes
from pawsctl.web.health_endpoint import HealthEndpoint
from pawsctl.web.http import requests
from pawsctl.web.http.access import Access
from pawsctl.web.http.gate import Gate
from pawsctl.web.http.request_log import RequestLog
from pawsctl.web.http.requests import Resource
from pawsctl.web.metrics.endpoint import MetricsEndpoint
from pawsctl.web.metrics.shared_pass import SharedPass
from pawsctl.web.redis_access.redis_checks import RedisChecks

PATHS = ("/api/health", "/livez", "/readyz", "/metrics", "/openapi.json")


def build(
    redis: RedisChecks,
    metrics: SharedPass,
    bot: BotSettings,
    access: Access,
    log: RequestLog,
) -> ASGIApp:
    """Return the application."""
    health = HealthEndpoint(redis, bot, access)
    resources = (
        Resource({"GET": health.get, "POST": health.post}),
        Resource({"GET": probes.live}),
        Resource({"GET": probes.Readiness(redis).ready}),
        Resource({"GET": MetricsEndpoint(metrics, redis).get}),
        Resource({"GET": openapi.get}),
    )
    routes = [Route(path, resource) for path, resource in zip(PATHS, resources, strict=True)]
    app = Starlette(routes=routes, exception_handlers={404: _not_found})
    return Gate(app, access, log)


async def _not_found(_request: Request, _error: Exception) -> Response:
    return requests.error(404, f"Nothing is here; there is {', '.join(PATHS)}.")
