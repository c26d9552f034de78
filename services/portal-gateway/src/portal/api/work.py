"""What the company's people see: every order, what waits for them, and the board."""

import json
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Response

from chassis.http import Filter, PageCut, Session, SignedIn, Staff, router
from chassis.paging import Page
from chassis.principal import NotAllowed, Principal
from chassis.versions import etag
from portal import queries
from portal.models import OrderView
from portal.order_lines import JSON_LINES, order_of
from portal.queries import Wanted
from portal.queries.orders import ORDERS_READ, BoardStage
from portal.schemas.orders import BoardStageOut, MyTaskOut, TimelineEntryOut, WorkOrderOut, WorkSummaryOut

work = router(prefix="/work", tags=["work"])

TaskStatus = Literal["planned", "started", "blocked", "finished", "cancelled"]


async def _reader(principal: SignedIn) -> Principal:
    if principal.kind != "user" and ORDERS_READ not in principal.roles:
        raise NotAllowed(f"This is for people of the company, and for systems with the scope {ORDERS_READ}.")
    return principal


Reader = Annotated[Principal, Depends(_reader)]
"""Someone of the company, who sees every order, or a system, which sees its own."""


async def _wanted(
    search: Filter = None, status: Filter = None, stage: Filter = None, order_type: Filter = None, client: Filter = None
) -> Wanted:
    return Wanted(search=search, status=status, stage=stage, order_type=order_type, client_code=client)


WantedOrders = Annotated[Wanted, Depends(_wanted)]
"""What the address of a list of orders narrows it down by."""


@work.get("/orders", response_model=Page[WorkSummaryOut])
async def list_orders(session: Session, principal: Reader, cut: PageCut, wanted: WantedOrders) -> Response:
    """The newest first. `client` is a company's code; `search`, a part of number, external id, title or client."""
    stamps = await queries.list_stamps(session, cut, seen_by=principal, wanted=wanted)
    page = cut.page(stamps, lambda stamp: [order_of(stamp)])
    items = b",".join(await JSON_LINES.of(session, page["items"]))
    content = b'{"items":[%b],"next_cursor":%b}' % (items, json.dumps(page["next_cursor"]).encode())
    return Response(content, media_type="application/json")


@work.get("/orders/{order_id}", response_model=WorkOrderOut)
async def get_order(order_id: UUID, response: Response, session: Session, principal: Reader) -> OrderView:
    view = await queries.get_order(session, order_id, seen_by=principal)
    response.headers.update(etag(view.version))
    return view


@work.get("/orders/{order_id}/timeline", response_model=Page[TimelineEntryOut])
async def read_timeline(order_id: UUID, session: Session, principal: Reader, cut: PageCut) -> Any:
    """Every fact about the order, whoever told it."""
    entries = await queries.read_timeline(session, order_id, cut, seen_by=principal)
    return cut.page(entries, lambda entry: [entry.position])


@work.get("/approvals", response_model=Page[WorkSummaryOut])
async def list_approvals(session: Session, principal: Staff, cut: PageCut) -> Any:
    """What waits for a decision that the one who asks may take; the oldest first."""
    rows = await queries.list_approvals(session, cut, approver=principal)
    return cut.page(rows, lambda order: [order.order_id])


@work.get("/board", response_model=list[BoardStageOut])
async def get_board(session: Session, principal: Staff) -> list[BoardStage]:
    """Every stage of every order type: how many orders stand in it, and the newest of them."""
    return list(await queries.stages_of_board(session))


@work.get("/tasks", response_model=Page[MyTaskOut])
async def list_my_tasks(session: Session, principal: Staff, cut: PageCut, status: TaskStatus | None = None) -> Any:
    """Mine, and what I could take from a queue; the most urgent first. Without a status, what is not finished."""
    rows = await queries.list_tasks(session, cut, owner=principal, status=status)
    return cut.page(rows, lambda task: [task.planned_finish, task.task_id])
