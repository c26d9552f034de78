"""The HTTP side of a service: one request is one transaction, refusals are problem+json (RFC 9457)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import idempotency, outbox, received, telemetry
from chassis.clock import utc_now
from chassis.database import Database
from chassis.errors import Refusal, is_transient
from chassis.failpoints import BEFORE_ANSWER
from chassis.ids import new_id
from chassis.paging import PAGE_ROWS, PAGE_ROWS_MAX, Cut, decode
from chassis.principal import NotAllowed, Principal
from chassis.problems import answer_failure, status_of
from chassis.tokens import NotSignedIn, Verifier
from chassis.versions import Expected
from contracts.roles import ADMINISTRATOR, OPERATOR

ATTEMPTS_MAX = 3
"""Of a request that met a deadlock, or another one that made the same at the same moment."""
AFTER_SECONDS_MAX = 2.0
AFTER_POLL_SECONDS = 0.02
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class NotYetRead(Refusal):
    """The fact that the caller wants to see the effect of has not arrived here within two seconds."""

    status = 503


class MalformedHeader(Refusal): ...


async def _principal(request: Request) -> Principal:
    principal: Principal | None = request.state.principal
    if principal is None:
        raise NotSignedIn("Send `Authorization: Bearer <token>`, as the gateway gives at sign-in.")
    return principal


async def _staff(principal: Annotated[Principal, Depends(_principal)]) -> Principal:
    if principal.kind != "user":
        raise NotAllowed("This is for people of the company: clients use the portal, systems their own interface.")
    return principal


async def _operator(principal: Annotated[Principal, Depends(_staff)]) -> Principal:
    principal.must_hold(OPERATOR, ADMINISTRATOR)
    return principal


def holding(*roles: str) -> Any:
    """A dependency: the principal, who must hold one of `roles`. Raises `NotSignedIn`, `NotAllowed`."""

    async def holder(principal: Annotated[Principal, Depends(_principal)]) -> Principal:
        principal.must_hold(*roles)
        return principal

    return Depends(holder)


async def _session(request: Request) -> AsyncSession:
    session: AsyncSession = request.state.session
    return session


async def _now() -> datetime:
    return utc_now()


async def _expected(if_match: Annotated[str | None, Header()] = None) -> Expected:
    if if_match in (None, "*"):
        return Expected(None, by_header=True)
    try:
        return Expected(int(str(if_match).strip().removeprefix("W/").strip('"')), by_header=True)
    except ValueError as reason:
        raise MalformedHeader('Write If-Match as an ETag that was answered before, like "3".') from reason


async def _cut(limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = PAGE_ROWS, cursor: str | None = None) -> Cut:
    return Cut(limit, decode(cursor) if cursor else None)


Session = Annotated[AsyncSession, Depends(_session)]
"""The request's transaction: committed before the answer leaves, or rolled back when anything raises."""
SignedIn = Annotated[Principal, Depends(_principal)]
Staff = Annotated[Principal, Depends(_staff)]
Operator = Annotated[Principal, Depends(_operator)]
"""Who runs the platform: a person, never a system's key."""
Now = Annotated[datetime, Depends(_now)]
Filter = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""What a list is narrowed down by: one line of text; empty or left out, it narrows nothing."""
PageCut = Annotated[Cut, Depends(_cut)]
IfMatch = Annotated[Expected, Depends(_expected)]


class TransactionalRoute(APIRoute):
    """Runs its endpoint in one transaction, at most once per `Idempotency-Key`, after what the caller has seen."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()
        path = self.path_format

        async def answer(request: Request) -> Response:
            started = time.perf_counter()
            service: str = request.app.state.service
            status = 500
            try:
                with telemetry.span(f"{request.method} {path}", caused_by=request.headers, service=service):
                    response = await _answer(request, endpoint)
                status = response.status_code
                return response
            except Exception as failure:
                status = status_of(failure)
                raise
            finally:
                telemetry.REQUEST_SECONDS.labels(service, request.method, path).observe(time.perf_counter() - started)
                telemetry.REQUESTS.labels(service, request.method, path, status).inc()

        return answer


async def _answer(request: Request, endpoint: Callable[[Request], Awaitable[Response]]) -> Response:
    """Of what goes away by itself, 503 from here: the server would log a traceback for each request meanwhile."""
    try:
        await authenticate(request)
        await _wait_until_read(request)
        return await _in_transaction(request, endpoint)
    except Exception as failure:
        if not is_transient(failure):
            raise
        return await answer_failure(request, failure)


def router(**options: Any) -> APIRouter:
    """A router whose every route runs in one transaction."""
    return APIRouter(route_class=TransactionalRoute, **options)


async def authenticate(request: Request) -> None:
    """Put who is asking into `request.state.principal`; None for nobody. Raises `NotSignedIn` for a bad token."""
    verifier: Verifier = request.app.state.verifier
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    request.state.principal = await verifier.principal(token) if scheme.lower() == "bearer" else None
    request.state.request_id = str(new_id())


async def _wait_until_read(request: Request) -> None:
    """Before the transaction opens, and holding no connection between two looks."""
    after = request.headers.get("orderloom-after")
    if not after or request.state.principal is None:  # nobody is let in without waiting
        return
    try:
        event_id = UUID(after)
    except ValueError as reason:
        raise MalformedHeader("Write Orderloom-After as it was answered in Orderloom-Event: a UUID.") from reason
    if not await wait_until_read(request.app.state.database, event_id):
        raise NotYetRead(f"Event {event_id} has not been read here yet: try again.")


async def wait_until_read(database: Database, event_id: UUID) -> bool:
    """Whether the fact was read here, of which one is patient for two seconds."""
    deadline = time.monotonic() + AFTER_SECONDS_MAX
    while time.monotonic() < deadline:
        async with database.transaction() as session:
            if await received.has_read(session, event_id):
                return True
        await asyncio.sleep(AFTER_POLL_SECONDS)
    return False


async def _in_transaction(request: Request, endpoint: Callable[[Request], Awaitable[Response]]) -> Response:
    """The endpoint's answer, once its transaction is committed; the first answer, if its key has one."""
    key = None if request.method in SAFE_METHODS else idempotency.key_of(request)
    for attempts_left in reversed(range(ATTEMPTS_MAX)):
        try:
            return await _attempt(request, endpoint, key)
        except (Refusal, IntegrityError) as reason:
            if key and (first := await _first_answer(request, key)):
                return first
            if isinstance(reason, Refusal) or not attempts_left:
                raise
        except Exception as reason:
            if not (is_transient(reason) and attempts_left):
                raise
    raise AssertionError("unreachable")


async def _attempt(request: Request, endpoint: Callable[[Request], Awaitable[Response]], key: str | None) -> Response:
    database: Database = request.app.state.database
    actor = _actor(request)
    async with database.transaction(outbox.Cause(id=request.state.request_id, actor=actor)) as session:
        request.state.session = session
        response = await endpoint(request)
        if event_id := outbox.last_recorded(session):
            response.headers["Orderloom-Event"] = str(event_id)
        if key and response.status_code < 400:
            await idempotency.keep(session, request, response, actor=actor, key=key)
    if request.method not in SAFE_METHODS:
        request.app.state.failpoints.reach(BEFORE_ANSWER)
    return response


async def _first_answer(request: Request, key: str) -> Response | None:
    database: Database = request.app.state.database
    async with database.transaction() as session:
        return await idempotency.first_answer(session, request, actor=_actor(request), key=key)


def _actor(request: Request) -> str:
    principal: Principal | None = request.state.principal
    return principal.actor if principal else "system:anonymous"
