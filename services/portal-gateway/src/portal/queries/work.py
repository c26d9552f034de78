"""What waits for someone of the company."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import and_, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from chassis.paging import Cut
from chassis.principal import Principal
from portal.models import OrderView, TaskView
from portal.models.task_view import OPEN
from portal.queries.orders import AS_LISTED


async def list_approvals(session: AsyncSession, cut: Cut, *, approver: Principal) -> Sequence[OrderView]:
    """The orders whose next step is for a role of `approver`, who did not request them; the oldest first."""
    orders = (
        select(OrderView)
        .where(
            OrderView.status == "submitted",
            OrderView.next_role.in_(approver.roles),
            OrderView.requester != approver.actor,
        )
        .options(*AS_LISTED)
        .order_by(OrderView.order_id)
        .limit(cut.limit + 1)
    )
    if after := cut.after_as(UUID):
        orders = orders.where(OrderView.order_id > after[0])
    return (await session.scalars(orders)).all()


async def list_tasks(session: AsyncSession, cut: Cut, *, owner: Principal, status: str | None) -> Sequence[TaskView]:
    """What `owner` has, or could take from a queue of theirs, each with its order; the most urgent first.

    Without a status, what is not finished.
    """
    theirs = or_(
        TaskView.assignee_id == owner.user_id, and_(TaskView.assignee_id.is_(None), TaskView.queue.in_(owner.roles))
    )
    tasks = (
        select(TaskView)
        .where(theirs, TaskView.status.in_([status] if status else OPEN))
        .options(selectinload(TaskView.order))
        .order_by(TaskView.planned_finish, TaskView.task_id)
        .limit(cut.limit + 1)
    )
    if after := cut.after_as(date.fromisoformat, UUID):
        tasks = tasks.where(tuple_(TaskView.planned_finish, TaskView.task_id) > after)
    return (await session.scalars(tasks)).all()
