"""Facts told by the project service."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.event import Actor, Body, Labels, OrderEvent
from contracts.money import Exact


class Person(Body):
    """A user, with the name that a page shows."""

    id: str
    name: str


class TemplateRef(Body):
    """The project template that all of it was made from."""

    code: str
    version: int


class Task(Body):
    """Planned dates are working days, both inclusive. Exactly one of `assignee` and `queue` is there."""

    id: UUID
    code: str
    stage: str
    name: Labels
    role: str
    """What its owner must be."""
    assignee: Person | None = None
    queue: str | None = None
    """The role whose holders see it, when nobody could be found."""
    planned_start: date
    planned_finish: date
    depends_on: tuple[UUID, ...]
    """Tasks of the same project that finish first."""
    client_visible: bool
    inspection: bool = False
    """Its stage also waits until the latest inspection of it passed."""


class Milestone(Body):
    """One of the milestones that the order's type has."""

    code: str
    name: Labels
    planned_on: date


class Deliverable(Body):
    """What the client will get; a required one must be in before the delivery is submitted."""

    id: UUID
    code: str
    name: Labels
    required: bool


class SubmittedDeliverable(Body):
    """The version of a deliverable that the client is asked to accept."""

    id: UUID
    code: str
    version: int


class ProjectCreated(OrderEvent):
    """An approved order became a project: every task has an owner and dates."""

    type: ClassVar[str] = "project.created.v1"
    teller: ClassVar[str] = "project"

    project_id: UUID
    manager: Person | None = None
    template: TemplateRef
    planned_start: date
    planned_finish: date
    tasks: tuple[Task, ...]
    milestones: tuple[Milestone, ...]
    deliverables: tuple[Deliverable, ...]


class TaskStarted(OrderEvent):
    """Someone began to work on a task."""

    type: ClassVar[str] = "task.started.v1"
    teller: ClassVar[str] = "project"

    task_id: UUID
    by: Actor
    started_at: datetime


class TaskFinished(OrderEvent):
    """A task is done. The last of its stage lets the order go on."""

    type: ClassVar[str] = "task.finished.v1"
    teller: ClassVar[str] = "project"

    task_id: UUID
    stage: str
    by: Actor
    finished_at: datetime


class TaskBlocked(OrderEvent):
    """Someone cannot go on; the manager is told why."""

    type: ClassVar[str] = "task.blocked.v1"
    teller: ClassVar[str] = "project"

    task_id: UUID
    by: Actor
    reason: str


class TaskUnblocked(OrderEvent):
    """What stood in the way of a task is gone."""

    type: ClassVar[str] = "task.unblocked.v1"
    teller: ClassVar[str] = "project"

    task_id: UUID
    by: Actor
    reason: str | None = None


class TaskReassigned(OrderEvent):
    """A task has another owner. `from` is empty when it waited in a queue."""

    type: ClassVar[str] = "task.reassigned.v1"
    teller: ClassVar[str] = "project"

    task_id: UUID
    from_person: Person | None = Field(default=None, alias="from")
    to_person: Person = Field(alias="to")
    reason: str


class TaskOverdue(OrderEvent):
    """A task is not finished after its planned finish. Told once per level."""

    type: ClassVar[str] = "task.overdue.v1"
    teller: ClassVar[str] = "project"

    task_id: UUID
    level: int
    """From 1: each next one tells someone higher up."""
    planned_finish: date


class TimeLogged(OrderEvent):
    """A person worked on a task: one entry, never edited."""

    type: ClassVar[str] = "time.logged.v1"
    teller: ClassVar[str] = "project"

    entry_id: UUID
    task_id: UUID
    person_id: str
    work_date: date
    hours: Exact
    """Above 0, at most 24."""


class InspectionRecorded(OrderEvent):
    """The latest inspection of a task counts."""

    type: ClassVar[str] = "inspection.recorded.v1"
    teller: ClassVar[str] = "project"

    inspection_id: UUID
    task_id: UUID
    result: Literal["passed", "failed"]
    by: Actor
    note: str | None = None


class DeliverableSubmitted(OrderEvent):
    """A version of a deliverable is there; the client has not been asked to accept it yet."""

    type: ClassVar[str] = "deliverable.submitted.v1"
    teller: ClassVar[str] = "project"

    deliverable_id: UUID
    code: str
    name: Labels
    version: int
    reference: str
    """Where it is: an address, a document number."""


class MilestoneReached(OrderEvent):
    """Its last task is finished; `accepted` is reached when the client signs off."""

    type: ClassVar[str] = "milestone.reached.v1"
    teller: ClassVar[str] = "project"

    milestone_code: str
    reached_on: date
    evidence: tuple[UUID, ...]
    """The events that prove it."""


class DeliverySubmitted(OrderEvent):
    """Everything is done and handed over: the client is asked to sign off."""

    type: ClassVar[str] = "delivery.submitted.v1"
    teller: ClassVar[str] = "project"

    deliverables: tuple[SubmittedDeliverable, ...]
    submitted_at: datetime


class ProjectCancelled(OrderEvent):
    """The order was cancelled, and with it every task that was not finished."""

    type: ClassVar[str] = "project.cancelled.v1"
    teller: ClassVar[str] = "project"

    cancelled_tasks: tuple[UUID, ...]
    finished_tasks: tuple[UUID, ...]


HOURS_MAX = Decimal(24)
"""Of one time entry."""
