"""The approval inbox: what one decides, with what one has to know for it, and one tap to do so."""

from uuid import UUID

from fastapi import Response
from sqlalchemy.orm import undefer_group

from chassis.http import PageCut
from chassis.paging import Cut
from portal import queries
from portal.models.order_view import DOCUMENT
from portal.pages.calls import CallRefused
from portal.pages.marks import thread
from portal.pages.visit import SentForm, StaffVisit, Visit, pages_router

approvals = pages_router()

WHOLE = (undefer_group(DOCUMENT),)


@approvals.get("/approvals")
async def show_approvals(visit: StaffVisit, cut: PageCut) -> Response:
    """The oldest first."""
    return await _inbox(visit, cut)


@approvals.post("/approvals/{order_id}")
async def decide(order_id: UUID, visit: StaffVisit, sent: SentForm) -> Response:
    """At once; a step that someone else has taken meanwhile is not taken twice."""
    step = sent.number("step")
    try:
        if sent.text("decision") == "reject":
            body = {"reason": sent.text("reason"), "step": step}
            answer = await visit.calls.send("order", f"orders/{order_id}/rejection", body, key=sent.key)
            return visit.done("/approvals", "rejected", answer)
        body = {"comment": sent.optional("comment"), "step": step}
        answer = await visit.calls.send("order", f"orders/{order_id}/approval", body, key=sent.key)
        return visit.done("/approvals", "approved", answer)
    except CallRefused as refusal:
        return await _inbox(
            visit, Cut(50, None), refused=refusal, opened=order_id, rejecting=sent.text("decision") == "reject"
        )


async def _inbox(
    visit: Visit,
    cut: Cut,
    *,
    refused: CallRefused | None = None,
    opened: UUID | None = None,
    rejecting: bool = False,
) -> Response:
    async with visit.reading() as session:
        rows = await queries.list_approvals(session, cut, approver=visit.viewer, options=WHOLE)
    page = cut.page(rows, lambda order: [order.order_id])
    orders = page["items"]
    return visit.render(
        "work/approvals.html",
        refused=refused,
        orders=orders,
        threads={order.order_id: thread(order, visit.fmt, is_client=False) for order in orders},
        cursor=page["next_cursor"],
        opened=opened or (orders[0].order_id if orders else None),
        rejecting=rejecting,
    )
