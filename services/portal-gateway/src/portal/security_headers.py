"""What browsers are told of every answer: load nothing from elsewhere, frame it nowhere, guess no type, keep none."""

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problems import answer_failure

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'; "
    "script-src 'self'; style-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HTTPS_ALONE = {"Strict-Transport-Security": "max-age=31536000"}
KEPT = "/static/"
"""Begins the paths of what is the same for everyone; the rest is kept by no cache."""


class SecurityHeaders:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, *, only_https: bool) -> None:
        self._app = app
        self._headers = HEADERS | (HTTPS_ALONE if only_https else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                if not scope["path"].startswith(KEPT):
                    headers.setdefault("Cache-Control", "no-store")
                elif b"v=" in scope["query_string"]:
                    headers.setdefault("Cache-Control", "public, max-age=31536000, immutable")
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


async def answer_failure_safely(request: Request, failure: Exception) -> JSONResponse:
    """The answer to a bug of ours is made outside of all middleware."""
    answer = await answer_failure(request, failure)
    answer.headers.update(HEADERS | {"Cache-Control": "no-store"})
    return answer
