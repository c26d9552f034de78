"""What a person at a client company sees of an order and of its timeline. What is not named is not shown (rule 33).

Left out on purpose: who decides inside and why (approvals, reasons of rejections, holds and cancellations), how the
work is done (single tasks, time, inspections, versions not handed over yet), and who was told of what.
"""

from typing import Any

from portal.models import OrderView, TaskView

SEEN_BY_CLIENTS: dict[str, tuple[str, ...]] = {
    "order.placed.v1": ("order_no", "revision", "title", "requested_date", "currency", "net", "tax", "total"),
    "order.approved.v1": ("order_no", "approved_on"),
    "order.rejected.v1": (),
    "order.stage_advanced.v1": ("from", "to"),
    "order.held.v1": (),
    "order.resumed.v1": (),
    "order.cancelled.v1": (),
    "project.created.v1": ("planned_start", "planned_finish"),
    "milestone.reached.v1": ("milestone_code", "reached_on"),
    "delivery.submitted.v1": ("deliverables", "submitted_at"),
    "delivery.accepted.v1": ("accepted_on", "accepted_by", "note"),
    "instalments.planned.v1": ("currency", "net", "tax", "total"),
    "instalment.due.v1": ("code", "due_date"),
    "instalment.dated.v1": ("code", "due_date"),
    "invoice.issued.v1": ("number", "currency", "net", "tax", "total", "issued_on", "payable_by"),
    "receipt.recorded.v1": ("currency", "amount", "received_on"),
    "instalment.paid.v1": ("code", "paid_on"),
    "account.settled.v1": ("settled_on", "currency", "total"),
    "order.closed.v1": ("closed_on",),
}
"""By type of fact, the members of it that are shown."""


def data_for_client(type: str, data: Any) -> dict[str, Any]:
    """Of what a fact says, what the client may read."""
    members = SEEN_BY_CLIENTS.get(type, ())
    return {name: data[name] for name in members if name in data}


def actor_for_client(actor: str) -> str | None:
    """The client's own people are named; who it was inside is not."""
    return actor if actor.startswith("client:") else None


def order_for_client(view: OrderView) -> dict[str, Any]:
    """Of an order with its tasks and its type, what the client may read beside the summary that lists have."""
    fields_shown = view.type.client_visible_fields if view.type else []
    return {
        "version": view.version,
        "stages": view.stages,
        "contact": view.manager["name"] if view.manager else None,
        "lines": view.lines,
        "fields": {name: value for name, value in view.fields.items() if name in fields_shown},
        "terms": view.terms,
        "tasks": [_task_for_client(task) for task in view.tasks if task.client_visible],
        "milestones": view.milestones,
        "deliverables": [_deliverable_for_client(view, each) for each in view.deliverables],
        "instalments": view.instalments,
        "invoices": view.invoices,
        "waiting_on_you": {"sign_off": view.sign_off_possible},
    }


def _task_for_client(task: TaskView) -> dict[str, Any]:
    return {
        "name": task.name,
        "stage": task.stage,
        "status": task.status_for_client,
        "planned_start": task.planned_start,
        "planned_finish": task.planned_finish,
        "finished_at": task.finished_at,
    }


def _deliverable_for_client(view: OrderView, deliverable: dict[str, Any]) -> dict[str, Any]:
    """A version is the client's once the delivery is submitted."""
    return deliverable if view.delivery_submitted_at else deliverable | {"version": None, "reference": None}
