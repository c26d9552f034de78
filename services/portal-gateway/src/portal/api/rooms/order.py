"""One order: where it stands, and what can be done about it; for its client, what concerns them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response

from portal import queries
from portal.api.rooms.tasks import inspection_in
from portal.forwarding import ServiceAway
from portal.models import OrderView
from portal.pages.calls import CallRefused
from portal.pages.duties import could_inspect, could_take
from portal.pages.instalments import standings
from portal.pages.marks import next_stage, said, spans_of, thread
from portal.pages.order_fields import written
from portal.pages.particulars import Particulars
from portal.pages.plan import plan_of
from portal.pages.visit import AnyVisit, SentForm, StaffVisit, Visit, pages_router
from portal.schemas.orders import ClientTimelineEntryOut, PortalOrderOut, WorkOrderOut

order = pages_router(prefix="/orders")

TIMELINE_ENTRIES_MAX = 100
TABS = ("plan", "money", "documents", "thread")
COMMANDS = {"hold": "held", "resumption": "resumed", "cancellation": "cancelled"}
"""What is done to the whole order, as the order service calls it, and what is said afterwards."""
TASK_COMMANDS = {"reassignment": "reassigned", "inspections": "inspected"}


@order.get("/{order_id}")
async def show_order(order_id: UUID, visit: AnyVisit, tab: Annotated[str, Query(max_length=20)] = "plan") -> Response:
    return await _page(visit, order_id, tab=tab)


@order.post("/{order_id}/acceptance")
async def accept_delivery(order_id: UUID, visit: AnyVisit, sent: SentForm) -> Response:
    """The client's sign-off."""
    try:
        body = {"note": sent.optional("note")}
        answer = await visit.calls.send("order", f"orders/{order_id}/acceptance", body, key=sent.key)
    except CallRefused as refusal:
        return await _page(visit, order_id, refused=refusal)
    return visit.done(f"/orders/{order_id}", "accepted", answer)


@order.post("/{order_id}/{command}")
async def command_order(order_id: UUID, command: str, visit: StaffVisit, sent: SentForm) -> Response:
    """Hold, resume, cancel: with a reason, which those concerned read.

    Whatever else has changed meanwhile; an order that is not as the command needs it is refused, and the page says so.
    """
    if command not in COMMANDS:
        raise CallRefused(404, {"type": "not-found", "title": "There is no such command."})
    try:
        body = {"reason": sent.text("reason") or (None if command == "resumption" else "")}
        answer = await visit.calls.send("order", f"orders/{order_id}/{command}", body, key=sent.key)
    except CallRefused as refusal:
        return await _page(visit, order_id, refused=refusal, filled=sent.fields | {"command": command})
    return visit.done(f"/orders/{order_id}", COMMANDS[command], answer)


@order.post("/{order_id}/tasks/{task_id}/{command}")
async def command_task(order_id: UUID, task_id: UUID, command: str, visit: StaffVisit, sent: SentForm) -> Response:
    """Give a task of the order to someone else, or say what was found when it was inspected."""
    if command not in TASK_COMMANDS:
        raise CallRefused(404, {"type": "not-found", "title": "There is no such command."})
    body = {"person_id": sent.text("person_id"), "reason": sent.text("reason")}
    if command == "inspections":
        body = inspection_in(sent)
    try:
        answer = await visit.calls.send("project", f"tasks/{task_id}/{command}", body, key=sent.key)
    except CallRefused as refusal:
        return await _page(visit, order_id, refused=refusal, filled=sent.fields | {"task_id": str(task_id)})
    return visit.done(f"/orders/{order_id}?tab=plan#task-{task_id}", TASK_COMMANDS[command], answer)


async def _page(
    visit: Visit,
    order_id: UUID,
    *,
    tab: str = "plan",
    refused: CallRefused | None = None,
    filled: dict[str, str] | None = None,
) -> Response:
    """Raises `OrderNotFound`, also for one that the visitor may not see."""
    async with visit.reading() as session:
        view = await queries.get_order(session, order_id, seen_by=visit.viewer)
        entries = (
            await queries.newest_of_timeline(session, order_id, limit=TIMELINE_ENTRIES_MAX, seen_by=visit.viewer)
            if tab == "thread" or visit.viewer.kind == "client"
            else []
        )
    spans = spans_of(view.stages, view.tasks, visit.fmt)
    if visit.viewer.kind == "client":
        shown = PortalOrderOut.of(view)
        return visit.render(
            "client/order.html",
            refused=refused,
            order=shown,
            thread=thread(
                shown, visit.fmt, is_client=True, tasks=shown.tasks, instalments=shown.instalments, spans=spans
            ),
            said_of_it=said(shown, visit.fmt, is_client=True),
            own_fields=written(shown.fields, _schema(view), visit.fmt),
            instalments=standings(shown.instalments, visit.fmt),
            timeline=[ClientTimelineEntryOut.of(entry) for entry in entries],
            particulars=Particulars(shown, visit.fmt),
        )
    whole = WorkOrderOut.model_validate(view)
    tab = tab if tab in TABS else "plan"
    beside = await _beside(visit, order_id, tab)
    return visit.render(
        "work/order.html",
        refused=refused,
        filled=filled or {},
        order=whole,
        tab=tab,
        thread=thread(whole, visit.fmt, is_client=False, tasks=whole.tasks, instalments=whole.instalments, spans=spans),
        said_of_it=said(whole, visit.fmt, is_client=False),
        next_stage=next_stage(whole, visit.fmt),
        own_fields=written(whole.fields, _schema(view), visit.fmt),
        instalments=standings(whole.instalments, visit.fmt),
        missing=view.waiting_for,
        type_name=visit.fmt.label(view.type.labels if view.type else None, view.order_type),
        timeline=entries,
        particulars=Particulars(whole, visit.fmt),
        plan=plan_of(whole, visit.fmt) if tab == "plan" else None,
        could_take=could_take(whole.tasks, beside["people"]),
        to_inspect=could_inspect(view, whole.tasks, roles=visit.viewer.roles, leads=visit.may("lead projects")),
        **beside,
    )


def _schema(view: OrderView) -> dict[str, Any]:
    return view.type.fields_schema if view.type else {}


async def _beside(visit: Visit, order_id: UUID, tab: str) -> dict[str, Any]:
    """What a service knows beyond the view; None while it is away: the rest of the page stands."""
    asked = {
        "people": ("project", "people", tab == "plan" and visit.may("lead projects")),
        "account": ("finance", f"orders/{order_id}/account", tab == "money" and visit.may("handle money")),
        "project": ("project", f"orders/{order_id}/project", tab == "documents"),
        "verification": ("order", f"orders/{order_id}/thread/verification", tab == "thread"),
    }
    return {
        name: await _find(visit, service, path) if wanted else None for name, (service, path, wanted) in asked.items()
    }


async def _find(visit: Visit, service: str, path: str) -> Any:
    try:
        return await visit.calls.find(service, path)
    except (ServiceAway, CallRefused):
        return None
