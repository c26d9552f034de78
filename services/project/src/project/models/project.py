"""Projects with their milestones and deliverables, with the rules that they keep and the refusals that they raise."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from chassis.errors import Conflict, FieldError, Forbidden, NotFound, pointer
from chassis.ids import new_id
from chassis.principal import Principal
from chassis.roots import Root
from contracts.directory import OrderTypePublished
from contracts.order import OrderApproved
from contracts.project import Person, TemplateRef
from contracts.roles import PROJECT_MANAGER
from project.models.model import Model, project_key
from project.models.task import LEADERS, Inspection, InspectionResult, Task, TaskStatus
from project.schedule import schedule
from project.team import Team
from project.template import ACCEPTED, TemplateBody, TemplateDeliverable
from project.working_calendar import WorkingCalendar


class ProjectNotFound(NotFound): ...


class ProjectIsHeld(Conflict): ...


class ProjectIsCancelled(Conflict): ...


class PredecessorsNotFinished(Conflict): ...


class DeliverableNotFound(NotFound): ...


class NotOfTheProject(Forbidden): ...


class DeliveryNotReady(Conflict):
    """Its errors name everything that is missing."""


class DeliveryAlreadySubmitted(Conflict): ...


class ProjectStatus(StrEnum):
    ACTIVE = "active"
    ON_HOLD = "on_hold"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"


class Project(Root, Model):
    """The work for one order. The row is the root: whoever holds its lock may tell facts about the order.

    There is one for each order, whatever is told twice and whichever template came later (rule 21).
    """

    __tablename__ = "projects"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(unique=True)
    order_no: Mapped[str]
    version: Mapped[int]
    status: Mapped[str]
    manager_id: Mapped[str | None]
    manager_name: Mapped[str | None]
    template_code: Mapped[str]
    template_version: Mapped[int]
    planned_start: Mapped[date]
    planned_finish: Mapped[date]
    delivery_submitted_at: Mapped[datetime | None]

    tasks: Mapped[list[Task]] = relationship(lazy="raise", order_by="Task.position", viewonly=True)
    milestones: Mapped[list["Milestone"]] = relationship(lazy="raise", order_by="Milestone.position", viewonly=True)
    deliverables: Mapped[list["Deliverable"]] = relationship(
        lazy="raise", order_by="Deliverable.position", viewonly=True
    )
    inspections: Mapped[list[Inspection]] = relationship(
        lazy="raise", order_by="Inspection.inspection_id", viewonly=True
    )

    @classmethod
    def plan(
        cls,
        order: OrderApproved,
        template: TemplateBody,
        *,
        template_version: int,
        order_type: OrderTypePublished,
        calendar: WorkingCalendar,
        team: Team,
    ) -> "Project":
        """Every task with dates and an owner, the manager being the least loaded one. The caller adds the parts."""
        spans = schedule(template.tasks, calendar=calendar, not_before=order.approved_on)
        manager = team.least_loaded(PROJECT_MANAGER)
        project = cls(
            order_id=order.order_id,
            project_id=new_id(),
            order_no=order.order_no,
            version=1,
            status=ProjectStatus.ACTIVE,
            manager_id=manager.id if manager else None,
            manager_name=manager.name if manager else None,
            template_code=order_type.code,
            template_version=template_version,
            planned_start=min(span.start for span in spans.values()),
            planned_finish=max(span.finish for span in spans.values()),
            delivery_submitted_at=None,
        )
        ids = {task.code: new_id() for task in template.tasks}
        tasks = []
        for position, task in enumerate(template.tasks):
            owner = _owner(team, manager, role=task.role, skill=task.skill, days=task.duration_days)
            span = spans[task.code]
            tasks.append(Task.plan(task, order_id=order.order_id, position=position, ids=ids, span=span, owner=owner))
        set_committed_value(project, "tasks", tasks)
        set_committed_value(project, "milestones", _milestones(project, template, order_type))
        deliverables = [
            Deliverable.of(each, order_id=order.order_id, position=position)
            for position, each in enumerate(template.deliverables)
        ]
        set_committed_value(project, "deliverables", deliverables)
        return project

    def task(self, task_id: UUID) -> Task:
        return next(task for task in self.tasks if task.task_id == task_id)

    def start(self, task: Task, *, now: datetime) -> None:
        """Raises `ProjectIsHeld`, `PredecessorsNotFinished`, and what `Task.start` raises."""
        self.must_not_be_held("no task is started")
        unfinished = [
            each.code
            for each in self.tasks
            if str(each.task_id) in task.depends_on and each.status != TaskStatus.FINISHED
        ]
        if task.status == TaskStatus.PLANNED and unfinished:
            raise PredecessorsNotFinished(f"Task {task.code} waits for {', '.join(unfinished)}: finish them first.")
        task.start(now=now)

    def inspect(self, task: Task, result: InspectionResult) -> None:
        """Raises `ProjectIsCancelled`, and what `Task.inspect` raises."""
        self.must_not_be_cancelled()
        task.inspect(result)

    def reach_milestones(self, *, today: date) -> list["Milestone"]:
        """Those whose last task is finished, and inspected with success where it is inspected: each reached once."""
        by_id = {str(task.task_id): task for task in self.tasks}
        reached = [each for each in self.milestones if each.is_proven_by(by_id)]
        for milestone in reached:
            milestone.reached_on = today
        return reached

    def accept(self, *, accepted_on: date) -> "Milestone | None":
        """The client signed off: the milestone that this reaches, unless it is too late or was reached before."""
        if self.status == ProjectStatus.CANCELLED:
            return None
        self.status = ProjectStatus.ACCEPTED
        for milestone in self.milestones:
            if milestone.code == ACCEPTED and milestone.reached_on is None:
                milestone.reached_on = accepted_on
                return milestone
        return None

    def hold(self) -> bool:
        """Whether that changed anything: a fact that comes too late does not."""
        is_active = self.status == ProjectStatus.ACTIVE
        if is_active:
            self.status = ProjectStatus.ON_HOLD
            self.version += 1
        return is_active

    def resume(self) -> bool:
        """As `hold`."""
        is_held = self.status == ProjectStatus.ON_HOLD
        if is_held:
            self.status = ProjectStatus.ACTIVE
            self.version += 1
        return is_held

    def cancel(self) -> list[Task] | None:
        """The tasks that were open, now cancelled; None when it is too late for that."""
        if self.status in (ProjectStatus.CANCELLED, ProjectStatus.ACCEPTED):
            return None
        self.status = ProjectStatus.CANCELLED
        return [task for task in self.tasks if task.cancel()]

    def submit_deliverable(self, deliverable_id: UUID, reference: str, *, by: Principal) -> "Deliverable":
        """The next version of it. Raises `NotOfTheProject`, `ProjectIsCancelled`, `DeliveryAlreadySubmitted`."""
        self._must_involve(by)
        self.must_not_be_cancelled()
        self._must_not_be_submitted()
        deliverable = next(each for each in self.deliverables if each.deliverable_id == deliverable_id)
        deliverable.version += 1
        deliverable.reference = reference
        return deliverable

    def submit_delivery(self, *, now: datetime) -> None:
        """Ask the client to sign off, once.

        Raises `ProjectIsCancelled`, `ProjectIsHeld`, `DeliveryAlreadySubmitted`, `DeliveryNotReady`.
        """
        self.must_not_be_cancelled()
        self.must_not_be_held("nothing is handed over")
        self._must_not_be_submitted()
        if missing := [*self._missing_work(), *self._missing_deliverables()]:
            named = "; ".join(f"{each.field.rsplit('/')[-1]}: {each.reason}" for each in missing)
            raise DeliveryNotReady(f"The delivery of {self.order_no} is not ready: {named}.", errors=missing)
        self.delivery_submitted_at = now

    def must_not_be_held(self, so: str) -> None:
        if self.status == ProjectStatus.ON_HOLD:
            raise ProjectIsHeld(f"Order {self.order_no} is on hold: {so} until it is resumed.")

    def must_not_be_cancelled(self) -> None:
        if self.status == ProjectStatus.CANCELLED:
            raise ProjectIsCancelled(f"Order {self.order_no} is cancelled: its work ends as it is.")

    def _must_not_be_submitted(self) -> None:
        if self.delivery_submitted_at is not None:
            raise DeliveryAlreadySubmitted(f"The delivery of {self.order_no} is submitted: what it holds is frozen.")

    def _must_involve(self, person: Principal) -> None:
        roles = {task.role for task in self.tasks} | set(LEADERS)
        if person.roles.isdisjoint(roles) and person.user_id not in {task.assignee_id for task in self.tasks}:
            raise NotOfTheProject(f"Ask someone who works on order {self.order_no}.")

    def _missing_work(self) -> list[FieldError]:
        return [
            FieldError(pointer(("tasks", task.code)), reason)
            for task in self.tasks
            for reason in task.missing_for_delivery()
        ]

    def _missing_deliverables(self) -> list[FieldError]:
        return [
            FieldError(pointer(("deliverables", each.code)), "submit it")
            for each in self.deliverables
            if each.required and each.version == 0
        ]

    @property
    def next_overdue_on(self) -> date | None:
        """The first day on which a task becomes late, or later than was told; None when none can."""
        return min((day for task in self.tasks if (day := task.next_overdue_on)), default=None)

    @property
    def manager(self) -> Person | None:
        if self.manager_id is None or self.manager_name is None:
            return None
        return Person(id=self.manager_id, name=self.manager_name)

    @property
    def template(self) -> TemplateRef:
        return TemplateRef(code=self.template_code, version=self.template_version)


class Milestone(Model):
    """Something that everyone waits for, and that is reached once."""

    __tablename__ = "milestones"

    order_id: Mapped[UUID] = mapped_column(project_key(), primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    name: Mapped[dict[str, str]]
    task_ids: Mapped[list[Any]]
    """As text. None of them: the client reaches it."""
    planned_on: Mapped[date]
    reached_on: Mapped[date | None]

    def is_proven_by(self, tasks: Mapping[str, Task]) -> bool:
        """Whether it is reached just now: by its tasks alone, and not before."""
        return self.reached_on is None and bool(self.task_ids) and all(tasks[each].is_done for each in self.task_ids)


class Deliverable(Model):
    """What the client gets."""

    __tablename__ = "deliverables"

    deliverable_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(project_key())
    position: Mapped[int]
    code: Mapped[str]
    name: Mapped[dict[str, str]]
    required: Mapped[bool]
    version: Mapped[int]
    """Counts the submissions; 0: none yet."""
    reference: Mapped[str | None]
    """Where the newest version is."""

    __table_args__ = (UniqueConstraint("order_id", "code"),)

    @classmethod
    def of(cls, template: TemplateDeliverable, *, order_id: UUID, position: int) -> "Deliverable":
        return cls(
            deliverable_id=new_id(),
            order_id=order_id,
            position=position,
            code=template.code,
            name=template.name.model_dump(),
            required=template.required,
            version=0,
            reference=None,
        )


def _owner(team: Team, manager: Person | None, *, role: str, skill: str | None, days: int) -> Person | None:
    """What is a project manager's is for the one who manages this project."""
    if role != PROJECT_MANAGER or manager is None:
        return team.give(role=role, skill=skill, days=days)
    team.load(manager, days)
    return manager


def _milestones(project: Project, template: TemplateBody, order_type: OrderTypePublished) -> Sequence[Milestone]:
    """In the order of the type. One without tasks is planned for the project's last day."""
    tasks = {task.code: task for task in project.tasks}
    codes_of = {milestone.code: milestone.tasks for milestone in template.milestones}
    return [
        Milestone(
            order_id=project.order_id,
            code=each.code,
            position=position,
            name=each.name.model_dump(),
            task_ids=[str(tasks[code].task_id) for code in codes_of[each.code]],
            planned_on=max(
                (tasks[code].planned_finish for code in codes_of[each.code]), default=project.planned_finish
            ),
            reached_on=None,
        )
        for position, each in enumerate(order_type.milestones)
    ]
