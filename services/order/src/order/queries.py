"""What can be known about orders. Nothing here writes or locks."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, cast, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, defer, selectinload

from chassis.cached import Cached
from chassis.clock import utc_now
from chassis.errors import NotYetKnown
from chassis.ids import new_id
from chassis.outbox import OutboxMessage
from chassis.paging import Cut
from chassis.search import newest_with
from contracts.directory import OrderTypePublished
from contracts.order import ApprovalStep
from contracts.order_body import HttpOrderBody
from order import intake, ladder, thread
from order.ladder import Rung
from order.models import (
    ApprovalRung,
    Client,
    Decision,
    ExchangeRate,
    InboundRequest,
    Order,
    OrderLine,
    OrderType,
    Rebuild,
    ThreadEntry,
)
from order.models.client import ClientNotFound
from order.models.order import SEARCHED, OrderNotFound
from order.models.order_type import OrderTypeNotFound
from order.models.rebuild import RebuildNotFound

THREAD = tuple(ThreadEntry.__table__.columns)
"""Plain rows: nobody changes an entry."""
THREAD_ROWS = 100
"""Held in memory at once while threads are verified."""


async def get_order(session: AsyncSession, order_id: UUID) -> Order:
    """With its lines. Raises `OrderNotFound`."""
    order = await session.get(Order, order_id, options=[selectinload(Order.lines)])
    if order is None:
        raise OrderNotFound(f"There is no order {order_id}.")
    return order


async def list_orders(
    session: AsyncSession,
    cut: Cut,
    *,
    status: str | None,
    client_code: str | None,
    search: str | None,
    order_no: str | None = None,
) -> Sequence[Order]:
    """The newest first, one more than the page holds if there are more. `search` is a part of number, id or title."""
    orders = select(Order)
    if after := cut.after_as(UUID):
        orders = orders.where(Order.order_id < after[0])
    if status:
        orders = orders.where(Order.status == status)
    if client_code:
        orders = orders.where(Order.client_code == client_code)
    if order_no:
        orders = orders.where(Order.order_no == order_no)
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


async def preview(session: AsyncSession, given: Any, *, company_currency: str, is_complete: bool = True) -> Preview:
    """Raises `OrderWrong` as placing it would; unless it `is_complete`, not for what the type asks for."""
    types = await newest_order_types(session)
    body = intake.check(given, HttpOrderBody, types, is_complete=is_complete)
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


@dataclass
class Verified:
    """What became of computing the hashes of an order's thread again."""

    order_id: UUID
    order_no: str
    length: int
    head: str
    first_broken: int | None
    """The position of the first entry that is not what was appended; None when the thread is whole."""

    @property
    def verified(self) -> bool:
        return self.first_broken is None


async def verify_thread(session: AsyncSession, order_id: UUID) -> Verified:
    """Raises `OrderNotFound`."""
    found = await _verify(session, [order_id])
    if not found:
        raise OrderNotFound(f"There is no order {order_id}.")
    return found[0]


async def verify_threads(session: AsyncSession, cut: Cut) -> Sequence[Verified]:
    """The threads of some orders, the oldest first."""
    orders = select(Order.order_id).order_by(Order.order_id).limit(cut.limit + 1)
    if after := cut.after_as(UUID):
        orders = orders.where(Order.order_id > after[0])
    return await _verify(session, (await session.scalars(orders)).all())


async def _verify(session: AsyncSession, order_ids: Sequence[UUID]) -> list[Verified]:
    """Heads and entries in one statement: an entry appended meanwhile would look like a forged one."""
    entries = (
        select(Order.order_no, Order.thread_length, Order.thread_head, Order.order_id.label("of_order"), *THREAD)
        .outerjoin(ThreadEntry, ThreadEntry.order_id == Order.order_id)
        .where(Order.order_id.in_(order_ids))
        .order_by(Order.order_id, ThreadEntry.position)
    )
    found: list[Verified] = []
    proof = None
    rows = await session.stream(entries, execution_options={"yield_per": THREAD_ROWS})
    async for row in rows:
        if not found or found[-1].order_id != row.of_order:
            proof = thread.Proof(row.of_order)
            found.append(Verified(row.of_order, row.order_no, row.thread_length, row.thread_head, None))
        assert proof is not None
        if row.position is not None:
            proof.read(row)
        found[-1].first_broken = proof.first_broken(length=row.thread_length, head=row.thread_head)
    return found


async def verified_thread(session: AsyncSession, order_id: UUID) -> tuple[Verified, Sequence[Any]]:
    """A whole thread, and whether it is what was appended. Raises `OrderNotFound`."""
    verified = await verify_thread(session, order_id)
    entries = select(ThreadEntry).where(ThreadEntry.order_id == order_id, ThreadEntry.position <= verified.length)
    return verified, (await session.execute(entries.with_only_columns(*THREAD).order_by(ThreadEntry.position))).all()


async def count_threads(session: AsyncSession) -> int:
    """How many orders have one: a draft has none yet."""
    return int(await session.scalar(select(func.count()).where(Order.thread_length > 0)) or 0)


async def next_thread(session: AsyncSession, rebuild: Rebuild) -> UUID | None:
    """The order whose thread is told next, or None after the last."""
    orders = select(Order.order_id).where(Order.thread_length > 0).order_by(Order.order_id).limit(1)
    if rebuild.last_order_id is not None:
        orders = orders.where(Order.order_id > rebuild.last_order_id)
    only = Order.order_id == rebuild.order_id if rebuild.order_id else Order.order_id < rebuild.rebuild_id
    return await session.scalar(orders.where(only))


async def is_on_its_way(session: AsyncSession, topic: str) -> bool:
    """Whether something was told on `topic` that has not left yet."""
    pending = (OutboxMessage.topic == topic, OutboxMessage.published_at.is_(None))
    return bool(await session.scalar(select(exists().where(*pending))))


async def list_rejected_requests(session: AsyncSession, cut: Cut, *, source: str | None) -> Sequence[InboundRequest]:
    """Of systems outside, the newest first."""
    place = (InboundRequest.answered_at, InboundRequest.source, InboundRequest.request_id)
    requests = select(InboundRequest).where(InboundRequest.order_id.is_(None)).limit(cut.limit + 1)
    if source is not None:
        requests = requests.where(InboundRequest.source == source)
    if after := cut.after_as(dt.datetime.fromisoformat, str, str):
        requests = requests.where(tuple_(*place) < tuple_(*after))
    return (await session.scalars(requests.order_by(*(column.desc() for column in place)))).all()


async def list_rebuilds(session: AsyncSession, cut: Cut) -> Sequence[Rebuild]:
    """The newest first."""
    rebuilds = select(Rebuild).order_by(Rebuild.rebuild_id.desc()).limit(cut.limit + 1)
    if after := cut.after_as(UUID):
        rebuilds = rebuilds.where(Rebuild.rebuild_id < after[0])
    return (await session.scalars(rebuilds)).all()


async def get_rebuild(session: AsyncSession, rebuild_id: UUID) -> Rebuild:
    """Raises `RebuildNotFound`."""
    rebuild = await session.get(Rebuild, rebuild_id)
    if rebuild is None:
        raise RebuildNotFound(f"There is no rebuild {rebuild_id}.")
    return rebuild


@dataclass(frozen=True)
class Traced:
    """A fact of a thread, and how long after its cause it was told."""

    entry: Any
    cause_position: int | None
    """None when the cause is no fact that stands before it: a request, a message, a timer."""
    cause_time: str | None

    @property
    def ms_since_cause(self) -> int | None:
        """By the clocks of their tellers. None where one of the times is none."""
        try:
            told, caused = (dt.datetime.fromisoformat(time) for time in (self.entry.time, self.cause_time or ""))
            return round((told - caused) / dt.timedelta(milliseconds=1))
        except (ValueError, TypeError):  # no instant, or one without its zone beside one with
            return None


async def trace(session: AsyncSession, order_id: UUID, cut: Cut) -> Sequence[Traced]:
    """The order's facts in order, each with its cause: parents stand before their children, however deep the tree."""
    await get_order(session, order_id)
    (after,) = cut.after_as(int) or (0,)
    cause = aliased(ThreadEntry)
    entries = (
        select(ThreadEntry, cause.position, cause.time)
        .outerjoin(
            cause,
            and_(
                cause.order_id == ThreadEntry.order_id,
                cause.position < ThreadEntry.position,
                cast(cause.event_id, Text) == ThreadEntry.causation_id,
            ),
        )
        .where(ThreadEntry.order_id == order_id, ThreadEntry.position > after)
        .order_by(ThreadEntry.position)
        .limit(cut.limit + 1)
        .options(defer(ThreadEntry.body))
    )
    return [Traced(entry, position, time) for entry, position, time in await session.execute(entries)]


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
