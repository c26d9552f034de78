"""Placing, editing, holding, resuming and cancelling orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox, roots
from chassis.errors import Conflict, FieldError
from chassis.principal import Principal
from chassis.versions import Expected
from contracts.order import OrderCancelled, OrderHeld, OrderPlaced, OrderResumed
from contracts.order_body import HttpOrderBody, OrderBody
from order import intake, ladder, queries
from order.models import Order, OrderLine
from order.numbers import next_order_number
from order.operations.catalogue import client_for
from order.operations.telling import WITH_LINES, document, locked, tell


class ExternalIdUsed(Conflict):
    """The external id is taken by an order that came with another body."""


@dataclass(frozen=True)
class Placed:
    """The order that a body led to, now or before."""

    order: Order
    is_new: bool


async def place_order(
    session: AsyncSession,
    given: Any,
    *,
    body_class: type[OrderBody] = OrderBody,
    source: str,
    requester: str,
    company_currency: str,
    now: datetime,
    came_by: tuple[str, str] | None = None,
) -> Placed:
    """Submit an order, or keep it as a draft if its body says so.

    An equal body under a used external id changes nothing. `came_by` are id and key of the message on the bus that
    asks for it. Raises `OrderWrong`, `ExternalIdUsed`.
    """
    types = await queries.newest_order_types(session)
    body = intake.check(given, body_class, types)
    sha256 = intake.sha256(given)
    before = await queries.order_of_external_id(session, source, body.external_id)
    if before is not None:
        return Placed(_unless_another_body(before, sha256), is_new=False)
    client = await client_for(session, body.client)
    order = Order.draft(
        order_no=await next_order_number(session),
        body=body,
        sha256=sha256,
        source=source,
        client_id=client.client_id,
        order_type=types[body.order_type],
        requester=requester,
        now=now,
    )
    roots.add(session, order)
    session.add_all(order.lines)
    if came_by:
        order.request_id, order.request_key = came_by
    if not (isinstance(body, HttpOrderBody) and body.draft):
        await _submit(session, order, by=requester, company_currency=company_currency, now=now)
    return Placed(order, is_new=True)


async def edit_order(session: AsyncSession, given: Any, *, order_id: UUID, by: Principal, expected: Expected) -> Order:
    """Replace what is wanted by a draft or rejected order.

    Raises `OrderWrong`, `OrderNotFound`, `OrderNotEditable`, `ExternalIdUsed`, a stale version.
    """
    types = await queries.newest_order_types(session)
    body = intake.check(given, HttpOrderBody, types)
    order = await locked(session, order_id)
    order.must_be_open_to(by)
    expected.check(order.version)
    if body.external_id != (order.external_id or ""):
        raise ExternalIdUsed(
            f"Order {order.order_no} keeps its external id {order.external_id or '(none)'}.",
            errors=[FieldError("/external_id", "leave it as it is")],
        )
    client = await client_for(session, body.client)
    await session.execute(delete(OrderLine).where(OrderLine.order_id == order_id))
    order.write(body, client_id=client.client_id, order_type=types[body.order_type])
    order.version += 1
    session.add_all(order.lines)
    return order


async def place_draft(
    session: AsyncSession, *, order_id: UUID, by: Principal, expected: Expected, company_currency: str, now: datetime
) -> Order:
    """Submit a draft, or again what was rejected. Raises `OrderNotFound`, `OrderNotEditable`, a stale version."""
    order = await locked(session, order_id, WITH_LINES)
    order.must_be_open_to(by)
    expected.check(order.version)
    await _submit(session, order, by=by.actor, company_currency=company_currency, now=now)
    return order


async def hold_order(session: AsyncSession, *, order_id: UUID, reason: str, by: str, now: datetime) -> Order:
    order = await locked(session, order_id)
    order.hold()
    tell(session, order, OrderHeld(order_id=order_id, reason=reason, by=by), now=now)
    return order


async def resume_order(session: AsyncSession, *, order_id: UUID, reason: str | None, by: str, now: datetime) -> Order:
    order = await locked(session, order_id)
    order.resume()
    tell(session, order, OrderResumed(order_id=order_id, reason=reason, by=by), now=now)
    return order


async def cancel_order(session: AsyncSession, *, order_id: UUID, reason: str, by: str, now: datetime) -> Order:
    order = await locked(session, order_id)
    order.cancel()
    tell(session, order, OrderCancelled(order_id=order_id, reason=reason, by=by), now=now)
    return order


async def _submit(session: AsyncSession, order: Order, *, by: str, company_currency: str, now: datetime) -> None:
    approvals = await queries.approvals(session)
    steps: Sequence[Any] = ladder.steps_for(
        order.total, rungs=approvals.rungs, company_currency=company_currency, rates=approvals.rates
    )
    order.place(by=by, steps=steps, now=now)
    outbox.record(session, OrderPlaced(**document(order)))


def _unless_another_body(order: Order, sha256: str) -> Order:
    if order.external_sha256 != sha256:
        raise ExternalIdUsed(
            f"Order {order.order_no} came with this external id and another body: use a new id, or amend that order.",
            errors=[FieldError("/external_id", f"it is used by order {order.order_no}, which has another body")],
        )
    return order
