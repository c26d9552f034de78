"""Orders: placing, reading and ending them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request, Response

from chassis.http import Filter, IfMatch, Now, PageCut, Session, Staff, holding, router
from chassis.paging import Page
from chassis.principal import Principal
from chassis.versions import etag
from contracts.order_body import HttpOrderBody
from contracts.roles import ADMINISTRATOR, CLIENT, GENERAL_MANAGER, PROJECT_MANAGER, SALES, SALES_MANAGER
from order import intake, operations, queries
from order.models import Order
from order.schemas import (
    AcceptanceIn,
    OptionalReasonIn,
    OrderOut,
    OrderSummaryOut,
    PreviewOut,
    ReasonIn,
)
from order.settings import Settings

orders = router(prefix="/orders", tags=["orders"])

ORDERS_WRITE = "orders:write"
OWN_SOURCE = "orderloom"
"""The source of external ids that people write; a system's are its own."""

Placer = Annotated[Principal, holding(SALES, SALES_MANAGER, ADMINISTRATOR, ORDERS_WRITE)]
Holder = Annotated[Principal, holding(SALES_MANAGER, PROJECT_MANAGER, GENERAL_MANAGER, ADMINISTRATOR)]
Canceller = Annotated[Principal, holding(SALES_MANAGER, GENERAL_MANAGER, ADMINISTRATOR)]
ClientPerson = Annotated[Principal, holding(CLIENT)]
ORDER_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": HttpOrderBody.model_json_schema()}}}
}


PLACED_BEFORE: dict[int | str, dict[str, Any]] = {
    200: {"model": OrderSummaryOut, "description": "An equal body came under its external id before."}
}


async def _raw_body(request: Request) -> bytes:
    return await request.body()


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


RawBody = Annotated[bytes, Depends(_raw_body)]
"""The order is read by `intake`: a parser before it would smooth over what has to be refused."""
ServiceSettings = Annotated[Settings, Depends(_settings)]


def source_of(principal: Principal) -> str:
    """Under whose name external ids are unique."""
    return principal.user_id if principal.kind == "integration" else OWN_SOURCE


@orders.post("", status_code=201, response_model=OrderSummaryOut, responses=PLACED_BEFORE, openapi_extra=ORDER_BODY)
async def place_order(
    raw: RawBody, response: Response, session: Session, principal: Placer, settings: ServiceSettings, now: Now
) -> Order:
    """201 for a new order; 200 when an equal body came under its external id before."""
    placed = await operations.place_order(
        session,
        intake.parse(raw),
        body_class=HttpOrderBody,
        source=source_of(principal),
        requester=principal.actor,
        company_currency=settings.company_currency,
        now=now,
    )
    response.status_code = 201 if placed.is_new else 200
    return _tagged(response, placed.order)


@orders.post("/preview", response_model=PreviewOut, openapi_extra=ORDER_BODY)
async def preview_order(
    raw: RawBody, session: Session, principal: Placer, settings: ServiceSettings, complete: bool = True
) -> Any:
    """What the order would cost and who would have to approve it. Nothing is kept.

    `complete=false` is for one that is still being written: what its type asks for in `fields` may be missing or wrong.
    """
    given = intake.parse(raw)
    return await queries.preview(session, given, company_currency=settings.company_currency, is_complete=complete)


@orders.get("", response_model=Page[OrderSummaryOut])
async def list_orders(
    session: Session,
    principal: Staff,
    cut: PageCut,
    status: Filter = None,
    client_code: Filter = None,
    order_no: Filter = None,
    search: Filter = None,
) -> Any:
    rows = await queries.list_orders(
        session, cut, status=status, client_code=client_code, order_no=order_no, search=search
    )
    return cut.page(rows, lambda order: [order.order_id])


@orders.get("/{order_id}")
async def get_order(order_id: UUID, response: Response, session: Session, principal: Staff) -> OrderOut:
    order = await queries.get_order(session, order_id)
    waiting_for = await queries.waiting_for(session, order)
    return OrderOut.model_validate(_tagged(response, order)).model_copy(update={"waiting_for": list(waiting_for)})


@orders.put("/{order_id}", response_model=OrderSummaryOut, openapi_extra=ORDER_BODY)
async def edit_order(
    order_id: UUID, raw: RawBody, response: Response, session: Session, principal: Placer, expected: IfMatch
) -> Order:
    """A draft or rejected order only; by a system, one of its own."""
    order = await operations.edit_order(session, intake.parse(raw), order_id=order_id, by=principal, expected=expected)
    return _tagged(response, order)


@orders.post("/{order_id}/placement", response_model=OrderSummaryOut)
async def place_draft(
    order_id: UUID,
    response: Response,
    session: Session,
    principal: Placer,
    expected: IfMatch,
    settings: ServiceSettings,
    now: Now,
) -> Order:
    """Submit a draft, or again what was rejected and edited; by a system, one of its own."""
    order = await operations.place_draft(
        session,
        order_id=order_id,
        by=principal,
        expected=expected,
        company_currency=settings.company_currency,
        now=now,
    )
    return _tagged(response, order)


@orders.post("/{order_id}/hold", response_model=OrderSummaryOut)
async def hold_order(
    order_id: UUID, body: ReasonIn, response: Response, session: Session, principal: Holder, now: Now
) -> Order:
    order = await operations.hold_order(session, order_id=order_id, reason=body.reason, by=principal.actor, now=now)
    return _tagged(response, order)


@orders.post("/{order_id}/resumption", response_model=OrderSummaryOut)
async def resume_order(
    order_id: UUID, body: OptionalReasonIn, response: Response, session: Session, principal: Holder, now: Now
) -> Order:
    order = await operations.resume_order(session, order_id=order_id, reason=body.reason, by=principal.actor, now=now)
    return _tagged(response, order)


@orders.post("/{order_id}/cancellation", response_model=OrderSummaryOut)
async def cancel_order(
    order_id: UUID, body: ReasonIn, response: Response, session: Session, principal: Canceller, now: Now
) -> Order:
    order = await operations.cancel_order(session, order_id=order_id, reason=body.reason, by=principal.actor, now=now)
    return _tagged(response, order)


@orders.post("/{order_id}/acceptance", response_model=OrderSummaryOut)
async def accept_delivery(
    order_id: UUID,
    body: AcceptanceIn,
    response: Response,
    session: Session,
    principal: ClientPerson,
    settings: ServiceSettings,
    now: Now,
) -> Order:
    """The client signs off what was handed over."""
    order = await operations.accept_delivery(
        session, order_id=order_id, client=principal, note=body.note, zone=settings.company_zone, now=now
    )
    return _tagged(response, order)


def _tagged(response: Response, order: Order) -> Order:
    response.headers.update(etag(order.version))
    return order
