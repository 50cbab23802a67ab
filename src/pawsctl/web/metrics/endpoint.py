"""`/metrics`, in the format that the scraper asks for."""

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from pawsctl.web.http import requests
from pawsctl.web.metrics.exposition import Exposition
from pawsctl.web.metrics.shared_pass import SharedPass
from pawsctl.web.redis_access.redis_checks import RedisChecks

# Seconds that a scraper waits, unless it says how long it does.
_WAIT = 8.0
_TIMEOUT = "x-prometheus-scrape-timeout-seconds"
# Seconds for the answer's way back.
_MARGIN = 0.5


class MetricsEndpoint:
    """Answers scrapers from the pass that they share."""

    def __init__(self, shared: SharedPass, redis: RedisChecks) -> None:
        self._shared = shared
        self._redis = redis

    async def get(self, request: Request) -> Response:
        """Answer with the metrics, or with nothing but that Redis does not answer."""
        is_up = (await self._redis.answer()).is_up
        if is_up:
            figures = await self._shared.figures(_patience(request))
        else:
            figures = None
            self._shared.errors += 1
        registry = CollectorRegistry()
        registry.register(Exposition(figures, self._shared.errors, is_up=is_up))
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), 200, headers={**requests.HEADERS, "content-type": kind})


def _patience(request: Request) -> float:
    try:
        told = float(request.headers.get(_TIMEOUT, ""))
    except ValueError:
        return _WAIT
    # NaN fails this comparison.
    return min(max(told - _MARGIN, _MARGIN), _WAIT) if told > 0 else _WAIT
