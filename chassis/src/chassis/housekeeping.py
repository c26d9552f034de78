"""What a database no longer needs is deleted, and what operators watch is counted."""

import asyncio
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import telemetry
from chassis.database import Database
from chassis.idempotency import IdempotencyKey
from chassis.outbox import OutboxMessage
from chassis.parking import ParkedKey
from chassis.rebuilding import ArchivedEntry, RebuiltOrder
from chassis.received import KEPT_DAYS, OUTBOX_KEPT_DAYS, SEEN_KEPT_HOURS, InboxMessage, Seen
from contracts import topics

log = structlog.get_logger(__name__)

COUNT_SECONDS = 5
CLEAN_EVERY = 60
"""Rounds of counting between two of deleting: five minutes."""
IDEMPOTENCY_KEPT_DAYS = 7
STAGED_KEPT_DAYS = 7
"""Of a thread that never came whole."""


async def keep_house(database: Database, service: str) -> None:
    """Until cancelled. Nothing of it is urgent: a failure is told and tried again."""
    rounds = 0
    while True:
        try:
            async with database.transaction() as session:
                await _count(session, service)
                if rounds % CLEAN_EVERY == 0:
                    await _clean(session)
            rounds += 1
        except Exception as reason:
            log.warning("housekeeping_waits", reason=repr(reason))
        await asyncio.sleep(COUNT_SECONDS)


async def _count(session: AsyncSession, service: str) -> None:
    pending = select(
        func.count(), func.extract("epoch", func.clock_timestamp() - func.min(OutboxMessage.recorded_at))
    ).where(OutboxMessage.published_at.is_(None))
    count, age_seconds = (await session.execute(pending)).one()
    telemetry.OUTBOX_PENDING.labels(service).set(count)
    telemetry.OUTBOX_AGE.labels(service).set(float(age_seconds or 0))
    by_kind = select(ParkedKey.waits, func.count()).group_by(ParkedKey.waits)
    counts = {waits: count for waits, count in await session.execute(by_kind)}
    telemetry.PARKED_KEYS.labels(service).set(counts.get(False, 0))
    telemetry.WAITING_KEYS.labels(service).set(counts.get(True, 0))


async def _clean(session: AsyncSession) -> None:
    await session.execute(delete(Seen).where(Seen.seen_at < _ago(f"{SEEN_KEPT_HOURS} hours")))
    await session.execute(delete(InboxMessage).where(InboxMessage.received_at < _ago(f"{KEPT_DAYS} days")))
    await session.execute(delete(OutboxMessage).where(OutboxMessage.published_at < _ago(f"{OUTBOX_KEPT_DAYS} days")))
    told_again = OutboxMessage.topic.in_([topics.rebuild(service) for service in topics.READ_MODELS])
    await session.execute(delete(OutboxMessage).where(told_again, OutboxMessage.published_at < _ago("1 day")))
    await session.execute(delete(ArchivedEntry).where(ArchivedEntry.staged_at < _ago(f"{STAGED_KEPT_DAYS} days")))
    await session.execute(delete(RebuiltOrder).where(RebuiltOrder.staged_at < _ago(f"{KEPT_DAYS} days")))
    await session.execute(delete(IdempotencyKey).where(IdempotencyKey.kept_at < _ago(f"{IDEMPOTENCY_KEPT_DAYS} days")))


def _ago(interval: str) -> ColumnElement[datetime]:
    return func.now() - text(f"interval '{interval}'")
