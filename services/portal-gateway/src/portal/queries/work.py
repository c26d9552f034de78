"""What waits for someone of the company."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ARRAY, Text, and_, bindparam, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.interfaces import ORMOption

from chassis.paging import Cut
from chassis.principal import Principal
from portal.models import OrderView, TaskView
from portal.models.task_view import OPEN
from portal.queries.orders import AS_LISTED, is_late, with_types

APPROVALS_COUNTED_MAX = 100


TO_APPROVE = (
    OrderView.status == "submitted",
    OrderView.next_role == func.any(bindparam("roles", type_=ARRAY(Text))),
    OrderView.requester != bindparam("actor"),
)
"""The next step is for a role of the approver, who did not request the order."""
COUNTED_APPROVALS = select(func.count()).select_from(
    select(OrderView.order_id).where(*TO_APPROVE).limit(APPROVALS_COUNTED_MAX).subquery()
)
"""Every page asks it: built once."""


WITH_ORDER = joinedload(TaskView.order, innerjoin=True).load_only(
    OrderView.order_no, OrderView.title, OrderView.client_name, OrderView.status, OrderView.inspections, raiseload=True
)
"""Of a task: what is said of its order."""


def _as_approver(principal: Principal) -> dict[str, object]:
    return {"roles": sorted(principal.roles), "actor": principal.actor}


async def count_approvals(session: AsyncSession, *, approver: Principal) -> int:
    """Up to a hundred: who has more has many."""
    return (await session.execute(COUNTED_APPROVALS, _as_approver(approver))).scalar_one()


async def list_approvals(
    session: AsyncSession, cut: Cut, *, approver: Principal, options: Sequence[ORMOption] = AS_LISTED
) -> Sequence[OrderView]:
    """What `approver` may decide now, the oldest first."""
    orders = select(OrderView).where(*TO_APPROVE).options(*options).order_by(OrderView.order_id).limit(cut.limit + 1)
    if after := cut.after_as(UUID):
        orders = orders.where(OrderView.order_id > after[0])
    return await with_types(session, (await session.scalars(orders, _as_approver(approver))).all())


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
        .options(WITH_ORDER)
        .order_by(TaskView.planned_finish, TaskView.task_id)
        .limit(cut.limit + 1)
    )
    if after := cut.after_as(date.fromisoformat, UUID):
        tasks = tasks.where(tuple_(TaskView.planned_finish, TaskView.task_id) > after)
    return (await session.scalars(tasks)).all()


async def list_late(session: AsyncSession, cut: Cut, *, today: date) -> Sequence[OrderView]:
    """What is under way, not stopped on purpose, and late; what should be finished first comes first."""
    orders = (
        select(OrderView)
        .where(OrderView.status == "approved", is_late(today))
        .options(*AS_LISTED)
        .order_by(OrderView.planned_finish, OrderView.order_id)
        .limit(cut.limit + 1)
    )
    return await with_types(session, (await session.scalars(orders)).all())


@dataclass(frozen=True)
class Late:
    """Of the orders under way, how many."""

    against_plan: int
    """Should have been finished by now."""
    against_wish: int
    """Are planned for later than their client asked for."""


async def count_late(session: AsyncSession, *, today: date) -> Late:
    counts = select(
        func.count().filter(OrderView.planned_finish < today),
        func.count().filter(OrderView.planned_finish > OrderView.requested_date),
    )
    row = await session.execute(counts.where(OrderView.status == "approved", OrderView.accepted_on.is_(None)))
    return Late(*row.one())


async def list_blocked(session: AsyncSession, cut: Cut) -> Sequence[TaskView]:
    """Tasks with which nobody can go on, each with its order; the most urgent first."""
    tasks = (
        select(TaskView)
        .where(TaskView.status == "blocked")
        .options(WITH_ORDER)
        .order_by(TaskView.planned_finish, TaskView.task_id)
        .limit(cut.limit + 1)
    )
    return (await session.scalars(tasks)).all()
