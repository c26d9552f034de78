"""What each fact changes on the view of its order.

Facts are not refused: one that comes again under another id, or that names what is not there, changes nothing. What
is kept as JSON is replaced, never changed in place, so that the change is noticed.
"""

from collections.abc import Collection
from decimal import Decimal
from functools import singledispatch
from typing import Any
from uuid import UUID

from contracts import finance, order, project
from contracts.event import OrderEvent
from contracts.money import Money
from portal.models.order_view import OrderView

Documents = list[dict[str, Any]]


@singledispatch
def apply(event: OrderEvent, view: OrderView) -> None:
    """Let `view` show what `event` tells."""
    raise NotImplementedError(f"Nothing says what {event.type} changes on an order's view.")


# Told by the order service


@apply.register
def _(event: order.OrderPlaced, view: OrderView) -> None:
    view.place(event)


@apply.register
def _(event: order.ApprovalDecided, view: OrderView) -> None:
    decision = event.model_dump(mode="json", include={"step", "role", "decision", "by", "comment"})
    view.decisions = [*view.decisions, decision | {"decided_at": view.updated_at.isoformat()}]
    view.next_role = event.next_role


@apply.register
def _(event: order.OrderApproved, view: OrderView) -> None:
    view.status, view.approved_on, view.next_role = "approved", event.approved_on, None


@apply.register
def _(event: order.OrderRejected, view: OrderView) -> None:
    view.status, view.next_role = "rejected", None


@apply.register
def _(event: order.StageAdvanced, view: OrderView) -> None:
    view.stage = event.to_stage


@apply.register
def _(event: order.OrderHeld, view: OrderView) -> None:
    view.status = "on_hold"


@apply.register
def _(event: order.OrderResumed, view: OrderView) -> None:
    view.status = "approved"


@apply.register
def _(event: order.OrderCancelled, view: OrderView) -> None:
    view.status, view.next_role = "cancelled", None


@apply.register
def _(event: order.DeliveryAccepted, view: OrderView) -> None:
    view.status, view.accepted_on, view.accepted_by = "delivered", event.accepted_on, event.accepted_by


@apply.register
def _(event: order.OrderClosed, view: OrderView) -> None:
    view.status, view.closed_on = "closed", event.closed_on


# Told by the project service; `operations.tasks` has what happens to single tasks


@apply.register
def _(event: project.ProjectCreated, view: OrderView) -> None:
    document = event.model_dump(mode="json", include={"manager", "milestones", "deliverables"})
    view.project_id, view.manager = event.project_id, document["manager"]
    view.planned_start, view.planned_finish = event.planned_start, event.planned_finish
    view.tasks_total = len(event.tasks)
    stages = [task.stage for task in event.tasks]
    view.open_tasks = {stage: stages.count(stage) for stage in stages}
    view.inspections = {str(task.id): None for task in event.tasks if task.inspection}
    view.milestones = [milestone | {"reached_on": None} for milestone in document["milestones"]]
    view.deliverables = [deliverable | {"version": None, "reference": None} for deliverable in document["deliverables"]]


@apply.register
def _(event: project.TaskFinished, view: OrderView) -> None:
    view.tasks_finished += 1
    view.open_tasks = view.open_tasks | {event.stage: max(0, view.open_tasks.get(event.stage, 0) - 1)}


@apply.register
def _(event: project.ProjectCancelled, view: OrderView) -> None:
    view.open_tasks = {}


@apply.register
def _(event: project.InspectionRecorded, view: OrderView) -> None:
    if str(event.task_id) in view.inspections:
        view.inspections = view.inspections | {str(event.task_id): event.result}


@apply.register
def _(event: project.DeliverableSubmitted, view: OrderView) -> None:
    view.deliverables = _changed(
        view.deliverables, "id", [event.deliverable_id], version=event.version, reference=event.reference
    )


@apply.register
def _(event: project.MilestoneReached, view: OrderView) -> None:
    view.milestones = _changed(view.milestones, "code", [event.milestone_code], reached_on=event.reached_on.isoformat())


@apply.register
def _(event: project.DeliverySubmitted, view: OrderView) -> None:
    view.delivery_submitted_at = event.submitted_at


# Told by the finance service


@apply.register
def _(event: finance.InstalmentsPlanned, view: OrderView) -> None:
    if view.account_id is None:
        view.account_id = event.account_id
        planned = event.model_dump(mode="json", include={"instalments"})["instalments"]
        view.instalments = [instalment | {"paid_on": None} for instalment in planned]


@apply.register
def _(event: finance.InstalmentDue, view: OrderView) -> None:
    view.instalments = _changed(
        view.instalments, "id", [event.instalment_id], status="due", due_date=event.due_date.isoformat()
    )


@apply.register
def _(event: finance.InstalmentDated, view: OrderView) -> None:
    view.instalments = _changed(view.instalments, "id", [event.instalment_id], due_date=event.due_date.isoformat())


@apply.register
def _(event: finance.InvoiceIssued, view: OrderView) -> None:
    if any(invoice["invoice_id"] == str(event.invoice_id) for invoice in view.invoices):
        return
    invoice = event.model_dump(mode="json", exclude={"order_id"})
    view.invoices = [*view.invoices, invoice | {"paid": f"{Money.zero(event.currency).amount}"}]
    view.instalments = _changed(view.instalments, "id", event.instalment_ids, status="invoiced")


@apply.register
def _(event: finance.ReceiptRecorded, view: OrderView) -> None:
    if any(receipt["receipt_id"] == str(event.receipt_id) for receipt in view.receipts):
        return
    view.receipts = [*view.receipts, event.model_dump(mode="json", exclude={"order_id"})]
    for allocation in event.allocations:
        paid = sum(Decimal(each["paid"]) for each in view.invoices if each["invoice_id"] == str(allocation.invoice_id))
        view.invoices = _changed(
            view.invoices, "invoice_id", [allocation.invoice_id], paid=f"{paid + allocation.amount:f}"
        )


@apply.register
def _(event: finance.InstalmentPaid, view: OrderView) -> None:
    view.instalments = _changed(
        view.instalments, "id", [event.instalment_id], status="paid", paid_on=event.paid_on.isoformat()
    )


@apply.register
def _(event: finance.AccountSettled, view: OrderView) -> None:
    view.settled_on = event.settled_on


@apply.register
def _(event: finance.InstalmentsCancelled, view: OrderView) -> None:
    view.instalments = _changed(view.instalments, "id", event.cancelled, status="cancelled")


def _changed(documents: Documents, name: str, ids: Collection[UUID | str], **changes: Any) -> Documents:
    """`documents`, of which those whose `name` is among `ids` have the changes."""
    wanted = {str(each) for each in ids}
    return [document | changes if document[name] in wanted else document for document in documents]
