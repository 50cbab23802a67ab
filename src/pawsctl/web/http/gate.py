"""Checks of every request: its Host, its size, its log line, and answers for what fails."""

import asyncio
import time
import traceback

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pawsctl.web.http import request_target, requests
from pawsctl.web.http.access import Access
from pawsctl.web.http.request_log import RequestLog


class Gate:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, access: Access, log: RequestLog) -> None:
        self._app = app
        self._access = access
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in, or refuse it, and log it."""
        begun = time.perf_counter()
        scope = request_target.as_path(scope)
        status: int | None = None

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        app = self._refusal(scope) or self._app
        try:
            await app(scope, receive, send_on)
        except asyncio.CancelledError:
            # The server ends, and this request has had its time.
            if status is None:
                ending = requests.error(503, "The server is ending.", connection="close")
                await ending(scope, receive, send_on)
        except ClientDisconnect:
            # Nobody is there to be answered.
            status = None
        except Exception as error:  # noqa: BLE001 - a bug must end one answer only
            self._log.message(_report_of(error))
            if status is None:
                sentence = "pawsctl serve has failed at this: its log says where."
                await requests.error(500, sentence)(scope, receive, send_on)
        finally:
            client = scope["client"][0] if scope.get("client") else ""
            seconds = time.perf_counter() - begun
            self._log.request(scope["method"], scope["path"], status, seconds, client)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        """Return the answer to a request that is not let in, or None."""
        headers = Headers(scope=scope)
        if not self._access.is_ours(headers.get("host")):
            return requests.error(
                403,
                "The Host header does not name this server: ask it by its address, or start "
                "pawsctl serve with --allow-host NAME.",
            )
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > requests.MOST_BODY:
            return requests.too_large().response
        return None


def _report_of(error: Exception) -> str:
    """Return where an error came from. Its text is left out: it may quote what was asked for."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{each.name} ({each.filename}:{each.lineno})" for each in reversed(frames))
    return f"bug: {type(error).__name__} in {places}"
