"""All orders, as a list and by stage."""

from dataclasses import replace
from typing import Any

from fastapi import Response

from chassis.http import Filter, PageCut
from portal import queries
from portal.api.work import WantedOrders
from portal.order_lines import order_of
from portal.pages import names
from portal.pages.marks import late_days, thread
from portal.pages.order_row import rows
from portal.pages.visit import StaffVisit, pages_router

orders = pages_router()


@orders.get("/orders")
async def list_orders(visit: StaffVisit, cut: PageCut, wanted: WantedOrders) -> Response:
    """The newest first, narrowed down by what is in the address."""
    asked = replace(wanted, status=None, late_on=visit.fmt.today) if wanted.status == "late" else wanted
    async with visit.reading() as session:
        stamps = await queries.list_stamps(session, cut, seen_by=visit.viewer, wanted=asked)
        page = cut.page(stamps, lambda stamp: [order_of(stamp)])
        found = await rows(visit.fmt).of(session, page["items"])
    return visit.render(
        "work/orders.html", rows=found, cursor=page["next_cursor"], wanted=wanted, statuses=names.ORDERS_SHOWN
    )


@orders.get("/board")
async def show_board(visit: StaffVisit, order_type: Filter = None) -> Response:
    """The stages of one order type after the other, with the newest orders that stand in each."""
    async with visit.reading() as session:
        stages = await queries.stages_of_board(session)
    types: dict[str, list[Any]] = {}
    for stage in stages:
        types.setdefault(stage.order_type, []).append(stage)
    busiest = max(types, key=lambda code: sum(stage.count for stage in types[code]), default=None)
    chosen = order_type if order_type in types else busiest
    shown = types.get(chosen or "", [])
    newest = [order for stage in shown for order in stage.newest]
    return visit.render(
        "work/board.html",
        types=types,
        chosen=chosen,
        stages=shown,
        count=sum(stage.count for stage in shown),
        threads={order.order_id: thread(order, visit.fmt, is_client=False) for order in newest},
        late_days={order.order_id: late_days(order, visit.fmt.today) for order in newest},
    )
