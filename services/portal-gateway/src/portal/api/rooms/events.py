"""The stream of an open page: which orders have changed, until the page is left or its reader signs out."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from chassis.clock import utc_now
from chassis.database import Database
from chassis.http import authenticate
from chassis.principal import Principal
from portal import queries
from portal.signing import OF_PEOPLE
from portal.streams import WINDOW_SECONDS, Listener, Streams

events = APIRouter(include_in_schema=False)

BEAT_SECONDS = 2.0
RETRY_MS = 1_000
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@events.get("/events")
async def listen(
    request: Request, order: UUID | None = None, last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """Server-sent events. 204, after which a browser does not come again, for whoever is not signed in."""
    await authenticate(request)
    viewer: Principal | None = request.state.principal
    if viewer is None or viewer.kind == "integration":
        return Response(status_code=204)
    return Stream(request, viewer, order, has_missed=_is_old(last_event_id))


class Stream(StreamingResponse):
    """What is told to one page. It listens while it is sent: whoever leaves before it begins leaves nothing behind."""

    def __init__(self, request: Request, viewer: Principal, order: UUID | None, *, has_missed: bool) -> None:
        streams: Streams = request.app.state.streams
        self._request = request
        self._listening = partial(streams.listening, viewer, order, has_missed=has_missed)
        super().__init__((), media_type="text/event-stream", headers=STREAM_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises `TooManyStreams`, before anything is sent."""
        with self._listening() as listener:
            self.body_iterator = _messages(self._request, listener)
            await super().__call__(scope, receive, send)


async def _messages(request: Request, listener: Listener) -> AsyncIterator[str]:
    """Its id is the moment it was told, so that a stream which takes over knows how much may be missing."""
    yield f"retry: {RETRY_MS}\n\n"
    while not request.app.state.is_stopping and await _may_listen(request, listener.viewer):
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await listener.woken.wait()
        except TimeoutError:
            yield _message("beat", "")
            continue
        yield _message("orders", json.dumps(listener.take()))


def _message(name: str, data: str) -> str:
    return f"event: {name}\nid: {time.time():.3f}\ndata: {data}\n\n"


async def _may_listen(request: Request, viewer: Principal) -> bool:
    """Until the token is too old or was taken back."""
    if utc_now().timestamp() > viewer.issued_at + OF_PEOPLE.total_seconds():
        return False
    database: Database = request.app.state.database
    async with database.transaction() as session:  # takes no connection while the sign-outs are in memory
        return not await queries.is_signed_out(session, viewer)


def _is_old(last_event_id: str | None) -> bool:
    """Whether more may have happened since than is remembered here."""
    if last_event_id is None:
        return False
    try:
        return time.time() - float(last_event_id) > WINDOW_SECONDS / 2
    except ValueError:
        return True
