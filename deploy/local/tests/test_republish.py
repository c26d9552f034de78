import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from contracts.topics import DIRECTORY, INBOUND, MESSAGE_BYTES_MAX, ORDERS, PARTITIONS_EMBEDDED, SERVICES
from orderloom.parts import Parts
from orderloom.republish import MARGIN, Row, merged, oldest_unread, republish

MORNING = datetime(2026, 11, 2, 8, tzinfo=UTC)
OUTBOX = """
    CREATE TABLE outbox (
        position bigint PRIMARY KEY, event_id uuid NOT NULL, topic text NOT NULL, key text NOT NULL, type text NOT NULL,
        headers jsonb NOT NULL, body text NOT NULL, recorded_at timestamptz NOT NULL, published_at timestamptz);
    CREATE TABLE progress (topic text, partition int, "offset" bigint, ce_time timestamptz)
"""

seconds = st.lists(st.integers(min_value=0, max_value=20), max_size=12)


def outbox(service: str, seconds_of_rows: Sequence[int]) -> list[Row]:
    return [
        Row(service, position, ORDERS, "key", {}, "", MORNING + timedelta(seconds=second), None)
        for position, second in enumerate(seconds_of_rows)
    ]


def merge(outboxes: Sequence[Sequence[Row]]) -> list[Row]:
    async def stream(rows: Sequence[Row]) -> AsyncIterator[Row]:
        for row in rows:
            yield row

    async def collect() -> list[Row]:
        return [row async for row in merged([stream(rows) for rows in outboxes])]

    return asyncio.run(collect())


@given(st.lists(seconds, max_size=5))
def test_merging_never_reorders_rows_of_one_outbox_and_loses_none(times: list[list[int]]) -> None:
    outboxes = [outbox(f"service {number}", times_of_one) for number, times_of_one in enumerate(times)]
    together = merge(outboxes)
    assert [[row for row in together if row.service == f"service {number}"] for number in range(len(times))] == outboxes
    assert len(together) == sum(map(len, outboxes))


@given(st.lists(seconds.map(sorted), max_size=5))
def test_outboxes_whose_clocks_never_went_back_merge_by_time(times: list[list[int]]) -> None:
    together = merge([outbox(f"service {number}", times_of_one) for number, times_of_one in enumerate(times)])
    assert all(earlier.recorded_at <= later.recorded_at for earlier, later in pairwise(together))


def test_a_partition_is_told_since_what_its_slowest_reader_knows() -> None:
    progress = {service: {(ORDERS, 0): MORNING + timedelta(hours=number)} for number, service in enumerate(SERVICES)}
    assert oldest_unread(progress) == {(ORDERS, 0): MORNING - MARGIN}


def test_a_partition_one_of_its_readers_has_never_read_is_told_from_the_beginning() -> None:
    progress = {service: {(ORDERS, 0): MORNING} for service in SERVICES} | {"notify": {(ORDERS, 1): MORNING}}
    assert oldest_unread(progress) == {}


def test_a_partition_whose_last_record_had_no_time_is_told_from_the_beginning() -> None:
    assert oldest_unread({"order": {(INBOUND, 0): None}}) == {}
    assert oldest_unread({"order": {(INBOUND, 0): MORNING}}) == {(INBOUND, 0): MORNING - MARGIN}


async def test_what_was_read_by_all_is_not_told_and_what_lagged_behind_is(parts: Parts) -> None:
    databases = await databases_with_tables(parts)
    hour = timedelta(hours=1)
    await insert(databases["order"], ORDERS, "read by all", recorded=MORNING - 2 * hour, published=MORNING - 2 * hour)
    await insert(databases["order"], ORDERS, "published late", recorded=MORNING - hour, published=MORNING + hour)
    await insert(databases["order"], ORDERS, "never published", recorded=MORNING - hour, published=None)
    await insert(databases["finance"], ORDERS, "unread", recorded=MORNING + hour, published=MORNING + hour)
    for url in databases.values():
        await execute(
            url,
            "INSERT INTO progress SELECT $1, partition, 7, $2 FROM generate_series(0, $3) AS partition",
            ORDERS,
            MORNING,
            PARTITIONS_EMBEDDED - 1,
        )
    assert await republish(databases, parts.kafka) == 3
    assert {"published late", "never published", "unread"} <= set(await bodies(parts, ORDERS))
    assert "read by all" not in await bodies(parts, ORDERS)
    assert await execute(databases["order"], "SELECT 1 FROM outbox WHERE published_at IS NULL") == "SELECT 0"


async def test_many_and_large_rows_arrive_in_order_within_their_partition(parts: Parts) -> None:
    databases = await databases_with_tables(parts)
    await execute(
        databases["project"],
        """INSERT INTO outbox SELECT number, gen_random_uuid(), $1, 'key ' || number % 7, 'a.v1', '{"ce_id": "ü"}',
           'many ' || lpad(number::text, 5, '0') || CASE WHEN number % 200 = 0 THEN repeat('x', $2) ELSE '' END,
           $3::timestamptz + number * interval '1 second', NULL FROM generate_series(1, 1300) AS number""",
        ORDERS,
        MESSAGE_BYTES_MAX // 3,
        MORNING,
    )
    assert await republish(databases, parts.kafka) == 1300
    many = [body[:10] for body in await bodies(parts, ORDERS) if body.startswith("many")]
    assert sorted(many) == [f"many {number:05}" for number in range(1, 1301)]
    for key in range(7):
        of_key = [body for body in many if int(body.removeprefix("many ")) % 7 == key]
        assert of_key == sorted(of_key)


async def test_the_directory_alone_is_told_from_the_beginning(parts: Parts) -> None:
    databases = await databases_with_tables(parts)
    await insert(databases["gateway"], DIRECTORY, "a user", recorded=MORNING, published=MORNING)
    await insert(databases["gateway"], ORDERS, "of no interest", recorded=MORNING, published=None)
    assert await republish(databases, parts.kafka, only_topics=[DIRECTORY]) == 1
    assert "a user" in await bodies(parts, DIRECTORY)
    assert "of no interest" not in await bodies(parts, ORDERS)


async def test_a_row_becomes_the_record_the_relay_would_have_made(parts: Parts) -> None:
    databases = await databases_with_tables(parts)
    await insert(databases["order"], "order.dead-letter", "a body", recorded=MORNING, published=None)
    await republish(databases, parts.kafka)
    (record,) = [record for record in await records(parts, "order.dead-letter") if record.value == b"a body"]
    assert record.key == b"a body"
    assert dict(record.headers) == {"ce_id": b"1", "ce_time": b"2026-11-02T08:00:00+00:00"}


async def databases_with_tables(parts: Parts) -> dict[str, str]:
    await parts.create_topics("")
    databases = {}
    for service in SERVICES:
        url = await parts.create_database(f"republish_{service}_{uuid4().hex}")
        databases[service] = url.replace("+asyncpg", "")
        await execute(databases[service], OUTBOX)
    return databases


async def insert(url: str, topic: str, body: str, *, recorded: datetime, published: datetime | None) -> None:
    statement = """
        INSERT INTO outbox SELECT count(*) + 1, gen_random_uuid(), $1, $2, 'a.v1', '{"ce_id": "1"}', $2, $3, $4
        FROM outbox
    """
    await execute(url, statement, topic, body, recorded, published)


async def execute(url: str, statement: str, *arguments: object) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.execute(statement, *arguments))
    finally:
        await connection.close()


async def bodies(parts: Parts, topic: str) -> list[str]:
    return [record.value.decode() for record in await records(parts, topic)]


async def records(parts: Parts, topic: str) -> list[ConsumerRecord]:
    """Return all that is on `topic`: a broker's end offsets are not asked, since Tansu's are too low."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=parts.bootstrap_servers, fetch_max_wait_ms=20, max_partition_fetch_bytes=MESSAGE_BYTES_MAX
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS_EMBEDDED)])
        await consumer.seek_to_beginning()
        found: list[ConsumerRecord] = []
        while batch := await consumer.getmany(timeout_ms=300):
            found += [record for records in batch.values() for record in records]
        return found
    finally:
        await consumer.stop()
