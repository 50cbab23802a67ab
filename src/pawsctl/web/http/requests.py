"""Requests and answers: which methods a path takes, bodies within their bounds, JSON."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pawsctl.web.bot import bot_json

MOST_BODY = 64 << 10
"""The bytes that the body of a request may have."""

# Seconds for a body of that size.
_BODY_SECONDS = 10.0

Handler = Callable[[Request], Awaitable[Response]]

HEADERS = {
    # An answer is true only now.
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
"""The headers of every answer."""


def answer(status: int, document: object, **headers: str) -> Response:
    """Return an answer with a JSON document."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        bot_json.dump(document),
        status,
        headers={**HEADERS, "content-type": "application/json", **more},
    )


def error(status: int, sentence: str, **headers: str) -> Response:
    """Return an answer that says what is wrong."""
    return answer(status, {"error": sentence}, **headers)


class Refused(Exception):
    """A request that can't be answered as asked, with the answer that says why."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.response = error(status, sentence, **headers)


class Resource:
    """A path: the handler of each method. HEAD is answered like GET, OPTIONS by what is allowed."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = dict(handlers)
        if "GET" in self._handlers:
            self._handlers["HEAD"] = self._handlers["GET"]
        self._allowed = ", ".join(sorted({*self._handlers, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        handler = self._handlers.get(request.method)
        try:
            if handler is not None:
                response = await handler(request)
            elif request.method == "OPTIONS":
                response = Response(status_code=200, headers={**HEADERS, "allow": self._allowed})
            else:
                response = error(405, f"Only {self._allowed} are answered.", allow=self._allowed)
        except Refused as refusal:
            response = refusal.response
        await response(scope, receive, send)


def too_large() -> Refused:
    """Return the refusal of a body beyond MOST_BODY.

    The connection stays open: what is left of the body is read and dropped, since a client that
    still sends would not see the answer otherwise.
    """
    return Refused(413, f"The body is larger than {MOST_BODY >> 10} KB.")


async def body(request: Request) -> bytes:
    """Return the body. Raises Refused for one that is too large or does not come in time."""
    received = bytearray()

    async def read() -> None:
        async for chunk in request.stream():
            received.extend(chunk)
            if len(received) > MOST_BODY:
                raise too_large()

    try:
        await asyncio.wait_for(read(), _BODY_SECONDS)
    except TimeoutError as late:
        sentence = f"The body did not come within {_BODY_SECONDS:g} s."
        raise Refused(408, sentence, connection="close") from late
    return bytes(received)
