"""What a database no longer needs is deleted, and what operators watch is taken from it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog
from sqlalchemy import ColumnElement, delete, func, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import watching
from chassis.database import Database
from chassis.idempotency import IdempotencyKey
from chassis.outbox import OutboxMessage
from chassis.rebuilding import ArchivedEntry, RebuiltOrder
from chassis.received import KEPT_DAYS, OUTBOX_KEPT_DAYS, SEEN_KEPT_HOURS, InboxMessage, Seen
from chassis.settings import ServiceSettings
from contracts import topics

log = structlog.get_logger(__name__)

COUNT_SECONDS = 5
SELDOM_EVERY = 12
"""Rounds between two looks at what changes slowly, or costs something: a minute."""
CLEAN_EVERY = 60
"""Rounds of counting between two of deleting: five minutes."""
IDEMPOTENCY_KEPT_DAYS = 7
STAGED_KEPT_DAYS = 7
"""Of a thread that never came whole."""


Watch = Callable[[AsyncSession], Awaitable[None]]
"""Takes gauges that only one service has."""


async def keep_house(database: Database, service: str, settings: ServiceSettings, watched: Sequence[Watch]) -> None:
    """Until cancelled. Nothing of it is urgent: a failure is told and tried again."""
    rounds = 0
    while True:
        try:
            async with database.transaction() as session:
                await watching.watch_backlogs(session, service)
            if rounds % SELDOM_EVERY == 0:
                await _watch_seldom(database, service, settings, watched)
            if rounds % CLEAN_EVERY == 0:
                async with database.transaction() as session:
                    await _clean(session)
            rounds += 1
        except Exception as reason:
            log.warning("housekeeping_waits", reason=repr(reason))
        await asyncio.sleep(COUNT_SECONDS)


async def _watch_seldom(database: Database, service: str, settings: ServiceSettings, watched: Sequence[Watch]) -> None:
    async with database.transaction() as session:
        await watching.watch_database(session, service, settings)
        for watch in watched:
            await watch(session)
    await asyncio.to_thread(watching.watch_certificates, service, settings)


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
