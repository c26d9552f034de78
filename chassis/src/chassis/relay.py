"""Moves the facts of the outbox to Kafka, oldest first, at least once, and never a later one before an earlier one."""

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from pydantic_core import from_json
from sqlalchemy import ARRAY, BigInteger, Row, bindparam, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from chassis import failpoints, telemetry
from chassis.database import Database
from chassis.failpoints import Failpoints
from chassis.outbox import OutboxMessage
from chassis.settings import ServiceSettings
from contracts.topics import MESSAGE_BYTES_MAX

log = structlog.get_logger(__name__)

LOCK = 7_260
"""The advisory lock of the one relay of a database. The number only has to be ours.

Who needs the relays to rest, like `orderloom repartition`, waits for this lock: the relay at work lets go of it within
`ASKED_SECONDS`, and the relays try for it again as soon as it is free.
"""
ROWS_MAX = 500
POLL_SECONDS = 0.25
ASKED_SECONDS = 1.0
BACKOFF_SECONDS = 0.5
REQUEST_TIMEOUT_MS = 10_000

OLDEST_UNPUBLISHED = (
    select(
        OutboxMessage.position,
        OutboxMessage.topic,
        OutboxMessage.key,
        OutboxMessage.headers,
        OutboxMessage.body,
        OutboxMessage.recorded_at,
    )
    .where(OutboxMessage.published_at.is_(None))
    .where(OutboxMessage.position != func.all(bindparam("on_their_way", type_=ARRAY(BigInteger))))
    .order_by(OutboxMessage.position)
    .limit(ROWS_MAX)
)
"""Not what has a position above those on their way: one below may have been committed after they were read."""

MARK_PUBLISHED = (
    update(OutboxMessage)
    .where(OutboxMessage.position == func.any(bindparam("positions", type_=ARRAY(BigInteger))))
    .values(published_at=func.clock_timestamp())
)

Rows = list[Row[Any]]
Positions = list[int]

IS_ASKED_FOR = select(
    exists()
    .select_from(text("pg_locks"))
    .where(text("locktype = 'advisory' AND classid = 0 AND objid = :lock AND NOT granted"))
    .where(text("database = (SELECT oid FROM pg_database WHERE datname = current_database())"))
).params(lock=LOCK)

partition_of = DefaultPartitioner()


@dataclass
class Request:
    """The rows that go to one partition together."""

    topic: str
    partition: int
    batch: BatchBuilder
    positions: Positions = field(default_factory=list)
    is_full: bool = False

    def take(self, row: Row[Any]) -> None:
        """Append `row`, unless it or one before it found no room: those wait for the next request, in order."""
        headers = row.headers | {"ce_time": row.recorded_at.isoformat()}
        self.is_full = self.is_full or not self.batch.append(
            timestamp=int(row.recorded_at.timestamp() * 1000),
            key=row.key.encode(),
            value=row.body.encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )
        if not self.is_full:
            self.positions.append(row.position)

    async def send(self, producer: AIOKafkaProducer) -> Positions:
        """Return the positions once Kafka has acknowledged them, or raise."""
        await (await producer.send_batch(self.batch, self.topic, partition=self.partition))
        return self.positions


class Relay:
    """Publishes what `database` has recorded. Any number may run; the one that holds the lock works."""

    def __init__(
        self,
        database: Database,
        *,
        service: str,
        settings: ServiceSettings,
    ) -> None:
        self._database = database
        self._service = service
        self._settings = settings
        self._failpoints = Failpoints(settings.failpoints, service=service)
        self.trouble: str | None = "It is not started."
        """Why facts do not leave at the moment, or None. Waiting for another relay's lock is no trouble."""

    async def run(self) -> None:
        """Publish until cancelled. Every failure starts again from the first row that is not acknowledged."""
        while True:
            try:
                await self._run_until_asked()
            except Exception as reason:
                self.trouble = f"The relay cannot publish: {reason!r}"
                log.warning("relay_failed", reason=repr(reason))
                await asyncio.sleep(BACKOFF_SECONDS)

    async def _run_until_asked(self) -> None:
        # Not from the requests' pool, and no transaction pooler between: the lock lives as long as this connection,
        # and reading and marking on it means that a relay that lost the lock cannot go on.
        engine = create_async_engine(
            self._database.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", json_deserializer=from_json
        )
        async with engine.connect() as connection:
            while not await connection.scalar(select(func.pg_try_advisory_lock(LOCK))):
                self.trouble = None
                await asyncio.sleep(POLL_SECONDS)
            async with self._producer() as producer:  # not before: it counts the partitions when it starts
                await self._publish_until_asked(connection, producer)

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._settings.client_options,
            acks="all",
            enable_idempotence=self._settings.kafka_idempotent_producer,
            max_batch_size=MESSAGE_BYTES_MAX,
            max_request_size=MESSAGE_BYTES_MAX,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )

    async def _publish_until_asked(self, connection: AsyncConnection, producer: AIOKafkaProducer) -> None:
        self.trouble = None
        look_at = time.monotonic() + ASKED_SECONDS
        rows, acknowledged = Rows(), Positions()
        while True:
            self._database.facts_recorded.clear()
            rows = rows or await self._oldest(connection)
            rows, acknowledged = await self._publish(connection, producer, rows, before=acknowledged)
            if not rows:
                await self._until_woken()
            if time.monotonic() >= look_at:
                if await connection.scalar(IS_ASKED_FOR):
                    return await self.mark(connection, acknowledged)
                look_at = time.monotonic() + ASKED_SECONDS

    async def _publish(
        self, connection: AsyncConnection, producer: AIOKafkaProducer, rows: Rows, *, before: Positions
    ) -> tuple[Rows, Positions]:
        """Publish `rows` and, while they are on their way, mark those `before` them that Kafka has acknowledged.

        Return the next rows, if a backlog is to be worked off, and what is to be marked while they are on their way.
        One produce request per partition: were there two on their way, the second could arrive without the first.
        """
        if rows:
            self._failpoints.reach(failpoints.BEFORE_PUBLISH)
        requests = await self._by_partition(rows, producer)
        sending = asyncio.gather(*(request.send(producer) for request in requests), return_exceptions=True)
        try:
            await self.mark(connection, before)
            following = await self._oldest(connection, besides=rows) if len(rows) == ROWS_MAX else Rows()
        finally:
            outcomes = await sending
        acknowledged = [
            position for outcome in outcomes if not isinstance(outcome, BaseException) for position in outcome
        ]
        refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        found_no_room = any(request.is_full for request in requests)
        if following and not refused and not found_no_room:
            return following, acknowledged
        await self.mark(connection, acknowledged)
        if refused:
            raise refused[0]
        return (await self._oldest(connection) if found_no_room else Rows()), Positions()

    async def _oldest(self, connection: AsyncConnection, *, besides: Sequence[Row[Any]] = ()) -> Rows:
        on_their_way = [row.position for row in besides]
        return list(await connection.execute(OLDEST_UNPUBLISHED, {"on_their_way": on_their_way}))

    async def mark(self, connection: AsyncConnection, positions: Positions) -> None:
        """Remember that the rows at `positions` are published. To die before this is to publish them again."""
        if positions:
            self._failpoints.reach(failpoints.BEFORE_MARK)
            await connection.execute(MARK_PUBLISHED, {"positions": positions})
            telemetry.RELAYED.labels(self._service).inc(len(positions))

    async def _by_partition(self, rows: Rows, producer: AIOKafkaProducer) -> Collection[Request]:
        requests: dict[tuple[str, int], Request] = {}
        of_keys: dict[tuple[str, str], Request] = {}
        """The facts of an order come close together, and its partition is dear to compute."""
        for row in rows:
            if (row.topic, row.key) not in of_keys:
                topic = self._settings.topic_prefix + row.topic
                partitions = sorted(await producer.partitions_for(topic))
                partition = partition_of(row.key.encode(), partitions, partitions)
                if (topic, partition) not in requests:
                    requests[topic, partition] = Request(topic, partition, producer.create_batch())
                of_keys[row.topic, row.key] = requests[topic, partition]
            of_keys[row.topic, row.key].take(row)
        return requests.values()

    async def _until_woken(self) -> None:
        with suppress(TimeoutError):  # facts recorded by another process do not wake this one
            await asyncio.wait_for(self._database.facts_recorded.wait(), POLL_SECONDS)
