"""What a person at a client company sees: that company's orders, and of them what is disclosed."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response

from chassis.http import Filter, PageCut, Session, holding, router
from chassis.paging import Page
from chassis.principal import Principal
from chassis.versions import etag
from contracts.roles import CLIENT
from portal import queries
from portal.schemas.orders import ClientTimelineEntryOut, OrderSummaryOut, PortalOrderOut

portal = router(prefix="/portal/orders", tags=["portal"])

ClientPerson = Annotated[Principal, holding(CLIENT)]


@portal.get("", response_model=Page[OrderSummaryOut])
async def list_my_orders(
    session: Session, principal: ClientPerson, cut: PageCut, search: Filter = None, status: Filter = None
) -> Any:
    """Of the client's company, the newest first."""
    rows = await queries.list_orders(
        session, cut, seen_by=principal, wanted=queries.Wanted(search=search, status=status)
    )
    return cut.page(rows, lambda order: [order.order_id])


@portal.get("/{order_id}")
async def get_my_order(order_id: UUID, response: Response, session: Session, principal: ClientPerson) -> PortalOrderOut:
    view = await queries.get_order(session, order_id, seen_by=principal)
    response.headers.update(etag(view.version))
    return PortalOrderOut.of(view)


@portal.get("/{order_id}/timeline")
async def read_my_timeline(
    order_id: UUID, session: Session, principal: ClientPerson, cut: PageCut
) -> Page[ClientTimelineEntryOut]:
    """What happened, as far as it concerns the client."""
    entries = await queries.read_timeline(session, order_id, cut, seen_by=principal)
    page = cut.page(entries, lambda entry: [entry.position])
    return Page(items=[ClientTimelineEntryOut.of(entry) for entry in page["items"]], next_cursor=page["next_cursor"])
