"""The archive told again, order by order, to a service that makes its read model from it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import archive
from chassis.archive import ArchivedFact
from chassis.delivery import Delivery
from contracts import topics
from order import queries
from order.models import Rebuild

FACTS_AT_ONCE = 500
"""Told in one transaction, and only when what was told before has left: live facts wait for no more than that."""


async def start_rebuild(
    session: AsyncSession, service: str, order_id: UUID | None, *, is_forced: bool, by: str, now: datetime
) -> Rebuild:
    """Raises `NoReadModel`, `OrderNotFound`."""
    if order_id is not None:
        await queries.get_order(session, order_id)
    total = 1 if order_id else await queries.count_threads(session)
    rebuild = Rebuild.begin(service, order_id, orders_total=total, is_forced=is_forced, by=by, now=now)
    session.add(rebuild)
    return rebuild


async def tell_archive(session: AsyncSession, *, now: datetime) -> bool:
    """Tell some of the oldest unfinished rebuild. False when there is nothing to do now."""
    unfinished = select(Rebuild).where(Rebuild.finished_at.is_(None)).order_by(Rebuild.rebuild_id)
    rebuild = (await session.scalars(unfinished.limit(1).with_for_update(skip_locked=True))).one_or_none()
    if rebuild is None or await queries.is_on_its_way(session, topics.rebuild(rebuild.service)):
        return False
    told = 0
    while told < FACTS_AT_ONCE:
        order_id = await queries.next_thread(session, rebuild)
        if order_id is None:
            rebuild.finished_at = now
            break
        told += await _tell_thread(session, rebuild, order_id)
    return True


async def _tell_thread(session: AsyncSession, rebuild: Rebuild, order_id: UUID) -> int:
    """How many facts that were; none of a thread that is not what was appended: it must overwrite nothing."""
    verified, entries = await queries.verified_thread(session, order_id)
    if verified.first_broken is not None:
        rebuild.pass_over(order_id, first_broken=verified.first_broken)
        return 0
    _tell_entries(session, rebuild, entries)
    rebuild.count(order_id, facts=len(entries))
    await session.flush()  # so that no more than one thread is in memory
    return len(entries)


def _tell_entries(session: AsyncSession, rebuild: Rebuild, entries: Sequence[Any]) -> None:
    for entry in entries:
        headers = {
            "ce_id": str(entry.event_id),
            "ce_type": entry.type,
            "ce_source": entry.source,
            "ce_time": entry.time,
            "ce_actor": entry.actor,
            "ce_causationid": entry.causation_id,
        }
        archived = ArchivedFact(
            rebuild_id=rebuild.rebuild_id,
            position=entry.position,
            length=len(entries),
            is_forced=rebuild.is_forced,
            fact=Delivery(topics.ORDERS, str(entry.order_id), headers, entry.body),
        )
        archive.tell(session, archived, by="order", to=rebuild.service)
