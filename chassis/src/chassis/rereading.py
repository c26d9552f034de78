"""A service whose database was set back reads the bus again from where its database is.

Its group's offsets are the broker's and were not set back: without this it would pass over what it has forgotten.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from sqlalchemy import select

from chassis.database import Database
from chassis.received import Progress

log = structlog.get_logger(__name__)

RETRY_SECONDS = 0.5

Offsets = Mapping[TopicPartition, int]
"""The next record to be read."""


class ReadAgain(ConsumerRebalanceListener):  # type: ignore[misc]
    """Nothing is read of a partition before it is known where to begin. What was applied the inbox drops.

    `topics`, without the prefix, are those whose progress the database keeps.
    """

    def __init__(
        self,
        database: Database,
        consumer: Callable[[], AIOKafkaConsumer],
        *,
        topics: Collection[str],
        topic_prefix: str,
    ) -> None:
        self._database = database
        self._consumer = consumer
        self._topics = {topic_prefix + topic for topic in topics}
        self._topic_prefix = topic_prefix
        self._finding: asyncio.Task[None] | None = None

    def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        if self._finding is not None:
            self._finding.cancel()

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """In a task of its own: the group must not wait for a database that is away."""
        partitions = [each for each in assigned if each.topic in self._topics]
        self._consumer().pause(*partitions)
        self._finding = asyncio.create_task(self._find_places(partitions))

    async def _find_places(self, partitions: Collection[TopicPartition]) -> None:
        consumer = self._consumer()
        while True:
            try:
                ahead = await self._ahead(consumer, partitions)
                break
            except Exception as reason:
                if consumer._closed:
                    return
                log.warning("places_unknown", reason=repr(reason))
                await asyncio.sleep(RETRY_SECONDS)
        if ahead:
            log.warning("read_again", partitions=len(ahead))
        for partition, offset in ahead.items():
            consumer.seek(partition, offset)
        consumer.resume(*partitions)

    async def _ahead(self, consumer: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> Offsets:
        """Where to read on, for those of which the group has read more than the database knows."""
        committed = await consumer._coordinator.fetch_committed_offsets(partitions)  # one request for all of them
        read = await self._read()
        return {each: read.get(each, 0) for each, place in committed.items() if place.offset > read.get(each, 0)}

    async def _read(self) -> Offsets:
        async with self._database.transaction() as session:
            rows = await session.scalars(select(Progress))
            return {TopicPartition(self._topic_prefix + row.topic, row.partition): row.offset + 1 for row in rows}
