"""`/livez` and `/readyz`: the probes of an orchestrator."""

from starlette.requests import Request
from starlette.responses import Response

from pawsctl.web.http import requests
from pawsctl.web.redis_access.redis_checks import RedisChecks


async def live(_request: Request) -> Response:
    """Answer 200: this process answers. Redis is not asked, since a restart would not mend it."""
    return requests.answer(200, {"status": "alive"})


class Readiness:
    """Tells whether Redis can do the bot's work: it answers, may be read, and takes writes."""

    def __init__(self, redis: RedisChecks) -> None:
        self._redis = redis

    async def ready(self, _request: Request) -> Response:
        """Answer 200 if it can, else 503 with the reason; read-only, writes are not checked."""
        found = await self._redis.readiness()
        if found.is_ready:
            return requests.answer(200, {"status": "ready"})
        return requests.answer(503, {"status": "not ready", "reason": found.reason})
