"""A read model is made again from the archive, order by order, each in one transaction and while it is read.

What comes from the archive is staged until the whole thread of an order is there. Then its rows are forgotten and all
its facts applied again: whoever reads sees the old whole or the new one. Nothing else that facts lead to is repeated.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Index, Text, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from chassis import parking, received, roots
from chassis.applying import HORIZON, Applying
from chassis.archive import ArchivedFact
from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.database import ChassisModel, Database
from chassis.delivery import Delivery
from chassis.errors import is_transient
from chassis.flush import new_rows
from chassis.read_model import Known, ReadModel, table_of
from contracts import topics

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
REBUILT, BEHIND, FAILED = "rebuilt", "behind", "failed"


class ArchiveBehind(Exception):
    """The read model is made of more facts than the archive has: to rebuild it now would lose some."""


class OrderParked(Exception):
    """What is parked has to be applied before what stands behind it."""


class CopyIncomplete(Exception):
    """Entries of the thread did not arrive."""


class MoreThanReadModel(Exception):
    """Applying the facts did more than make the read model: it must not be repeated."""


class ArchivedEntry(ChassisModel):
    """An entry of a thread that has come from the archive and waits for the rest of it."""

    __tablename__ = "archived_entries"

    rebuild_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    headers: Mapped[dict[str, str]]
    body: Mapped[str] = mapped_column(Text)
    staged_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


class RebuiltOrder(ChassisModel):
    """An order whose thread has come whole, and what became of it."""

    __tablename__ = "rebuilt_orders"

    rebuild_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    length: Mapped[int]
    is_forced: Mapped[bool]
    """Even if the archive has less than the read model says it is made of."""
    outcome: Mapped[str | None]
    """None until its turn comes."""
    detail: Mapped[str | None] = mapped_column(Text)
    staged_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)

    __table_args__ = (Index("rebuilt_orders_waiting_ix", "staged_at", postgresql_where=text("outcome IS NULL")),)


def staging(service: str) -> Consumers:
    """The consumer of what the archive tells `service`. It applies nothing: the rebuilder does, in its own time."""
    consumers = Consumers(f"{service}.rebuild")

    @consumers.on_every(topics.rebuild(service))
    async def stage_archived_fact(record: Delivery, session: AsyncSession) -> None:
        archived = ArchivedFact.of(record)
        place = {"rebuild_id": archived.rebuild_id, "order_id": archived.fact.order_id}
        session.add(
            ArchivedEntry(**place, position=archived.position, headers=archived.fact.headers, body=archived.fact.body)
        )
        if archived.is_last:
            session.add(
                RebuiltOrder(**place, length=archived.length, is_forced=archived.is_forced, outcome=None, detail=None)
            )

    return consumers


class Rebuilder:
    """Any number may run on one database: each takes another order."""

    def __init__(self, database: Database, model: ReadModel, applying: Applying) -> None:
        self._database = database
        self._model = model
        self._applying = applying

    async def run(self) -> None:
        """Until cancelled, or until the database is away."""
        while True:
            if not await self.rebuild_next():
                await asyncio.sleep(POLL_SECONDS)

    async def rebuild_next(self) -> bool:
        """Make the read model of one order again, or say why that cannot be. False when none waits."""
        async with self._database.transaction() as session:
            copy = await self._next(session)
            if copy is None:
                return False
            place = copy.rebuild_id, copy.order_id
        try:
            async with self._database.transaction() as session:
                if copy := await self._next(session, place):
                    await self._rebuild(session, copy)
        except Exception as reason:
            if is_transient(reason):
                raise
            log.error("order_not_rebuilt", order_id=str(place[1]), reason=repr(reason))
            outcome = BEHIND if isinstance(reason, ArchiveBehind) else FAILED
            async with self._database.transaction() as session:
                if copy := await self._next(session, place):
                    await _close(session, copy, outcome, detail=repr(reason))
        return True

    async def _next(self, session: AsyncSession, place: tuple[UUID, UUID] | None = None) -> RebuiltOrder | None:
        """The order whose turn it is, or the one at `place` if it still waits; locked."""
        waiting = select(RebuiltOrder).where(RebuiltOrder.outcome.is_(None))
        if place is not None:
            waiting = waiting.where(RebuiltOrder.rebuild_id == place[0], RebuiltOrder.order_id == place[1])
        oldest = waiting.order_by(RebuiltOrder.staged_at).limit(1).with_for_update(skip_locked=True)
        return (await session.scalars(oldest)).one_or_none()

    async def _rebuild(self, session: AsyncSession, copy: RebuiltOrder) -> None:
        """Locks in the order of everywhere: the inbox, the parked key, the root."""
        archived = await _staged(session, copy)
        consumer, order_id = self._model.consumer, copy.order_id
        await received.enter(session, {consumer.name: _recent(archived)}, received.Read())
        if await parking.keys_among(session, {consumer.name: {str(order_id)}}):
            raise OrderParked(f"{consumer.name} has parked messages of it: retry or discard those first.")
        is_there = await self._lock_root(session, order_id)
        discarded = await parking.discarded_ids(session, consumer.name, str(order_id))
        known = await self._model.known(session, order_id)
        newer = await self._newer(session, known, archived)
        facts = [fact for fact in (*archived, *newer) if fact.id not in discarded]
        if known.count > len(facts) and not copy.is_forced:
            raise ArchiveBehind(f"The archive has {len(facts)} of the {known.count} facts that the read model has.")
        for part in self._model.parts:
            await session.execute(delete(table_of(part)).where(table_of(part).c.order_id == order_id))
        roots.hide(session, order_id)
        for fact in facts:
            await self._applying.apply(session, consumer, fact, however_old=True)
        await self._replace(session, order_id, is_there=is_there)
        await _close(session, copy, REBUILT, detail=None)

    async def _lock_root(self, session: AsyncSession, order_id: UUID) -> bool:
        """Whether it is there. It is not loaded: what handlers find must be what they make."""
        table = table_of(self._model.root)
        found = await session.scalar(select(table.c.order_id).where(table.c.order_id == order_id).with_for_update())
        return found is not None

    async def _newer(self, session: AsyncSession, known: Known, archived: Sequence[Delivery]) -> list[Delivery]:
        """What the read model has applied after the last fact that the archive has.

        Only what the inbox knows too: a row whose id was damaged is no fact.
        """
        in_archive = {fact.id for fact in archived}
        last = max((number for number, fact in enumerate(known.facts, start=1) if fact.id in in_archive), default=0)
        newer = known.facts[last:]
        applied = await received.entered(session, self._model.consumer.name, [fact.id for fact in newer])
        return [fact for fact in newer if fact.id in applied]

    async def _replace(self, session: AsyncSession, order_id: UUID, *, is_there: bool) -> None:
        """Put the new root in the place of the old one, whose row stays: others wait for its lock."""
        own: tuple[type[Any], ...] = (self._model.root, *self._model.parts)
        if strangers := [row for row in new_rows(session.sync_session) if not isinstance(row, own)]:
            raise MoreThanReadModel(f"It would have added {strangers[0]!r} too.")
        root = roots.held(session, order_id)
        if root is None:
            raise CopyIncomplete("Nothing of the order was made: the fact that it was placed is not among these.")
        if is_there:
            table = table_of(self._model.root)
            values = {column: getattr(root, column.key) for column in table.columns}
            session.expunge(root)
            await session.execute(update(table).where(table.c.order_id == order_id).values(values))


async def _staged(session: AsyncSession, copy: RebuiltOrder) -> list[Delivery]:
    """The thread as it came. Raises `CopyIncomplete`."""
    of_copy = (ArchivedEntry.rebuild_id == copy.rebuild_id, ArchivedEntry.order_id == copy.order_id)
    entries = (await session.scalars(select(ArchivedEntry).where(*of_copy).order_by(ArchivedEntry.position))).all()
    if [entry.position for entry in entries] != list(range(1, copy.length + 1)):
        raise CopyIncomplete(f"{len(entries)} of {copy.length} entries of the thread have come: ask for it again.")
    return [Delivery(topics.ORDERS, str(entry.order_id), entry.headers, entry.body) for entry in entries]


def _recent(facts: Sequence[Delivery]) -> list[Delivery]:
    """Those that the bus could still bring: what is older is refused by its age."""
    horizon = utc_now() - HORIZON
    return [fact for fact in facts if fact.told_at is None or fact.told_at >= horizon]


async def _close(session: AsyncSession, copy: RebuiltOrder, outcome: str, *, detail: str | None) -> None:
    """Say what became of it, and forget what was staged: the archive has it."""
    copy.outcome, copy.detail = outcome, detail
    of_copy = (ArchivedEntry.rebuild_id == copy.rebuild_id, ArchivedEntry.order_id == copy.order_id)
    await session.execute(delete(ArchivedEntry).where(*of_copy), execution_options={"synchronize_session": False})


async def outcomes(session: AsyncSession, rebuild_id: UUID) -> dict[str | None, int]:
    """How many orders of a rebuild came to which end; under None those whose turn has not come."""
    counts = (
        select(RebuiltOrder.outcome, func.count())
        .where(RebuiltOrder.rebuild_id == rebuild_id)
        .group_by(RebuiltOrder.outcome)
    )
    return {outcome: count for outcome, count in await session.execute(counts)}


async def not_rebuilt(session: AsyncSession, rebuild_id: UUID, *, limit: int) -> Sequence[RebuiltOrder]:
    """The first of those that were left as they are, with the reason."""
    ended = (RebuiltOrder.rebuild_id == rebuild_id, RebuiltOrder.outcome.in_((BEHIND, FAILED)))
    return (
        await session.scalars(select(RebuiltOrder).where(*ended).order_by(RebuiltOrder.order_id).limit(limit))
    ).all()
