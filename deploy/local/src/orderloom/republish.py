"""Tells the outboxes again to a broker that lost its memory, in the order in which the facts were recorded.

Consumers drop what they know. So more than needed may be told, but nothing too little, and of one outbox never a later
row before an earlier one.
"""

import asyncio
import heapq
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from chassis.kafka import KafkaSettings
from contracts.topics import CATALOGUE, MESSAGE_BYTES_MAX, SERVICES

MARGIN = timedelta(minutes=1)
REQUEST_MILLISECONDS = 10_000
"""A broker that dies meanwhile holds everybody up for so long, since what is on its way is given up only then."""
PREFETCH_ROWS = 100
FLUSH_ROWS = 500

OUTBOX = """
    SELECT position, topic, key, headers, body, recorded_at, published_at FROM outbox
    WHERE $1::text[] IS NULL OR topic = ANY($1) ORDER BY position
"""
MARK = "UPDATE outbox SET published_at = clock_timestamp() WHERE position = ANY($1::bigint[]) AND published_at IS NULL"
PROGRESS = "SELECT topic, partition, ce_time FROM progress"

partition_of = DefaultPartitioner()

Partition = tuple[str, int]
"""A topic and the number of the partition."""

Progress = Mapping[Partition, datetime | None]
"""How far one service has read: `ce_time` of the last record; None when that record had none."""


@dataclass(frozen=True)
class Row:
    """A row of the outbox of `service`."""

    service: str
    position: int
    topic: str
    key: str
    headers: Mapping[str, str]
    body: str
    recorded_at: datetime
    published_at: datetime | None


async def republish(
    databases: Mapping[str, str],
    kafka: KafkaSettings,
    *,
    only_topics: Sequence[str] | None = None,
    topic_prefix: str = "",
) -> int:
    """Publish what a consumer may not have read, or all of `only_topics`; return the number of rows.

    `databases` holds a postgresql:// URL per service. The services' relays must be paused. Unpublished rows that were
    sent are marked as published. After an error the whole may be repeated.
    """
    async with AsyncExitStack() as opened:
        readers = {name: await _connect(url, opened) for name, url in databases.items()}
        writers = {name: await _connect(url, opened) for name, url in databases.items()}
        producer = await opened.enter_async_context(_producer(kafka))
        progress = {name: await _progress_of(connection) for name, connection in readers.items()}
        since = {} if only_topics else oldest_unread(progress)
        sending = Sending(producer, writers, topic_prefix)
        for connection in readers.values():
            await opened.enter_async_context(connection.transaction(readonly=True))  # a cursor lives in one
        async for row in merged([_outbox(name, connection, only_topics) for name, connection in readers.items()]):
            partition = await sending.partition(row)
            if row.published_at is None or partition not in since or row.published_at >= since[partition]:
                await sending.take(row, partition)
        await sending.flush()
    return sending.count


async def forget_progress(databases: Mapping[str, str]) -> None:
    """Let every partition count as never read: the next `republish` tells all. The services must be paused."""
    async with AsyncExitStack() as opened:
        for url in databases.values():
            await (await _connect(url, opened)).execute("DELETE FROM progress")


def oldest_unread(progress: Mapping[str, Progress]) -> dict[Partition, datetime]:
    """Return since when a row may be unread, compared with `published_at`, for every partition all its readers know.

    The last record a reader had read was recorded before the first it had not read was published: by this clock
    nothing is missed, even where one service's relay lags behind another's. A partition that is not in the answer has
    to be told from the beginning.
    """
    since = {}
    for partition in {partition for known in progress.values() for partition in known}:
        topic, _ = partition
        readers = {name for name, known in progress.items() if any(topic == other for other, _ in known)}
        times = [progress.get(name, {}).get(partition) for name in readers | _declared_readers(topic)]
        known_times = [time for time in times if time is not None]
        if len(known_times) == len(times):
            since[partition] = min(known_times) - MARGIN
    return since


async def merged(outboxes: Sequence[AsyncIterator[Row]]) -> AsyncIterator[Row]:
    """Return the rows of all by `recorded_at`, of each in its own order even where its clock went back."""
    heads: list[tuple[datetime, int, Row]] = []

    async def take_from(number: int) -> None:
        row = await anext(outboxes[number], None)
        if row is not None:
            heapq.heappush(heads, (row.recorded_at, number, row))

    for number in range(len(outboxes)):
        await take_from(number)
    while heads:
        _, number, row = heapq.heappop(heads)
        yield row
        await take_from(number)


@dataclass
class Sending:
    """Rows on their way: one request per partition at a time, so that none can overtake another."""

    producer: AIOKafkaProducer
    connections: Mapping[str, asyncpg.Connection]
    topic_prefix: str
    count: int = 0
    _batches: dict[Partition, BatchBuilder] = field(default_factory=dict)
    _rows: list[Row] = field(default_factory=list)

    async def partition(self, row: Row) -> Partition:
        partitions = sorted(await self.producer.partitions_for(self.topic_prefix + row.topic))
        return row.topic, partition_of(row.key.encode(), partitions, partitions)

    async def take(self, row: Row, partition: Partition) -> None:
        """Send `row` with the next requests; those that are full leave first."""
        if len(self._rows) >= FLUSH_ROWS or not self._append(row, partition):
            await self.flush()
            self._append(row, partition)  # the first of a request always finds room
        self._rows.append(row)

    async def flush(self) -> None:
        """Return when all that was taken is acknowledged and marked."""
        await asyncio.gather(*(self._send(batch, *partition) for partition, batch in self._batches.items()))
        for name, connection in self.connections.items():
            positions = [row.position for row in self._rows if row.service == name and row.published_at is None]
            if positions:
                await connection.execute(MARK, positions)
        self.count += len(self._rows)
        self._batches.clear()
        self._rows.clear()

    def _append(self, row: Row, partition: Partition) -> bool:
        if partition not in self._batches:
            self._batches[partition] = self.producer.create_batch()
        headers = {**row.headers, "ce_time": row.recorded_at.isoformat()}
        appended = self._batches[partition].append(
            timestamp=int(row.recorded_at.timestamp() * 1000),
            key=row.key.encode(),
            value=row.body.encode(),
            headers=[(name, value.encode()) for name, value in headers.items()],
        )
        return appended is not None

    async def _send(self, batch: BatchBuilder, topic: str, partition: int) -> None:
        await (await self.producer.send_batch(batch, self.topic_prefix + topic, partition=partition))


def _producer(kafka: KafkaSettings) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **kafka.client_options,
        acks="all",
        max_batch_size=MESSAGE_BYTES_MAX,
        request_timeout_ms=REQUEST_MILLISECONDS,
    )


def _declared_readers(topic: str) -> set[str]:
    return {reader for entry in CATALOGUE if entry.name == topic for reader in entry.readers if reader in SERVICES}


async def _connect(url: str, opened: AsyncExitStack) -> asyncpg.Connection:
    connection = await asyncpg.connect(url)
    opened.push_async_callback(connection.close)
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    return connection


async def _progress_of(connection: asyncpg.Connection) -> Progress:
    return {(row["topic"], row["partition"]): row["ce_time"] for row in await connection.fetch(PROGRESS)}


async def _outbox(
    service: str, connection: asyncpg.Connection, only_topics: Sequence[str] | None
) -> AsyncIterator[Row]:
    async for row in connection.cursor(OUTBOX, only_topics, prefetch=PREFETCH_ROWS):
        yield Row(service, **row)
