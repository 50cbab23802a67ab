"""`/api/health`: the bot's health endpoint, answered as the bot answers it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from pawsctl.config.bot_settings import BotSettings
from pawsctl.errors import PawsctlError, RedisUnreachable
from pawsctl.sessions.contract import keys, masked_value
from pawsctl.web.bot import bot_json
from pawsctl.web.bot.session_summary import NotSummedUp, summary
from pawsctl.web.http import requests
from pawsctl.web.http.access import Access
from pawsctl.web.http.requests import Refused
from pawsctl.web.redis_access import threads
from pawsctl.web.redis_access.redis_checks import RedisChecks

# Summaries at the same time, and seconds for each.
_SUMMARIES = 4
_SUMMARY_SECONDS = 2.0


class HealthEndpoint:
    """Tells whether Redis answers and the bot is configured; in development also of a session."""

    def __init__(self, redis: RedisChecks, bot: BotSettings, access: Access) -> None:
        self._redis = redis
        self._bot = bot
        self._access = access
        self._summaries = asyncio.Semaphore(_SUMMARIES)

    async def get(self, _request: Request) -> Response:
        """Answer 200 if Redis answers and the bot has what it can't do without, else 503."""
        is_up = (await self._redis.answer()).is_up
        configured = self._bot.configured
        is_healthy = is_up and configured["anthropic"] and configured["database"]
        services: dict[str, dict[str, Any]] = {
            name: {"configured": each} for name, each in configured.items()
        }
        services["redis"] = {"status": "up" if is_up else "down", **services["redis"]}
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        document = {
            "status": "healthy" if is_healthy else "unhealthy",
            "timestamp": now,
            "services": services,
        }
        return requests.answer(200 if is_healthy else 503, document)

    async def post(self, request: Request) -> Response:
        """Sum up the session of a phone, if the bot is under development."""
        sent = await requests.body(request)
        if not self._bot.is_development:
            return requests.error(404, "Not available in production")
        self._access.require_token(request)
        if self._redis.keyspace.is_raw:
            return requests.error(404, "SESSION_FORMAT is raw: only the bot's can be summed up.")
        phone = _phone(sent)
        # The bot finds nothing for what is no text.
        session = await self._session(phone) if isinstance(phone, str) else None
        return requests.answer(200, {"phone": self._shown(phone), "session": session})

    def _shown(self, phone: Any) -> Any:
        """Return what was sent as a phone as it is shown."""
        mask = self._redis.keyspace.mask
        if mask is None:
            return phone
        if not isinstance(phone, str):
            return None
        return mask.name(keys.normalised(phone))

    def _summary(self, value: bytes) -> dict[str, Any] | None:
        mask = self._redis.keyspace.mask
        return summary(value if mask is None else masked_value.conversation(value, mask))

    async def _session(self, phone: str) -> dict[str, Any] | None:
        value = await self._value(phone)
        if value is None:
            return None
        try:
            async with asyncio.timeout(_SUMMARY_SECONDS), self._summaries:
                # A large value, or one of deep nesting, must not hold up other requests.
                return await asyncio.shield(threads.started(lambda: self._summary(value)))
        except TimeoutError:
            refusal = Refused(500, "The session is too large to be summed up in time.")
        except NotSummedUp as reason:
            refusal = Refused(500, f"The session can't be summed up: {reason}.")
        raise refusal

    async def _value(self, phone: str) -> bytes | None:
        try:
            return await self._redis.value(phone)
        except TimeoutError:
            within = f"it did not answer within {self._redis.seconds:g} s."
            refusal = Refused(503, f"Redis is down: {within}")
        except RedisUnreachable as error:
            refusal = Refused(503, f"Redis is down: {error.message}")
        except PawsctlError as error:
            refusal = Refused(500, self._redis.keyspace.shown_sentence(error.message))
        raise refusal


def _phone(sent: bytes) -> Any:
    """Return the phone in a body, which may be any JSON. Raises Refused if there is none."""
    try:
        # As fetch's Body.json(): a byte order mark is dropped, and other bytes replaced.
        document = bot_json.parse(sent.decode("utf-8", "replace").removeprefix("\ufeff"))
    except ValueError as error:
        raise Refused(400, 'The body is not JSON like {"phone": "+1234567890"}.') from error
    if document is None:
        raise Refused(400, 'The body is null, not JSON like {"phone": "+1234567890"}.')
    phone = document.get("phone") if isinstance(document, dict) else None
    if not bot_json.is_truthy(phone):
        raise Refused(400, "Phone number required")
    return phone
