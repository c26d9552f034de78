"""Projects: planned when their order is approved, and what becomes of the order after that."""

from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox, roots, timers
from chassis.clock import start_of
from contracts.order import OrderApproved
from contracts.project import Deliverable, Milestone, MilestoneReached, ProjectCancelled, ProjectCreated, Task
from project import models, queries
from project.models import Project, TaskStatus
from project.operations.loading import WITH_MILESTONES, WITH_TASKS

OVERDUE = "task.overdue"


async def plan_project(session: AsyncSession, order: OrderApproved, *, zone: ZoneInfo) -> None:
    """The project of an approved order, with tasks, owners and dates. A second approval changes nothing (rule 21).

    Raises `NotYetKnown` while no template fits the order's type.
    """
    if await roots.lock(session, Project, order.order_id) is not None:
        return
    made_from = await queries.blueprint(session, order.order_type, order.type_version)
    project = Project.plan(
        order,
        made_from.template,
        template_version=made_from.template_version,
        order_type=made_from.order_type,
        calendar=await queries.WORKING_CALENDAR.get(session),
        team=await queries.team(session),
    )
    roots.add(session, project)
    session.add_all([*project.tasks, *project.milestones, *project.deliverables])
    set_overdue_timer(session, project, zone=zone)
    outbox.record(session, _created(project))


async def hold_project(session: AsyncSession, order_id: UUID) -> None:
    project = await roots.lock(session, Project, order_id)
    if project is not None and project.hold():
        await session.flush()  # its timer may have been set in this very batch
        await timers.suspend_timers(session, order_id=order_id, suspended=True)


async def resume_project(session: AsyncSession, order_id: UUID) -> None:
    project = await roots.lock(session, Project, order_id)
    if project is not None and project.resume():
        await timers.suspend_timers(session, order_id=order_id, suspended=False)


async def cancel_project(session: AsyncSession, order_id: UUID) -> None:
    """Open tasks end; what is finished stays. An order cancelled before its approval has no project."""
    project = await roots.lock(session, Project, order_id, WITH_TASKS)
    cancelled = project.cancel() if project is not None else None
    if project is None or cancelled is None:
        return
    await session.flush()  # its timer may have been set in this very batch
    await timers.cancel_timers(session, order_id=order_id)
    told = ProjectCancelled(
        order_id=order_id,
        cancelled_tasks=tuple(task.task_id for task in cancelled),
        finished_tasks=tuple(task.task_id for task in project.tasks if task.status == TaskStatus.FINISHED),
    )
    outbox.record(session, told)
    queries.OPEN_DAYS.drop(session)


async def accept_delivery(session: AsyncSession, order_id: UUID, *, accepted_on: date, event_id: UUID) -> None:
    """The client signed off: that, told by `event_id`, reaches the last milestone."""
    project = await roots.lock(session, Project, order_id, WITH_MILESTONES)
    milestone = project.accept(accepted_on=accepted_on) if project is not None else None
    if milestone is not None:
        reached = MilestoneReached(
            order_id=order_id, milestone_code=milestone.code, reached_on=accepted_on, evidence=(event_id,)
        )
        outbox.record(session, reached)


def set_overdue_timer(session: AsyncSession, project: Project, *, zone: ZoneInfo) -> None:
    """One for the whole project, at the start of the next day on which one of its tasks becomes late."""
    day = project.next_overdue_on
    if day is not None:
        due_at = start_of(day, zone)
        timers.set_timer(session, kind=OVERDUE, order_id=project.order_id, subject=OVERDUE, due_at=due_at)


def _created(project: Project) -> ProjectCreated:
    return ProjectCreated(
        order_id=project.order_id,
        project_id=project.project_id,
        manager=project.manager,
        template=project.template,
        planned_start=project.planned_start,
        planned_finish=project.planned_finish,
        tasks=tuple(_task(task) for task in project.tasks),
        milestones=tuple(Milestone.model_validate(milestone, from_attributes=True) for milestone in project.milestones),
        deliverables=tuple(
            Deliverable(id=each.deliverable_id, code=each.code, name=each.name, required=each.required)
            for each in project.deliverables
        ),
    )


def _task(task: models.Task) -> Task:
    return Task(
        id=task.task_id,
        code=task.code,
        stage=task.stage,
        name=task.name,
        role=task.role,
        assignee=task.assignee,
        queue=task.queue,
        planned_start=task.planned_start,
        planned_finish=task.planned_finish,
        depends_on=task.depends_on,
        client_visible=task.client_visible,
        inspection=task.inspection,
    )
