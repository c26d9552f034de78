"""HTTP bodies."""

import datetime as dt
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.event import Labels
from contracts.money import Exact
from contracts.order_body import Incoming
from contracts.project import HOURS_MAX, Person, TemplateRef
from contracts.strict import Code, Currency, Day, Number, Prose, Text
from project.template import TemplateBody


class ReasonIn(Incoming):
    reason: Prose


class OptionalReasonIn(Incoming):
    reason: Prose | None = None


class ReassignmentIn(Incoming):
    person_id: Code
    reason: Prose


class TimeEntryIn(Incoming):
    work_date: Day
    hours: Annotated[Number, Field(gt=0, le=HOURS_MAX)]
    note: Prose | None = None


class InspectionIn(Incoming):
    result: Literal["passed", "failed"]
    note: Prose | None = None


class SubmissionIn(Incoming):
    reference: Prose
    """Where it is: an address, a document number."""


class CalendarDayIn(Incoming):
    date: Day
    is_working: bool
    name: Text


class PersonIn(Incoming):
    skills: Annotated[list[Code], Field(max_length=50)]
    cost_per_hour: Number
    currency: Currency


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class TaskOut(Out):
    id: Annotated[UUID, Field(validation_alias="task_id")]
    code: str
    stage: str
    name: Labels
    role: str
    assignee: Person | None
    queue: str | None
    status: str
    depends_on: list[UUID]
    planned_start: dt.date
    planned_finish: dt.date
    client_visible: bool
    inspection: bool
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    blocked_reason: str | None


class ListedTaskOut(TaskOut):
    order_id: UUID
    order_no: str


class MilestoneOut(Out):
    code: str
    name: Labels
    planned_on: dt.date
    reached_on: dt.date | None


class DeliverableOut(Out):
    id: Annotated[UUID, Field(validation_alias="deliverable_id")]
    code: str
    name: Labels
    required: bool
    version: int
    """Counts the submissions; 0: none yet."""
    reference: str | None


class InspectionOut(Out):
    id: Annotated[UUID, Field(validation_alias="inspection_id")]
    task_id: UUID
    result: str
    by: str
    note: str | None
    recorded_at: dt.datetime


class ProjectOut(Out):
    project_id: UUID
    order_id: UUID
    order_no: str
    version: int
    status: str
    """active, on_hold, accepted or cancelled."""
    manager: Person | None
    template: TemplateRef
    planned_start: dt.date
    planned_finish: dt.date
    delivery_submitted_at: dt.datetime | None
    tasks: list[TaskOut]
    milestones: list[MilestoneOut]
    deliverables: list[DeliverableOut]
    inspections: list[InspectionOut]


class TemplateOut(Out):
    code: str
    version: int
    body: TemplateBody
    published_at: dt.datetime


class CalendarDayOut(Out):
    date: Annotated[dt.date, Field(validation_alias="day")]
    is_working: bool
    name: str


class PersonOut(Out):
    user_id: str
    name: str
    roles: list[str]
    is_active: bool
    skills: list[str]
    cost_per_hour: Exact | None
    currency: str | None
