"""Telling what happened to an order: to everyone, and to the system that asked for it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from chassis import outbox, roots
from contracts.event import OrderEvent
from contracts.finance import InvoiceIssued, ReceiptRecorded
from contracts.integration import Amounts, ErpOrderProgressed
from contracts.order import (
    DeliveryAccepted,
    Line,
    OrderApproved,
    OrderCancelled,
    OrderClosed,
    OrderHeld,
    OrderRejected,
    OrderResumed,
    StageAdvanced,
)
from order import queries
from order.models import Order
from order.models.order import OrderNotFound

WITH_LINES = selectinload(Order.lines)

PROGRESS: tuple[type[OrderEvent], ...] = (
    OrderApproved,
    OrderRejected,
    StageAdvanced,
    OrderHeld,
    OrderResumed,
    OrderCancelled,
    DeliveryAccepted,
    InvoiceIssued,
    ReceiptRecorded,
    OrderClosed,
)
"""What the system that asked for an order is told of."""


async def locked(session: AsyncSession, order_id: UUID, *options: Any) -> Order:
    """The order, held until the end of the transaction. Raises `OrderNotFound`."""
    order = await roots.lock(session, Order, order_id, *options)
    if order is None:
        raise OrderNotFound(f"There is no order {order_id}.")
    return order


def tell(session: AsyncSession, order: Order, event: OrderEvent, *, now: datetime) -> UUID:
    """Record `event`, and the progress for the system that asked for the order."""
    event_id = outbox.record(session, event)
    tell_progress(session, order, event, event_id=event_id, happened_at=now)
    return event_id


def tell_progress(
    session: AsyncSession, order: Order, event: OrderEvent, *, event_id: UUID, happened_at: datetime
) -> None:
    """Tell the system that asked for `order` of an event, its own or another service's."""
    if order.request_id is None or not isinstance(event, PROGRESS):
        return
    amounts = None
    if isinstance(event, InvoiceIssued):
        amounts = Amounts(currency=event.currency, net=event.net, tax=event.tax, total=event.total)
    if isinstance(event, ReceiptRecorded):
        amounts = Amounts(currency=event.currency, net=event.amount, tax=event.amount * 0, total=event.amount)
    progressed = ErpOrderProgressed(
        external_id=order.external_id or "",
        order_id=order.order_id,
        order_no=order.order_no,
        event_type=event.type,
        event_id=event_id,
        status=order.status,
        stage=order.stage,
        happened_at=happened_at,
        amounts=amounts,
    )
    outbox.answer(session, progressed, key=order.request_key or "", recipient=order.source, request_id=order.request_id)


async def advance(session: AsyncSession, order: Order, *, now: datetime) -> None:
    """Let the stage flow go as far as it goes by itself."""
    stages = (await queries.order_type(session, order.order_type, order.type_version)).stages
    for step in order.advance(stages):
        advanced = StageAdvanced(
            order_id=order.order_id,
            from_stage=step.from_stage,
            to_stage=step.to_stage,
            because=tuple(UUID(event_id) for event_id in step.because),
            waiting_for=step.waiting_for,
        )
        tell(session, order, advanced, now=now)


def document(order: Order) -> dict[str, Any]:
    """What every fact that carries the whole order has in common. The order's lines must be loaded."""
    return {
        "order_id": order.order_id,
        "order_no": order.order_no,
        "revision": order.revision,
        "external": {"source": order.source, "id": order.external_id} if order.external_id else None,
        "client": order.client,
        "order_type": order.order_type,
        "type_version": order.type_version,
        "title": order.title,
        "requested_date": order.requested_date,
        "priority": order.priority,
        "currency": order.currency,
        "lines": tuple(Line.model_validate(line, from_attributes=True) for line in order.lines),
        "net": order.net.amount,
        "tax": order.tax.amount,
        "total": order.total.amount,
        "fields": order.fields,
        "terms": order.terms,
        "milestone_codes": order.milestone_codes,
        "approval_steps": order.approval_steps,
        "requester": order.requester,
        "stage": order.stage,
    }
