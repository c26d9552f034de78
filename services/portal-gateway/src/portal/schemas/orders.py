"""Orders as they are shown: to clients what is theirs, to the company everything."""

import datetime as dt
from typing import Any
from uuid import UUID

from contracts.event import Labels
from contracts.money import Exact
from contracts.project import Person
from portal import disclosure
from portal.models import OrderView, TimelineEntry
from portal.schemas import Out


class StageOut(Out):
    code: str
    name: Labels | None
    """None until the order's type is known here."""
    state: str
    """done, now, next; held or skipped where the order stopped."""


class LineOut(Out):
    item: str
    description: str
    quantity: Exact
    unit: str
    unit_price: Exact
    discount: Exact
    tax_rate: Exact
    net: Exact
    tax: Exact


class MilestoneOut(Out):
    code: str
    name: Labels
    planned_on: dt.date
    reached_on: dt.date | None


class DeliverableOut(Out):
    code: str
    name: Labels
    required: bool
    version: int | None
    reference: str | None


class InstalmentOut(Out):
    id: UUID
    code: str
    percent: Exact
    net: Exact
    tax: Exact
    amount: Exact
    rule: str
    due_date: dt.date | None
    status: str
    paid_on: dt.date | None


class InvoiceOut(Out):
    invoice_id: UUID
    number: str
    instalment_ids: list[UUID]
    currency: str
    net: Exact
    tax: Exact
    total: Exact
    paid: Exact
    issued_on: dt.date
    payable_by: dt.date


class ReceiptOut(Out):
    receipt_id: UUID
    currency: str
    amount: Exact
    received_on: dt.date
    unallocated: Exact


class OrderSummaryOut(Out):
    order_id: UUID
    order_no: str
    external_id: str | None
    title: str
    client_code: str
    client_name: str
    order_type: str
    status: str
    stage: str
    stage_name: Labels | None
    requested_date: dt.date | None
    placed_at: dt.datetime
    updated_at: dt.datetime
    currency: str
    net: Exact
    tax: Exact
    total: Exact
    approved_on: dt.date | None
    planned_start: dt.date | None
    planned_finish: dt.date | None
    accepted_on: dt.date | None
    closed_on: dt.date | None
    sign_off_possible: bool


class WorkSummaryOut(OrderSummaryOut):
    client_id: UUID
    requester: str
    priority: int
    next_role: str | None
    waiting_for: list[str]
    """Named facts that the present stage still waits for."""
    manager: Person | None
    tasks_total: int
    tasks_finished: int


class ClientTaskOut(Out):
    """A task that its template shows to the client, without who does it."""

    name: Labels
    stage: str
    status: str
    planned_start: dt.date
    planned_finish: dt.date
    finished_at: dt.datetime | None


class TaskOut(Out):
    task_id: UUID
    code: str
    stage: str
    name: Labels
    role: str
    assignee_id: str | None
    assignee_name: str | None
    queue: str | None
    status: str
    planned_start: dt.date
    planned_finish: dt.date
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    overdue_level: int
    client_visible: bool
    depends_on: list[UUID]


class OrderOfTaskOut(Out):
    order_no: str
    title: str
    client_name: str
    status: str


class MyTaskOut(TaskOut):
    order_id: UUID
    order: OrderOfTaskOut


class WaitingOnYouOut(Out):
    sign_off: bool
    """The delivery is submitted: the client is asked to accept it."""


class PortalOrderOut(OrderSummaryOut):
    """What a client may know of their order."""

    version: int
    stages: list[StageOut]
    contact: str | None
    """Who looks after the order."""
    lines: list[LineOut]
    fields: dict[str, Any]
    terms: list[dict[str, Any]]
    tasks: list[ClientTaskOut]
    milestones: list[MilestoneOut]
    deliverables: list[DeliverableOut]
    instalments: list[InstalmentOut]
    invoices: list[InvoiceOut]
    waiting_on_you: WaitingOnYouOut

    @classmethod
    def of(cls, view: OrderView) -> "PortalOrderOut":
        summary = OrderSummaryOut.model_validate(view)
        return cls.model_validate(summary.model_dump() | disclosure.order_for_client(view))


class WorkOrderOut(WorkSummaryOut):
    version: int
    revision: int
    source: str | None
    type_version: int
    stages: list[StageOut]
    lines: list[LineOut]
    fields: dict[str, Any]
    terms: list[dict[str, Any]]
    approval_steps: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    project_id: UUID | None
    tasks: list[TaskOut]
    milestones: list[MilestoneOut]
    deliverables: list[DeliverableOut]
    delivery_submitted_at: dt.datetime | None
    accepted_by: str | None
    account_id: UUID | None
    instalments: list[InstalmentOut]
    invoices: list[InvoiceOut]
    receipts: list[ReceiptOut]
    settled_on: dt.date | None


class ClientTimelineEntryOut(Out):
    position: int
    event_id: UUID
    type: str
    time: str
    actor: str | None
    """Named when it was one of the client's own people."""
    data: dict[str, Any]

    @classmethod
    def of(cls, entry: TimelineEntry) -> "ClientTimelineEntryOut":
        return cls(
            position=entry.position,
            event_id=entry.event_id,
            type=entry.type,
            time=entry.time,
            actor=disclosure.actor_for_client(entry.actor),
            data=disclosure.data_for_client(entry.type, entry.data),
        )


class TimelineEntryOut(Out):
    position: int
    event_id: UUID
    type: str
    source: str
    time: str
    actor: str
    causation_id: str
    data: Any


class BoardStageOut(Out):
    order_type: str
    code: str
    name: Labels
    count: int
    newest: list[WorkSummaryOut]
