"""Durable timers: recorded with their cause, fired once, whatever dies meanwhile.

Locks are taken in the order of everywhere: the root of the order, then its timers.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from chassis import flush
from chassis.database import ChassisModel
from chassis.ids import new_id

ORDERS_MAX = 100
"""Whose timers are fired in one round."""


class Timer(ChassisModel):
    """Something to be done about an order at `due_at`, unless its condition has gone by then.

    Levels escalate: when several of one kind and subject are due at once, only the highest fires.
    """

    __tablename__ = "timers"

    timer_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    order_id: Mapped[UUID] = mapped_column(index=True)
    subject: Mapped[str]
    """What of the order it is about: the id of a task, of an instalment."""
    level: Mapped[int]
    due_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]
    is_suspended: Mapped[bool]
    fired_at: Mapped[datetime | None]

    __table_args__ = (
        Index("timers_pending_ix", "due_at", postgresql_where=text("fired_at IS NULL AND NOT is_suspended")),
    )


def set_timer(
    session: AsyncSession,
    *,
    kind: str,
    order_id: UUID,
    subject: str,
    due_at: datetime,
    level: int = 1,
    payload: dict[str, Any] | None = None,
) -> None:
    """Fire `kind` at `due_at`, if this transaction commits. The order's root must be locked."""
    timer = Timer.unattached(
        timer_id=new_id(),
        kind=kind,
        order_id=order_id,
        subject=subject,
        level=level,
        due_at=due_at,
        payload=payload or {},
        is_suspended=False,
        fired_at=None,
    )
    flush.write(session, [timer])


async def cancel_timers(session: AsyncSession, *, order_id: UUID, subject: str | None = None) -> None:
    """Forget what has not fired, of one subject or of the whole order. The order's root must be locked."""
    pending = delete(Timer).where(Timer.order_id == order_id, Timer.fired_at.is_(None))
    if subject is not None:
        pending = pending.where(Timer.subject == subject)
    await session.flush()  # one may have been set in this very transaction
    await session.execute(pending)


async def suspend_timers(session: AsyncSession, *, order_id: UUID, suspended: bool) -> None:
    """Stop the timers of an order, or let them go on: what fell due meanwhile fires then."""
    pending = update(Timer).where(Timer.order_id == order_id, Timer.fired_at.is_(None))
    await session.flush()
    await session.execute(pending.values(is_suspended=suspended))


async def orders_with_due_timers(session: AsyncSession, *, now: datetime) -> list[UUID]:
    """The orders whose timers are due, the longest waiting first. Locks nothing."""
    due = (
        select(Timer.order_id)
        .where(Timer.fired_at.is_(None), ~Timer.is_suspended, Timer.due_at <= now)
        .order_by(Timer.due_at)
        .limit(ORDERS_MAX)
    )
    return list(dict.fromkeys(await session.scalars(due)))


async def take_due_timers(session: AsyncSession, order_ids: list[UUID], *, now: datetime) -> list[Timer]:
    """The timers to fire now, locked and marked as fired; of each kind and subject only the highest level."""
    due = (
        select(Timer)
        .where(Timer.order_id.in_(order_ids), Timer.fired_at.is_(None), ~Timer.is_suspended, Timer.due_at <= now)
        .order_by(Timer.order_id, Timer.level)
        .with_for_update()
    )
    highest: dict[tuple[UUID, str, str], Timer] = {}
    for timer in await session.scalars(due):
        timer.fired_at = now
        highest[timer.order_id, timer.kind, timer.subject] = timer
    return list(highest.values())
