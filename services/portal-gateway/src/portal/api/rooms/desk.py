"""The first page: for a client their orders, for the company's people what waits for them."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.http import Filter, PageCut
from chassis.paging import Cut
from portal import queries
from portal.forwarding import ServiceAway
from portal.models import OrderView
from portal.order_lines import Lines
from portal.pages.calls import CallRefused
from portal.pages.marks import late_days, next_stage, order_state, standing, thread
from portal.pages.payable import SOON, to_pay
from portal.pages.visit import AnyVisit, Visit, pages_router
from portal.queries import EVERY_ORDER, Wanted

desk = pages_router()

LOOKED_THROUGH = 60
FACTS_MISSING = Lines("facts missing", lambda order: (order.order_id, len(order.waiting_for)))
"""How many facts each order waits for: worked out again when the order has changed."""

SHOWN = 8
"""Of each list on the desk."""


class AtLeast(int):
    """So many, and more that were not read."""

    def __str__(self) -> str:
        return f"{int(self)}+"


@desk.get("/")
async def show_desk(
    visit: AnyVisit, cut: PageCut, search: Filter = None, status: Annotated[str | None, Query(max_length=20)] = None
) -> Response:
    if visit.viewer.kind == "client":
        return await _of_client(visit, cut, Wanted(search=search, status=status or None))
    return await _of_staff(visit)


async def _of_client(visit: Visit, cut: Cut, wanted: Wanted) -> Response:
    """The first page of all orders says how all of them stand and what waits; any other page is a list."""
    today, is_desk = visit.fmt.today, cut.after is None and wanted == EVERY_ORDER
    counts: queries.Standing | None = None
    waiting: Sequence[OrderView] = ()
    async with visit.reading() as session:
        rows = await queries.list_orders(session, cut, seen_by=visit.viewer, wanted=wanted, with_money=True)
        if is_desk:
            counts = await queries.count_of_client(session, seen_by=visit.viewer, today=today)
            waiting = await queries.list_waiting_on_client(session, seen_by=visit.viewer, payable_until=today + SOON)
    page = cut.page(rows, lambda order: [order.order_id])
    orders = page["items"]
    return visit.render(
        "client/orders.html",
        orders=orders,
        threads={
            order.order_id: thread(order, visit.fmt, is_client=True, instalments=order.instalments) for order in orders
        },
        standings={order.order_id: standing(order, visit.fmt, is_client=True) for order in orders},
        company=orders[0].client_name if orders else "",
        to_sign_off=[order for order in waiting if order.sign_off_possible],
        to_pay=to_pay(waiting, today),
        states={order.order_id: order_state(order, today) for order in orders},
        counts=counts,
        cursor=page["next_cursor"],
        wanted=wanted,
    )


async def _of_staff(visit: Visit) -> Response:
    cut = Cut(SHOWN, None)
    async with visit.reading() as session:
        approvals = await queries.list_approvals(session, cut, approver=visit.viewer)
        tasks = await queries.list_tasks(session, cut, owner=visit.viewer, status=None)
        late = await queries.list_late(session, cut, today=visit.fmt.today)
        blocked = await queries.list_blocked(session, cut)
        ready = await _one_fact_from_next_stage(session, visit)
    due, overdue = await _money(visit)
    orders = [*approvals, *late, *ready]
    lists: dict[str, Any] = {"tasks": tasks, "late": late, "blocked": blocked, "overdue": overdue or (), "ready": ready}
    return visit.render(
        "work/desk.html",
        approvals=approvals[:SHOWN],
        due=due,
        lists={name: rows[:SHOWN] for name, rows in lists.items()},
        counts={name: AtLeast(SHOWN) if len(rows) > SHOWN else len(rows) for name, rows in lists.items()},
        nexts={order.order_id: next_stage(order, visit.fmt) for order in ready},
        late_days={order.order_id: late_days(order, visit.fmt.today) for order in late},
        threads={order.order_id: thread(order, visit.fmt, is_client=False) for order in orders},
    )


async def _one_fact_from_next_stage(session: AsyncSession, visit: Visit) -> Sequence[OrderView]:
    """Of the newest orders under way."""
    under_way = Wanted(status="approved")
    stamps = await queries.list_stamps(session, Cut(LOOKED_THROUGH, None), seen_by=visit.viewer, wanted=under_way)
    missing = await FACTS_MISSING.of(session, stamps)
    ready = [order_id for order_id, count in missing if count == 1][: SHOWN + 1]
    return [view for _, view in await queries.stamped(session, ready)] if ready else []


async def _money(visit: Visit) -> tuple[list[Any] | None, list[Any] | None]:
    """What may be invoiced and what is overdue; None while the finance service is away, or for whom it is not."""
    if not visit.may("see money"):
        return None, None
    yesterday = visit.fmt.today - dt.timedelta(days=1)
    try:
        due, overdue = await asyncio.gather(
            visit.calls.get("finance", "due-instalments", limit=SHOWN),
            visit.calls.get("finance", "open-invoices", until=yesterday.isoformat(), limit=SHOWN + 1),
        )
    except (ServiceAway, CallRefused):
        return None, None
    return due["items"], overdue["items"]
