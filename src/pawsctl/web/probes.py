"""`/livez` and `/readyz`: the probes of an orchestrator."""

from starlette.requests import Request
from starlette.responses import Response

from pawsctl.web.http import requests
from pawsctl.web.redis_access.redis_checks import RedisChecks


async def live(_request: Request) -> Response:
    """Answer 200: this process answers. Redis is not asked, since a restart would not mend it."""
    return requests.answer(200, {"status": "alive"})


class Readiness:
    """Tells whether Redis answers, so that requests can be served."""

    def __init__(self, redis: RedisChecks) -> None:
        self._redis = redis

    async def ready(self, _request: Request) -> Response:
        """Answer 200 if Redis answers, else 503 with the reason."""
        found = await self._redis.answer()
        if found.is_up:
            return requests.answer(200, {"status": "ready"})
        return requests.answer(503, {"status": "not ready", "reason": found.reason})
