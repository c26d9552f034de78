"""What one process takes in at once: heads and bodies up to a limit, whatever they say of their length, and so many
requests.
"""

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis import telemetry
from chassis.errors import Refusal, TooLarge
from chassis.problems import problem

HEAD_BYTES_MAX = 64 * 1024
LENGTH_DIGITS_MAX = 20
"""Of a Content-Length: more are as much too large, and take long to read."""


PROBES = ("/healthz", "/readyz", "/metrics")
"""Answered however much there is to do: who is busy is not to be restarted."""


class HeadTooLong(Exception):
    """Whoever sent it is told 400 and let go."""


class BodyTooLarge(TooLarge): ...


class TooMuchAtOnce(Refusal):
    """Nothing of the request was done."""

    status = 503


class LimitHead(HttpToolsProtocol):
    """uvicorn's way to speak HTTP with a parser in C, which would take a head of any length."""

    _is_in_head = False
    _unended_bytes = 0
    """Of the head that has not ended, but for those that came with what was before it."""

    def data_received(self, data: bytes) -> None:
        was_in_head = self._is_in_head
        super().data_received(data)
        if was_in_head and self._is_in_head:
            self._unended_bytes += len(data)
            if self._unended_bytes > HEAD_BYTES_MAX and not self.transport.is_closing():
                self.send_400_response("The head of the request does not end.")

    def on_message_begin(self) -> None:
        self._is_in_head, self._unended_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES_MAX:
            raise HeadTooLong  # the parser makes its own failure of it
        super().on_headers_complete()


class LimitRequests:
    """ASGI middleware: beyond `requests_max` at once, answers 503 with `Retry-After` instead of letting all wait."""

    def __init__(self, app: ASGIApp, *, service: str, requests_max: int, besides: Sequence[str] = ()) -> None:
        self._app = app
        self._service = service
        self._not_counted = {*PROBES, *besides}
        self._requests_max = requests_max
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._not_counted:
            return await self._app(scope, receive, send)
        if self._in_hand >= self._requests_max:
            telemetry.REQUESTS.labels(self._service, "", "too much at once", TooMuchAtOnce.status).inc()
            refusal = TooMuchAtOnce(f"{self._requests_max} requests are being answered here: try again.")
            return await problem(refusal)(scope, receive, send)
        self._in_hand += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_hand -= 1


class LimitBody:
    """ASGI middleware: answers 413 as soon as a body is known to be over `bytes_max`."""

    def __init__(self, app: ASGIApp, *, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared[:LENGTH_DIGITS_MAX]) > self._bytes_max:
            return await self._refuse(scope, receive, send)
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._bytes_max:
                raise BodyTooLarge(f"Send at most {self._bytes_max} bytes.")
            return message

        await self._app(scope, counted, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = problem(BodyTooLarge(f"Send at most {self._bytes_max} bytes."))
        await answer(scope, receive, send)
