"""Orders, and who may see which."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Text, and_, false, func, literal, literal_column, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer, selectinload, undefer, undefer_group
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.interfaces import ORMOption

from chassis.cached import Cached
from chassis.paging import Cut
from chassis.principal import Principal
from chassis.read_model import Known
from chassis.search import newest_with
from portal import disclosure
from portal.models import OrderType, OrderView, TimelineEntry
from portal.models.order_view import DOCUMENT, NOT_IN_LISTS, OVER, SEARCHED, OrderNotFound

R = TypeVar("R")

ORDERS_READ = "orders:read"
AS_LISTED: tuple[ORMOption, ...] = tuple(defer(getattr(OrderView, name), raiseload=True) for name in NOT_IN_LISTS)
"""Of an order: what a line about it shows."""
STAMP = func.concat(OrderView.order_id, " ", literal_column("order_views.xmin"), type_=Text)
"""Another one after every change of the row: PostgreSQL's xmin is the transaction that wrote it."""
BOARD_ORDERS_MAX = 5
"""Shown of each stage; the count is of all."""


async def get_order(session: AsyncSession, order_id: UUID, *, seen_by: Principal) -> OrderView:
    """With its tasks and its type. Raises `OrderNotFound`, also for one that `seen_by` may not see."""
    order = select(OrderView).where(OrderView.order_id == order_id, visible_to(seen_by))
    options = (undefer_group(DOCUMENT), selectinload(OrderView.tasks))
    view = (await session.scalars(order.options(*options))).one_or_none()
    if view is None:
        raise OrderNotFound(f"There is no order {order_id}.")
    await with_types(session, [view])
    return view


async def with_types(session: AsyncSession, views: Sequence[OrderView]) -> Sequence[OrderView]:
    """`views`, each with its type, which never changes; None for one that has not been heard of."""
    types = await ORDER_TYPES.get(session)
    if any((view.order_type, view.type_version) not in types for view in views):
        ORDER_TYPES.forget(session)
        types = await ORDER_TYPES.get(session)
    for view in views:
        set_committed_value(view, "type", types.get((view.order_type, view.type_version)))
    return views


async def _read_order_types(session: AsyncSession) -> Mapping[tuple[str, int], OrderType]:
    types = (await session.scalars(select(OrderType).options(undefer(OrderType.fields_schema)))).all()
    for each in types:
        session.expunge(each)  # it outlives the session
    return {(each.code, each.version): each for each in types}


ORDER_TYPES = Cached(_read_order_types, age_seconds_max=300)
"""Of every version: nearly every page names stages. One that is not among them is looked for at once."""


@dataclass(frozen=True)
class Wanted:
    """What a list of orders is narrowed down by; None narrows nothing."""

    search: str | None = None
    """A part of number, external id, title or client."""
    status: str | None = None
    stage: str | None = None
    order_type: str | None = None
    client_code: str | None = None
    late_on: dt.date | None = None
    """Those alone that are late on that day."""

    def among(self, rows: Select[R]) -> Select[R]:
        """`rows` of orders, those alone that are wanted; the search is `newest_with`'s."""
        names = ("status", "stage", "order_type", "client_code")
        wanted = {name: value for name in names if (value := getattr(self, name))}
        narrowed = rows.where(*(getattr(OrderView, name) == value for name, value in wanted.items()))
        return narrowed.where(is_late(self.late_on)) if self.late_on else narrowed


EVERY_ORDER = Wanted()


async def list_orders(
    session: AsyncSession, cut: Cut, *, seen_by: Principal, wanted: Wanted = EVERY_ORDER, with_money: bool = False
) -> Sequence[OrderView]:
    """The newest first, each with its type; `with_money`, with its instalments and invoices too."""
    orders = select(OrderView).options(*(() if with_money else AS_LISTED))
    return await with_types(session, await _newest(session, orders, cut, seen_by=seen_by, wanted=wanted))


async def list_stamps(
    session: AsyncSession, cut: Cut, *, seen_by: Principal, wanted: Wanted = EVERY_ORDER
) -> Sequence[str]:
    """Of the same orders their stamps: the id, and which transaction has written the order last."""
    return await _newest(session, select(STAMP), cut, seen_by=seen_by, wanted=wanted)


async def stamped(session: AsyncSession, order_ids: Collection[UUID]) -> Sequence[Row[str, OrderView]]:
    """The orders as a list shows them, each with its stamp, the newest first."""
    orders = select(STAMP, OrderView).where(OrderView.order_id.in_(order_ids)).options(*AS_LISTED)
    orders = orders.order_by(OrderView.order_id.desc())
    rows = (await session.execute(orders)).all()
    await with_types(session, [view for _, view in rows])
    return rows


async def _newest(
    session: AsyncSession, rows: Select[R], cut: Cut, *, seen_by: Principal, wanted: Wanted
) -> Sequence[R]:
    rows = wanted.among(rows.where(visible_to(seen_by)))
    if after := cut.after_as(UUID):
        rows = rows.where(OrderView.order_id < after[0])
    if wanted.search:
        return await newest_with(
            session, rows, key=OrderView.order_id, text=SEARCHED, part=wanted.search, limit=cut.limit + 1
        )
    return (await session.scalars(rows.order_by(OrderView.order_id.desc()).limit(cut.limit + 1))).all()


async def read_timeline(
    session: AsyncSession, order_id: UUID, cut: Cut, *, seen_by: Principal
) -> Sequence[TimelineEntry]:
    """From the first fact on; a client gets those alone that `disclosure` names. Raises `OrderNotFound`."""
    visible = select(OrderView.order_id).where(OrderView.order_id == order_id, visible_to(seen_by))
    if await session.scalar(visible) is None:
        raise OrderNotFound(f"There is no order {order_id}.")
    (after,) = cut.after_as(int) or (0,)
    entries = _timeline(order_id, seen_by=seen_by).where(TimelineEntry.position > after)
    return (await session.scalars(entries.order_by(TimelineEntry.position).limit(cut.limit + 1))).all()


async def newest_of_timeline(
    session: AsyncSession, order_id: UUID, *, limit: int, seen_by: Principal
) -> Sequence[TimelineEntry]:
    """The last facts, the newest first, of an order that `seen_by` is known to see."""
    entries = _timeline(order_id, seen_by=seen_by).order_by(TimelineEntry.position.desc()).limit(limit)
    return (await session.scalars(entries)).all()


async def known_facts(session: AsyncSession, order_id: UUID) -> Known:
    """What the view of an order is made of: its version counts the facts, its timeline holds them."""
    version = await session.scalar(select(OrderView.version).where(OrderView.order_id == order_id))
    columns = select(*TimelineEntry.__table__.columns)  # no objects: the rows may be deleted and made again
    entries = columns.where(TimelineEntry.order_id == order_id).order_by(TimelineEntry.position)
    return Known(version or 0, [TimelineEntry(**row).fact for row in (await session.execute(entries)).mappings()])


@dataclass(frozen=True)
class BoardStage:
    """A stage of an order type, and the orders that stand in it."""

    order_type: str
    type_labels: dict[str, str]
    code: str
    name: dict[str, str]
    count: int
    newest: Sequence[OrderView]


UNDER_WAY = ("submitted", "approved", "on_hold", "delivered")


async def count_under_way(session: AsyncSession) -> Sequence[tuple[str, str, str, int]]:
    """By order type, stage and status. What is over is not counted: it is most of the table, and found by no index."""
    place = (OrderView.order_type, OrderView.stage, OrderView.status)
    counts = select(*place, func.count()).where(OrderView.status.in_(UNDER_WAY)).group_by(*place)
    return (await session.execute(counts)).all()


async def stages_of_board(session: AsyncSession) -> Sequence[BoardStage]:
    """Every stage of the newest version of each type, in order, with what is under way in it."""
    newest_types = select(OrderType).order_by(OrderType.code, OrderType.version.desc()).ext(distinct_on(OrderType.code))
    types = (await session.scalars(newest_types)).all()
    place = (OrderView.order_type, OrderView.stage)
    ranked = (
        select(
            OrderView.order_id,
            func.row_number().over(partition_by=place, order_by=OrderView.order_id.desc()).label("rank"),
            func.count().over(partition_by=place).label("count"),
        )
        .where(OrderView.status.not_in(OVER))
        .subquery()
    )
    shown = (
        select(OrderView, ranked.c.count)
        .join(ranked, ranked.c.order_id == OrderView.order_id)
        .where(ranked.c.rank <= BOARD_ORDERS_MAX)
        .options(*AS_LISTED)
        .order_by(OrderView.order_id.desc())
    )
    standing: dict[tuple[str, str], list[OrderView]] = {}
    counts: dict[tuple[str, str], int] = {}
    rows = (await session.execute(shown)).all()
    await with_types(session, [view for view, _ in rows])
    for view, count in rows:
        standing.setdefault((view.order_type, view.stage), []).append(view)
        counts[view.order_type, view.stage] = count
    return [
        BoardStage(
            order_type=order_type.code,
            type_labels=order_type.labels,
            code=stage["code"],
            name=stage["name"],
            count=counts.get((order_type.code, stage["code"]), 0),
            newest=standing.get((order_type.code, stage["code"]), []),
        )
        for order_type in types
        for stage in order_type.stages
    ]


def _timeline(order_id: UUID, *, seen_by: Principal) -> Select[TimelineEntry]:
    entries = select(TimelineEntry).where(TimelineEntry.order_id == order_id)
    if seen_by.kind == "client":
        entries = entries.where(TimelineEntry.type.in_(disclosure.SEEN_BY_CLIENTS))
    return entries


def is_late(today: dt.date) -> ColumnElement[bool]:
    """Behind the date asked for, or behind the plan where none was; as `pages.marks.late_days` counts the days."""
    expected = func.greatest(OrderView.planned_finish, literal(today))
    return and_(
        OrderView.status.in_(("approved", "on_hold")),
        OrderView.accepted_on.is_(None),
        expected > func.coalesce(OrderView.requested_date, OrderView.planned_finish),
    )


def visible_to(principal: Principal) -> ColumnElement[bool]:
    """Rule 33: nothing, unless one of these says so."""
    match principal.kind:
        case "user":
            return true()
        case "client":
            return OrderView.client_id == principal.client_id
        case "integration" if ORDERS_READ in principal.roles:
            return OrderView.source == principal.user_id
        case _:
            return false()
