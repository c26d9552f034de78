"""Decisions on orders, and the ladder that says whose are needed."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import Response

from chassis.http import Now, Session, Staff, holding, router
from chassis.principal import Principal
from chassis.versions import etag
from contracts.roles import ADMINISTRATOR
from order import operations, queries
from order.api.orders import ServiceSettings
from order.ladder import Rung
from order.models import Decision, Order
from order.schemas import CommentIn, DecisionOut, LadderIn, OrderSummaryOut, RatesIn, RejectionIn

approvals = router(tags=["approvals"])

Administrator = Annotated[Principal, holding(ADMINISTRATOR)]


@approvals.post("/orders/{order_id}/approval", response_model=OrderSummaryOut)
async def approve_order(
    order_id: UUID,
    body: CommentIn,
    response: Response,
    session: Session,
    principal: Staff,
    settings: ServiceSettings,
    now: Now,
) -> Order:
    """Take the step that is decided next. Its role is checked; the requester may not."""
    order = await operations.approve_order(
        session,
        order_id=order_id,
        by=principal.actor,
        roles=principal.roles,
        comment=body.comment,
        step=body.step,
        zone=settings.company_zone,
        now=now,
    )
    response.headers.update(etag(order.version))
    return order


@approvals.post("/orders/{order_id}/rejection", response_model=OrderSummaryOut)
async def reject_order(
    order_id: UUID, body: RejectionIn, response: Response, session: Session, principal: Staff, now: Now
) -> Order:
    """Refuse the step that is decided next: the order can be edited and placed again."""
    order = await operations.reject_order(
        session,
        order_id=order_id,
        by=principal.actor,
        roles=principal.roles,
        reason=body.reason,
        step=body.step,
        now=now,
    )
    response.headers.update(etag(order.version))
    return order


@approvals.get("/orders/{order_id}/decisions", response_model=list[DecisionOut])
async def list_decisions(order_id: UUID, session: Session, principal: Staff) -> Sequence[Decision]:
    return await queries.list_decisions(session, order_id)


@approvals.get("/approval-ladder")
async def get_ladder(session: Session, principal: Staff) -> LadderIn:
    known = await queries.approvals(session)
    return LadderIn.model_validate({"rungs": [{"role": r.role, "above": str(r.above)} for r in known.rungs]})


@approvals.put("/approval-ladder", status_code=204)
async def replace_ladder(body: LadderIn, session: Session, principal: Administrator) -> None:
    """Thresholds are in the company's currency."""
    await operations.replace_ladder(session, [Rung(role=rung.role, above=rung.above) for rung in body.rungs])


@approvals.get("/exchange-rates")
async def get_rates(session: Session, principal: Staff) -> RatesIn:
    known = await queries.approvals(session)
    return RatesIn.model_validate({"rates": [{"currency": c, "rate": str(r)} for c, r in known.rates.items()]})


@approvals.put("/exchange-rates", status_code=204)
async def replace_rates(body: RatesIn, session: Session, principal: Administrator) -> None:
    """What one unit of each currency is worth in the company's."""
    await operations.replace_rates(session, {each.currency: each.rate for each in body.rates})
