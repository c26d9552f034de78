"""A request's body is read up to a limit, whatever it says of its length."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.errors import TooLarge
from chassis.problems import problem

LENGTH_DIGITS_MAX = 20
"""Of a Content-Length: more are as much too large, and take long to read."""


class BodyTooLarge(TooLarge): ...


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
