"""The read model: what the gateway shows of an order, kept up with its facts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import flush, roots
from chassis.delivery import Delivery
from chassis.errors import Undeliverable
from contracts.event import OrderEvent
from contracts.order import OrderPlaced
from contracts.project import (
    ProjectCancelled,
    ProjectCreated,
    TaskBlocked,
    TaskFinished,
    TaskOverdue,
    TaskReassigned,
    TaskStarted,
    TaskUnblocked,
)
from portal.models import OrderView, TaskView, TimelineEntry, effects

TaskEvent = TaskStarted | TaskFinished | TaskBlocked | TaskUnblocked | TaskReassigned | TaskOverdue
TASKS_MADE = "tasks made"
"""In `session.info`, by id: they are not in the database yet, and no query would find them."""


async def put_on_timeline(session: AsyncSession, fact: Delivery, *, now: datetime) -> None:
    """The first thing that happens on every fact. Raises `Undeliverable` for nobody's order."""
    view = await roots.lock(session, OrderView, fact.order_id)
    if view is None:
        view = _first_sight(session, fact, now=now)
    view.updated_at = fact.told_at or now
    flush.write(session, [TimelineEntry.append(view, fact)])


async def show(session: AsyncSession, event: OrderEvent) -> None:
    """Let the view of the order show what `event` tells."""
    effects.apply(event, await _locked(session, event.order_id))


async def show_project(session: AsyncSession, created: ProjectCreated) -> None:
    """The plan, and a row for every task. An order has one project: another changes nothing (rule 21)."""
    view = await _locked(session, created.order_id)
    if view.project_id is not None:
        return
    effects.apply(created, view)
    tasks = [
        TaskView.of(task, order_id=created.order_id, position=position)
        for position, task in enumerate(created.tasks, start=1)
    ]
    session.add_all(tasks)
    session.info.setdefault(TASKS_MADE, {}).update({task.task_id: task for task in tasks})


async def show_task(session: AsyncSession, event: TaskEvent) -> None:
    """How a task stands. One that nobody has heard of changes nothing."""
    task = _made(session).get(event.task_id) or await session.get(TaskView, event.task_id)
    if task is None:
        return
    match event:
        case TaskStarted():
            task.start(event)
        case TaskFinished():
            if task.finish(event.finished_at):
                effects.apply(event, await _locked(session, event.order_id))
        case TaskBlocked():
            task.block()
        case TaskUnblocked():
            task.unblock()
        case TaskReassigned():
            task.reassign(event)
        case TaskOverdue():
            task.overdue_level = max(task.overdue_level, event.level)


async def show_cancelled_project(session: AsyncSession, cancelled: ProjectCancelled) -> None:
    effects.apply(cancelled, await _locked(session, cancelled.order_id))
    known = {task.task_id: task for task in await _tasks_of(session, cancelled.order_id)} | _made(session)
    for task_id in cancelled.cancelled_tasks:
        if task_id in known:
            known[task_id].cancel()


def _first_sight(session: AsyncSession, fact: Delivery, *, now: datetime) -> OrderView:
    if fact.type != OrderPlaced.type:
        raise Undeliverable(f"There is no order {fact.order_id}: {fact.type} stands on no timeline.")
    view = OrderView.of(OrderPlaced.model_validate_json(fact.body), now=fact.told_at or now)
    roots.add(session, view)
    return view


async def _locked(session: AsyncSession, order_id: UUID) -> OrderView:
    """Its fact stands on the timeline already, so it is there."""
    view = await roots.lock(session, OrderView, order_id)
    assert view is not None
    return view


async def _tasks_of(session: AsyncSession, order_id: UUID) -> list[TaskView]:
    return list(await session.scalars(select(TaskView).where(TaskView.order_id == order_id)))


def _made(session: AsyncSession) -> dict[UUID, TaskView]:
    made: dict[UUID, TaskView] = session.info.get(TASKS_MADE, {})
    return made
