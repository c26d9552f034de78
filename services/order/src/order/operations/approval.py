"""Decisions on orders, and the ladder that says whose are needed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import business_date
from chassis.ids import new_id
from contracts.order import ApprovalDecided, ApprovalStep, OrderApproved, OrderRejected
from order import queries
from order.ladder import Rung
from order.models import ApprovalRung, Decision, ExchangeRate, Order
from order.operations.telling import WITH_LINES, advance, document, locked, tell
from order.workflow import ORDER_APPROVED


async def approve_order(
    session: AsyncSession,
    *,
    order_id: UUID,
    by: str,
    roles: frozenset[str],
    comment: str | None,
    step: int | None,
    zone: ZoneInfo,
    now: datetime,
) -> Order:
    """Take one step of the ladder; the last one approves the order. Raises what `Order.decide` raises."""
    order = await locked(session, order_id, WITH_LINES)
    decided = order.decide(by=by, roles=roles, step=step)
    today = business_date(now, zone)
    is_approved = order.approve_step(by=by, today=today)
    _tell_decision(session, order, decided, "approved", by=by, comment=comment, now=now)
    if is_approved:
        approved = OrderApproved(**document(order), approved_on=today, approvers=tuple(order.approvers))
        order.learn(ORDER_APPROVED, str(tell(session, order, approved, now=now)))
        await advance(session, order, now=now)
    return order


async def reject_order(
    session: AsyncSession,
    *,
    order_id: UUID,
    by: str,
    roles: frozenset[str],
    reason: str,
    step: int | None,
    now: datetime,
) -> Order:
    """Refuse a step: the order can be edited and placed again. Raises what `Order.decide` raises."""
    order = await locked(session, order_id)
    decided = order.decide(by=by, roles=roles, step=step)
    order.reject()
    _tell_decision(session, order, decided, "rejected", by=by, comment=reason, now=now)
    tell(session, order, OrderRejected(order_id=order_id, step=decided.step, by=by, reason=reason), now=now)
    return order


async def replace_ladder(session: AsyncSession, rungs: Sequence[Rung]) -> None:
    """From now on, orders that are placed need these. Those that are placed keep their steps."""
    await session.execute(delete(ApprovalRung))
    session.add_all(
        ApprovalRung(rank=rank, role=rung.role, above=rung.above) for rank, rung in enumerate(rungs, start=1)
    )
    queries.APPROVALS.drop(session)


async def replace_rates(session: AsyncSession, rates: Mapping[str, Decimal]) -> None:
    """What one unit of each currency is worth in the company's."""
    await session.execute(delete(ExchangeRate))
    session.add_all(ExchangeRate(currency=currency, rate=rate) for currency, rate in rates.items())
    queries.APPROVALS.drop(session)


def _tell_decision(
    session: AsyncSession,
    order: Order,
    step: ApprovalStep,
    decision: Literal["approved", "rejected"],
    *,
    by: str,
    comment: str | None,
    now: datetime,
) -> None:
    session.add(
        Decision(
            decision_id=new_id(),
            order_id=order.order_id,
            revision=order.revision,
            step=step.step,
            role=step.role,
            decision=decision,
            by=by,
            comment=comment,
            decided_at=now,
        )
    )
    roles_left = [each["role"] for each in order.approval_steps[order.step - 1 :]] if decision == "approved" else []
    decided = ApprovalDecided(
        order_id=order.order_id,
        step=step.step,
        role=step.role,
        decision=decision,
        by=by,
        comment=comment,
        next_role=roles_left[0] if roles_left else None,
    )
    tell(session, order, decided, now=now)
