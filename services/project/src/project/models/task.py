"""Tasks, with the rules that they keep and the refusals that they raise; what people note on them."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.errors import Conflict, Forbidden, Invalid, NotFound
from chassis.ids import new_id
from chassis.principal import Principal
from contracts.project import Person
from contracts.roles import ADMINISTRATOR, PROJECT_MANAGER
from project.models.model import Model, project_key
from project.schedule import Span
from project.template import TemplateTask

if TYPE_CHECKING:
    from project.models.project import Project


class TaskNotFound(NotFound): ...


class TaskNotYours(Forbidden): ...


class TaskNotPlanned(Conflict): ...


class TaskNotStarted(Conflict): ...


class TaskNotOpen(Conflict): ...


class TaskNotBlocked(Conflict): ...


class TaskNotInspected(Conflict):
    """The template does not mark it for inspection."""


class WorkDateInFuture(Invalid): ...


class TaskStatus(StrEnum):
    PLANNED = "planned"
    STARTED = "started"
    BLOCKED = "blocked"
    FINISHED = "finished"
    CANCELLED = "cancelled"


OPEN = (TaskStatus.PLANNED, TaskStatus.STARTED, TaskStatus.BLOCKED)
LEADERS = (PROJECT_MANAGER, ADMINISTRATOR)
"""They may do on a task what its owner may."""
OVERDUE_DAYS = (1, 4, 8)
"""Days after the planned finish on which levels 1, 2 and 3 begin."""

InspectionResult = Literal["passed", "failed"]


class Task(Model):
    """A piece of work. It has exactly one owner: an assignee, or the queue of those who hold its role (rule 32)."""

    __tablename__ = "tasks"

    task_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(project_key())
    position: Mapped[int]
    """In the template."""
    code: Mapped[str]
    stage: Mapped[str]
    name: Mapped[dict[str, str]]
    role: Mapped[str]
    duration_days: Mapped[int]
    depends_on: Mapped[list[Any]]
    """Ids, as text."""
    client_visible: Mapped[bool]
    inspection: Mapped[bool]
    planned_start: Mapped[date]
    planned_finish: Mapped[date]
    status: Mapped[str]
    assignee_id: Mapped[str | None]
    assignee_name: Mapped[str | None]
    queue: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    finished_event: Mapped[UUID | None]
    blocked_reason: Mapped[str | None]
    inspection_result: Mapped[str | None]
    """Of the latest one, told by `inspection_event`."""
    inspection_event: Mapped[UUID | None]
    overdue_level: Mapped[int]
    """The highest that was told; 0: none."""

    project: Mapped["Project"] = relationship(lazy="raise_on_sql", viewonly=True)

    __table_args__ = (
        UniqueConstraint("order_id", "code"),
        Index("tasks_status_assignee_id_ix", "status", "assignee_id", "planned_finish", "task_id"),
        Index("tasks_queue_ix", "queue", postgresql_where=text("queue IS NOT NULL")),
    )

    @classmethod
    def plan(
        cls,
        template: TemplateTask,
        *,
        order_id: UUID,
        position: int,
        ids: Mapping[str, UUID],
        span: Span,
        owner: Person | None,
    ) -> "Task":
        """`ids` are those of all tasks of the project, by code. Without an owner it waits in its role's queue."""
        return cls(
            task_id=ids[template.code],
            order_id=order_id,
            position=position,
            code=template.code,
            stage=template.stage,
            name=template.name.model_dump(),
            role=template.role,
            duration_days=template.duration_days,
            depends_on=[str(ids[code]) for code in template.depends_on],
            client_visible=template.client_visible,
            inspection=template.inspection,
            planned_start=span.start,
            planned_finish=span.finish,
            status=TaskStatus.PLANNED,
            assignee_id=owner.id if owner else None,
            assignee_name=owner.name if owner else None,
            queue=None if owner else template.role,
            started_at=None,
            finished_at=None,
            finished_event=None,
            blocked_reason=None,
            inspection_result=None,
            inspection_event=None,
            overdue_level=0,
        )

    def must_be_owned_by(self, person: Principal) -> None:
        """By its assignee, a holder of its queue's role, or a leader. Raises `TaskNotYours`."""
        is_own = person.user_id == self.assignee_id or self.queue in person.roles
        if not is_own and person.roles.isdisjoint(LEADERS):
            owner = self.assignee_name or f"a {self.queue}"
            raise TaskNotYours(f"Task {self.code} is for {owner}: ask them, or have it reassigned.")

    def must_be_known_to(self, person: Principal) -> None:
        """To its assignee, a holder of its role, or a leader. Raises `TaskNotYours`."""
        if person.user_id != self.assignee_id and person.roles.isdisjoint((self.role, *LEADERS)):
            raise TaskNotYours(f"Task {self.code} is for a {self.role}: ask one of them.")

    def start(self, *, now: datetime) -> None:
        """Raises `TaskNotPlanned`. What else stands in the way of a start is its project's to know."""
        if self.status != TaskStatus.PLANNED:
            raise TaskNotPlanned(f"Task {self.code} is {self.status}: only a planned one can be started.")
        self.status, self.started_at = TaskStatus.STARTED, now

    def finish(self, *, now: datetime) -> None:
        """Raises `TaskNotStarted`."""
        if self.status != TaskStatus.STARTED:
            raise TaskNotStarted(f"Task {self.code} is {self.status}: only a started one can be finished.")
        self.status, self.finished_at = TaskStatus.FINISHED, now

    def block(self, reason: str) -> None:
        """Raises `TaskNotOpen`."""
        if self.status not in (TaskStatus.PLANNED, TaskStatus.STARTED):
            raise TaskNotOpen(f"Task {self.code} is {self.status}: only a planned or started one can be blocked.")
        self.status, self.blocked_reason = TaskStatus.BLOCKED, reason

    def unblock(self) -> None:
        """Back to what it was. Raises `TaskNotBlocked`."""
        if self.status != TaskStatus.BLOCKED:
            raise TaskNotBlocked(f"Task {self.code} is {self.status}: only a blocked one can be unblocked.")
        self.status = TaskStatus.STARTED if self.started_at else TaskStatus.PLANNED
        self.blocked_reason = None

    def give_to(self, person: Person) -> Person | None:
        """Make `person` its owner; return who owned it before, if anyone. Raises `TaskNotOpen`."""
        if not self.is_open:
            raise TaskNotOpen(f"Task {self.code} is {self.status}: only an open one can be reassigned.")
        before = self.assignee
        self.assignee_id, self.assignee_name, self.queue = person.id, person.name, None
        return before

    def inspect(self, result: InspectionResult) -> None:
        """The latest result counts. Raises `TaskNotInspected`, `TaskNotStarted`."""
        if not self.inspection:
            raise TaskNotInspected(f"Task {self.code} is not inspected: record it on the one that is.")
        if self.status not in (TaskStatus.STARTED, TaskStatus.FINISHED):
            raise TaskNotStarted(f"Task {self.code} is {self.status}: inspect it once it is started.")
        self.inspection_result = result

    def must_be_worked_on(self, work_date: date, *, today: date) -> None:
        """Raises `TaskNotStarted`, `WorkDateInFuture`."""
        if self.started_at is None:
            raise TaskNotStarted(f"Task {self.code} is {self.status}: log time once it is started.")
        if work_date > today:
            raise WorkDateInFuture(f"{work_date} has not come yet: log time when the work is done.")

    def cancel(self) -> bool:
        """Whether it was open."""
        was_open = self.is_open
        if was_open:
            self.status, self.blocked_reason = TaskStatus.CANCELLED, None
        return was_open

    def become_overdue(self, today: date) -> int | None:
        """The level that it has reached by `today`, if it is open and that is a new one."""
        late_days = (today - self.planned_finish).days
        level = sum(late_days >= days for days in OVERDUE_DAYS)
        if not self.is_open or level <= self.overdue_level:
            return None
        self.overdue_level = level
        return level

    @property
    def next_overdue_on(self) -> date | None:
        """The day on which the level after the one told begins; None when it cannot be late any more."""
        if not self.is_open or self.overdue_level == len(OVERDUE_DAYS):
            return None
        return self.planned_finish + timedelta(days=OVERDUE_DAYS[self.overdue_level])

    def missing_for_delivery(self) -> list[str]:
        """What has to be done about it first, in a few words each."""
        missing = []
        if self.status != TaskStatus.FINISHED:
            missing.append(f"finish it, it is {self.status}")
        if self.inspection and self.inspection_result != "passed":
            missing.append(f"let its inspection pass, {self.inspection_result or 'none'} is recorded")
        return missing

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_done(self) -> bool:
        """Finished and, where it is inspected, good."""
        return self.status == TaskStatus.FINISHED and not (self.inspection and self.inspection_result != "passed")

    @property
    def evidence(self) -> tuple[UUID, ...]:
        """The facts that show it done."""
        return tuple(event for event in (self.finished_event, self.inspection_event) if event)

    @property
    def order_no(self) -> str:
        return self.project.order_no

    @property
    def assignee(self) -> Person | None:
        if self.assignee_id is None or self.assignee_name is None:
            return None
        return Person(id=self.assignee_id, name=self.assignee_name)


class Inspection(Model):
    """What someone found when they inspected a task."""

    __tablename__ = "inspections"

    inspection_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(project_key(), index=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey(Task.task_id))
    result: Mapped[str]
    by: Mapped[str]
    note: Mapped[str | None]
    recorded_at: Mapped[datetime]

    @classmethod
    def of(cls, task: Task, result: InspectionResult, *, by: str, note: str | None, now: datetime) -> "Inspection":
        return cls(
            inspection_id=new_id(),
            order_id=task.order_id,
            task_id=task.task_id,
            result=result,
            by=by,
            note=note,
            recorded_at=now,
        )


class TimeEntry(Model):
    """Hours that a person worked on a task on one day. Never edited."""

    __tablename__ = "time_entries"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey(Task.task_id), index=True)
    person_id: Mapped[str]
    work_date: Mapped[date]
    hours: Mapped[Decimal]
    note: Mapped[str | None]
    logged_at: Mapped[datetime]
