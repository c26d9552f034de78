"""Facts that a service has told and its database does not know: what is lost when a database was set back.

The bus keeps them, for as long as an outbox does, and everybody else has read them.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from sqlalchemy import ARRAY, Uuid, bindparam, func, select

from chassis.clock import utc_now
from chassis.database import Database
from chassis.delivery import Delivery, read
from chassis.errors import Undeliverable
from chassis.outbox import OutboxMessage
from chassis.received import OUTBOX_KEPT_DAYS
from chassis.settings import ServiceSettings
from chassis.subscriber import readable
from contracts import topics

MARGIN = timedelta(hours=1)
POLL_MS = 500


async def forgotten(database: Database, settings: ServiceSettings, *, service: str) -> AsyncIterator[Delivery]:
    """Of each partition in order. What is older than an outbox keeps is not looked at."""
    since = utc_now() - timedelta(days=OUTBOX_KEPT_DAYS) + MARGIN
    names = [topic.name for topic in topics.CATALOGUE if service in topic.writers and service in topic.readers]
    async for records in _records(settings, [settings.topic_prefix + name for name in names]):
        told = [fact for record in records if (fact := _fact(record, settings.topic_prefix)) is not None]
        own = [fact for fact in told if fact.source == service and fact.told_at is not None and fact.told_at > since]
        known = await _known(database, [fact.id for fact in own])
        for fact in own:
            if fact.id not in known:
                yield fact


def line(fact: Delivery) -> str:
    """For people: when, what, about what, by whom, and all of it."""
    about = fact.headers.get("ce_subject", fact.key)
    when = fact.told_at.isoformat(timespec="seconds") if fact.told_at else fact.time
    return f"{when} {fact.type} {about} {fact.actor} {fact.body}"


async def _records(settings: ServiceSettings, names: Sequence[str]) -> AsyncIterator[Sequence[ConsumerRecord]]:
    """All that is on the bus now. In no group: every partition, and nobody's place changes."""
    consumer = AIOKafkaConsumer(*names, **settings.client_options, auto_offset_reset="earliest")
    async with consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                yield records


def _fact(record: ConsumerRecord, topic_prefix: str) -> Delivery | None:
    try:
        return read(readable(record), topic=record.topic.removeprefix(topic_prefix))
    except Undeliverable:
        return None


async def _known(database: Database, event_ids: Sequence[UUID]) -> set[UUID]:
    of_these = OutboxMessage.event_id == func.any(bindparam("event_ids", type_=ARRAY(Uuid)))
    async with database.transaction() as session:
        found = select(OutboxMessage.event_id).where(of_these)
        return set(await session.scalars(found, {"event_ids": list(event_ids)}))
