"""Work on tasks: starting, finishing, blocking, reassigning, and telling who is late."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox, timers
from chassis.clock import business_date
from chassis.principal import Principal
from chassis.versions import Expected
from contracts.project import (
    Person,
    TaskBlocked,
    TaskFinished,
    TaskOverdue,
    TaskReassigned,
    TaskStarted,
    TaskUnblocked,
)
from project import queries
from project.models import Task
from project.operations.loading import WITH_MILESTONES, WITH_TASKS, locked, locked_task
from project.operations.milestones import reach_milestones
from project.operations.projects import set_overdue_timer


async def start_task(session: AsyncSession, *, task_id: UUID, by: Principal, expected: Expected, now: datetime) -> Task:
    """Begin to work on it; who starts a task of a queue takes it over.

    Raises `TaskNotYours`, `TaskNotPlanned`, `PredecessorsNotFinished`, `ProjectIsHeld`, a stale version.
    """
    project, task = await locked_task(session, task_id, expected=expected)
    task.must_be_owned_by(by)
    project.start(task, now=now)
    if task.queue is not None:
        _give(session, task, await queries.person_ref(session, by.user_id), reason=f"Taken from the {task.queue} queue")
    started = TaskStarted(order_id=task.order_id, task_id=task_id, by=by.actor, started_at=now)
    outbox.record(session, started)
    return task


async def finish_task(
    session: AsyncSession, *, task_id: UUID, by: Principal, expected: Expected, zone: ZoneInfo, now: datetime
) -> Task:
    """Done, also while the order is held. Raises `TaskNotYours`, `TaskNotStarted`, a stale version."""
    project, task = await locked_task(session, task_id, WITH_MILESTONES, expected=expected)
    task.must_be_owned_by(by)
    task.finish(now=now)
    finished = TaskFinished(order_id=task.order_id, task_id=task_id, stage=task.stage, by=by.actor, finished_at=now)
    task.finished_event = outbox.record(session, finished)
    reach_milestones(session, project, today=business_date(now, zone))
    if project.next_overdue_on is None:
        await timers.cancel_timers(session, order_id=task.order_id)
    queries.OPEN_DAYS.drop(session)
    return task


async def block_task(session: AsyncSession, *, task_id: UUID, by: Principal, reason: str, expected: Expected) -> Task:
    """Say why nobody can go on. Raises `TaskNotYours`, `TaskNotOpen`, a stale version."""
    _, task = await locked_task(session, task_id, expected=expected)
    task.must_be_owned_by(by)
    task.block(reason)
    outbox.record(session, TaskBlocked(order_id=task.order_id, task_id=task_id, by=by.actor, reason=reason))
    return task


async def unblock_task(
    session: AsyncSession, *, task_id: UUID, by: Principal, reason: str | None, expected: Expected
) -> Task:
    """Back to what it was. Raises `TaskNotYours`, `TaskNotBlocked`, a stale version."""
    _, task = await locked_task(session, task_id, expected=expected)
    task.must_be_owned_by(by)
    task.unblock()
    outbox.record(session, TaskUnblocked(order_id=task.order_id, task_id=task_id, by=by.actor, reason=reason))
    return task


async def reassign_task(
    session: AsyncSession, *, task_id: UUID, person_id: str, reason: str, expected: Expected
) -> Task:
    """Give it to someone who holds its role.

    Raises `PersonNotFound`, `PersonNotActive`, `PersonLacksRole`, `TaskNotOpen`, a stale version.
    """
    _, task = await locked_task(session, task_id, expected=expected)
    person = await queries.get_person(session, person_id)
    person.must_be_able(task.role)
    _give(session, task, person.ref, reason=reason)
    return task


async def tell_overdue(session: AsyncSession, *, order_id: UUID, zone: ZoneInfo, now: datetime) -> None:
    """Tell of each open task the highest level that it has reached, once; then wait for the next one."""
    project = await locked(session, order_id, WITH_TASKS)
    for task in project.tasks:
        level = task.become_overdue(business_date(now, zone))
        if level is not None:
            overdue = TaskOverdue(
                order_id=order_id, task_id=task.task_id, level=level, planned_finish=task.planned_finish
            )
            outbox.record(session, overdue)
    set_overdue_timer(session, project, zone=zone)


def _give(session: AsyncSession, task: Task, person: Person, *, reason: str) -> None:
    before = task.give_to(person)
    reassigned = TaskReassigned(
        order_id=task.order_id, task_id=task.task_id, from_person=before, to_person=person, reason=reason
    )
    outbox.record(session, reassigned)
    queries.OPEN_DAYS.drop(session)
