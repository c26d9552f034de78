"""What a service has read of the bus: which facts each consumer has applied, which ids it has seen, how far it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Integer, Text, Uuid, bindparam, exists, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from chassis.cached import forget_oldest
from chassis.database import ChassisModel, Database
from chassis.delivery import Delivery
from contracts import topics

OUTBOX_KEPT_DAYS = 14
KEPT_DAYS = OUTBOX_KEPT_DAYS + topics.RETENTION_DAYS + 7
"""Of an inbox row: longer than anything can be delivered again."""
SEEN_KEPT_HOURS = 1
REMEMBERED_MAX = 10_000


class InboxMessage(ChassisModel):
    """This consumer has applied or parked this fact. Kept longer than anything can be delivered again."""

    __tablename__ = "inbox"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


class Seen(ChassisModel):
    """A fact that nobody here handles was read: known for an hour, for those who wait until their own is read."""

    __tablename__ = "seen"

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp(), index=True)


class Progress(ChassisModel):
    """How far a partition is read: where to tell again from when the broker has lost its memory."""

    __tablename__ = "progress"

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True)
    offset: Mapped[int] = mapped_column(BigInteger)
    ce_time: Mapped[datetime | None]


@dataclass
class Read:
    """What was read with a batch, beside the facts that are applied."""

    unhandled: set[UUID] = field(default_factory=set)
    last: dict[tuple[str, int], tuple[int, datetime | None]] = field(default_factory=dict)

    def note(self, topic: str, partition: int, offset: int, *, told_at: datetime | None) -> None:
        _, before = self.last.get((topic, partition), (0, None))
        self.last[topic, partition] = (offset, told_at or before)

    def add(self, later: "Read") -> None:
        """Go on from here; a batch that is tried again adds nothing."""
        self.unhandled |= later.unhandled
        self.last |= later.last

    def __bool__(self) -> bool:
        return bool(self.last)


ENTER = text("""
    WITH seeing AS (
        INSERT INTO seen (event_id) SELECT unnest(:unhandled) ON CONFLICT DO NOTHING
    ), progressing AS (
        INSERT INTO progress (topic, partition, "offset", ce_time)
        SELECT * FROM unnest(:topics, :partitions, :offsets, :times)
        ON CONFLICT (topic, partition) DO UPDATE
        SET "offset" = excluded."offset", ce_time = COALESCE(excluded.ce_time, progress.ce_time)
    )
    INSERT INTO inbox (consumer, event_id) SELECT * FROM unnest(:consumers, :event_ids)
    ON CONFLICT DO NOTHING RETURNING consumer, event_id
""").bindparams(
    bindparam("unhandled", type_=ARRAY(Uuid)),
    bindparam("topics", type_=ARRAY(Text)),
    bindparam("partitions", type_=ARRAY(Integer)),
    bindparam("offsets", type_=ARRAY(BigInteger)),
    bindparam("times", type_=ARRAY(DateTime(timezone=True))),
    bindparam("consumers", type_=ARRAY(Text)),
    bindparam("event_ids", type_=ARRAY(Uuid)),
)
"""One round trip for all of it."""


async def enter(session: AsyncSession, wanted: dict[str, list[Delivery]], read: Read) -> dict[str, list[Delivery]]:
    """By consumer, the deliveries never seen before, each once and in order, now entered as seen."""
    unique = [(name, d.id) for name, deliveries in wanted.items() for d in {d.id: d for d in deliveries}.values()]
    # in an order, so that two workers that meet the same facts wait for each other instead of deadlocking
    unique.sort(key=lambda each: (each[0], each[1].int))
    rows = await session.execute(
        ENTER,
        {
            "unhandled": sorted(read.unhandled),
            "topics": [topic for topic, _ in read.last],
            "partitions": [partition for _, partition in read.last],
            "offsets": [offset for offset, _ in read.last.values()],
            "times": [told_at for _, told_at in read.last.values()],
            "consumers": [name for name, _ in unique],
            "event_ids": [event_id for _, event_id in unique],
        },
    )
    entered = {(consumer, event_id) for consumer, event_id in rows}
    return {name: _first_of_each(deliveries, name, entered) for name, deliveries in wanted.items()}


def _first_of_each(deliveries: Sequence[Delivery], consumer: str, entered: set[tuple[str, UUID]]) -> list[Delivery]:
    fresh = []
    for delivery in deliveries:
        if (consumer, delivery.id) in entered:
            entered.discard((consumer, delivery.id))
            fresh.append(delivery)
    return fresh


async def entered(session: AsyncSession, consumer: str, event_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the ids that `consumer` has applied or parked, as far as it remembers."""
    known = select(InboxMessage.event_id).where(InboxMessage.consumer == consumer)
    of_these = InboxMessage.event_id == func.any(bindparam("event_ids", type_=ARRAY(Uuid)))
    return set(await session.scalars(known.where(of_these), {"event_ids": list(event_ids)}))


def remember(database: Database, event_ids: Iterable[UUID]) -> None:
    """Know at once in this process that facts without effect were read; the table knows a moment later."""
    seen: dict[UUID, None] = database.shared.setdefault(Seen, {})
    seen.update(dict.fromkeys(event_ids))
    forget_oldest(seen, kept_max=REMEMBERED_MAX)


async def has_read(session: AsyncSession, event_id: UUID) -> bool:
    """Whether this service has read the fact: applied, parked, or passed over."""
    if event_id in session.info["shared"].get(Seen, ()):
        return True
    of_event = or_(exists().where(InboxMessage.event_id == event_id), exists().where(Seen.event_id == event_id))
    return bool(await session.scalar(select(of_event)))
