"""What can be known about orders. Nothing here writes or locks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from chassis.cached import Cached
from chassis.clock import utc_now
from chassis.errors import NotYetKnown
from chassis.ids import new_id
from chassis.paging import Cut
from chassis.search import newest_with
from contracts.directory import OrderTypePublished
from contracts.order import ApprovalStep
from contracts.order_body import HttpOrderBody
from order import intake, ladder, thread
from order.ladder import Rung
from order.models import ApprovalRung, Client, Decision, ExchangeRate, Order, OrderLine, OrderType, ThreadEntry
from order.models.client import ClientNotFound
from order.models.order import SEARCHED, OrderNotFound
from order.models.order_type import OrderTypeNotFound


async def get_order(session: AsyncSession, order_id: UUID) -> Order:
    """With its lines. Raises `OrderNotFound`."""
    order = await session.get(Order, order_id, options=[selectinload(Order.lines)])
    if order is None:
        raise OrderNotFound(f"There is no order {order_id}.")
    return order


async def list_orders(
    session: AsyncSession, cut: Cut, *, status: str | None, client_code: str | None, search: str | None
) -> Sequence[Order]:
    """The newest first, one more than the page holds if there are more. `search` is a part of number, id or title."""
    orders = select(Order)
    if after := cut.after_as(UUID):
        orders = orders.where(Order.order_id < after[0])
    if status:
        orders = orders.where(Order.status == status)
    if client_code:
        orders = orders.where(Order.client_code == client_code)
    if search:
        return await newest_with(session, orders, key=Order.order_id, text=SEARCHED, part=search, limit=cut.limit + 1)
    return (await session.scalars(orders.order_by(Order.order_id.desc()).limit(cut.limit + 1))).all()


async def order_of_external_id(session: AsyncSession, source: str, external_id: str) -> Order | None:
    if not external_id:
        return None
    return (
        await session.scalars(select(Order).where(Order.source == source, Order.external_id == external_id))
    ).one_or_none()


@dataclass(frozen=True)
class Preview:
    """What an order would cost, and who would have to approve it."""

    currency: str
    net: Decimal
    tax: Decimal
    total: Decimal
    lines: Sequence[OrderLine]
    terms: Sequence[Any]
    approval_steps: Sequence[ApprovalStep]


async def preview(session: AsyncSession, given: Any, *, company_currency: str) -> Preview:
    """Raises `OrderWrong` as placing it would."""
    types = await newest_order_types(session)
    body = intake.check(given, HttpOrderBody, types)
    order = Order.draft(
        order_no="",
        body=body,
        sha256="",
        source="",
        client_id=new_id(),
        order_type=types[body.order_type],
        requester="",
        now=utc_now(),
    )
    known = await approvals(session)
    steps = ladder.steps_for(order.total, rungs=known.rungs, company_currency=company_currency, rates=known.rates)
    net, tax, total = order.net.amount, order.tax.amount, order.total.amount
    return Preview(order.currency, net, tax, total, order.lines, order.terms, steps)


async def waiting_for(session: AsyncSession, order: Order) -> tuple[str, ...]:
    """The facts that the order's present stage still waits for."""
    return order.missing_facts((await order_type(session, order.order_type, order.type_version)).stages)


async def list_decisions(session: AsyncSession, order_id: UUID) -> Sequence[Decision]:
    await get_order(session, order_id)
    decisions = select(Decision).where(Decision.order_id == order_id).order_by(Decision.decision_id)
    return (await session.scalars(decisions)).all()


async def read_thread(session: AsyncSession, order_id: UUID, cut: Cut) -> Sequence[ThreadEntry]:
    """Everything that happened to the order, whoever told it, in the order in which it became true."""
    await get_order(session, order_id)
    (after,) = cut.after_as(int) or (0,)
    entries = select(ThreadEntry).where(ThreadEntry.order_id == order_id, ThreadEntry.position > after)
    return (await session.scalars(entries.order_by(ThreadEntry.position).limit(cut.limit + 1))).all()


async def first_broken_in_thread(session: AsyncSession, order_id: UUID) -> tuple[Order, int | None]:
    """The order, and the position of the first entry that was tampered with. Raises `OrderNotFound`."""
    order = await get_order(session, order_id)
    entries = select(ThreadEntry).where(ThreadEntry.order_id == order_id).order_by(ThreadEntry.position)
    return order, thread.first_broken(
        order_id, await session.scalars(entries), length=order.thread_length, head=order.thread_head
    )


async def get_client(session: AsyncSession, client_id: UUID) -> Client:
    """Raises `ClientNotFound`."""
    client = await session.get(Client, client_id)
    if client is None:
        raise ClientNotFound(f"There is no client {client_id}.")
    return client


async def list_clients(session: AsyncSession, cut: Cut, *, search: str | None) -> Sequence[Client]:
    """By code."""
    clients = select(Client).order_by(Client.code).limit(cut.limit + 1)
    if after := cut.after_as(str):
        clients = clients.where(Client.code > after[0])
    if search:
        columns = (Client.code, Client.name)
        clients = clients.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    return (await session.scalars(clients)).all()


async def client_of_code(session: AsyncSession, code: str) -> Client | None:
    return (await session.scalars(select(Client).where(Client.code == code))).one_or_none()


async def order_type_row(session: AsyncSession, code: str, version: int) -> OrderType:
    """Raises `OrderTypeNotFound`."""
    row = await session.get(OrderType, (code, version))
    if row is None:
        raise OrderTypeNotFound(f"There is no version {version} of an order type {code}.")
    return row


async def order_type(session: AsyncSession, code: str, version: int) -> OrderTypePublished:
    """One version of a type. It never changes, so it is read once. Raises `OrderTypeNotFound`."""
    shared = session.info["shared"]
    key = (OrderType, code, version)
    if key not in shared:
        shared[key] = (await order_type_row(session, code, version)).published
    published: OrderTypePublished = shared[key]
    return published


async def read_newest_order_types(session: AsyncSession) -> Mapping[str, OrderTypePublished]:
    """By code, from the tables."""
    newest = select(OrderType.code, func.max(OrderType.version)).group_by(OrderType.code)
    versions = (await session.execute(newest)).all()
    return {code: (await order_type_row(session, code, version)).published for code, version in versions}


NEWEST_ORDER_TYPES = Cached(read_newest_order_types)


async def newest_order_types(session: AsyncSession) -> Mapping[str, OrderTypePublished]:
    """By code. Raises `NotYetKnown` before the first one is published."""
    types = await NEWEST_ORDER_TYPES.get(session)
    if not types:
        NEWEST_ORDER_TYPES.forget(session)
        raise NotYetKnown("No order type is published yet.")
    return types


@dataclass(frozen=True)
class Approvals:
    """The ladder, and the rates by which its thresholds are compared."""

    rungs: tuple[Rung, ...]
    rates: Mapping[str, Decimal]


async def _read_approvals(session: AsyncSession) -> Approvals:
    rungs = await session.scalars(select(ApprovalRung).order_by(ApprovalRung.rank))
    rates = await session.scalars(select(ExchangeRate))
    return Approvals(
        rungs=tuple(Rung(role=rung.role, above=rung.above) for rung in rungs),
        rates={rate.currency: rate.rate for rate in rates},
    )


APPROVALS = Cached(_read_approvals)


async def approvals(session: AsyncSession) -> Approvals:
    """Raises `NotYetKnown` before the ladder has a first rung."""
    known = await APPROVALS.get(session)
    if not known.rungs:
        APPROVALS.forget(session)
        raise NotYetKnown("The approval ladder is not set up yet.")
    return known
