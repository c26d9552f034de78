"""S3: what the relay moves from the outbox to the broker, against a producer that has nothing else to do."""

import asyncio
import json
import statistics
import time
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer

from bench import facts
from bench.facts import Fact
from bench.figure import Figure, Measurement
from bench.parts import Bus, running_bus
from chassis.relay import ROWS_MAX, Relay
from contracts.topics import MESSAGE_BYTES_MAX

NAME, SECONDS = "relaying", 60
FACTS_PER_ROUND = 12_000
ROUNDS_MAX = 7
GOAL = 0.7
POLL_SECONDS = 0.01


def measure(seconds: float) -> Measurement:
    return asyncio.run(_measure(seconds))


async def _measure(seconds: float) -> Measurement:
    """Turn and turn about, because the broker gets slower with what it holds and the machine has its moods."""
    raw: list[float] = []
    relayed: list[float] = []
    until = time.monotonic() + seconds
    async with running_bus() as bus:
        await _produce(bus, facts.some(ROWS_MAX))  # the first request of a producer waits for metadata
        while not raw or (time.monotonic() < until and len(raw) < ROUNDS_MAX):
            raw.append(FACTS_PER_ROUND / await _produce(bus, facts.some(FACTS_PER_ROUND)))
            relayed.append(FACTS_PER_ROUND / await _relay(bus, facts.some(FACTS_PER_ROUND)))
    figure = Figure(
        what="outbox relay",
        value=statistics.median(relayed),
        unit="messages/s",
        against=statistics.median(raw),
        against_what="raw pipelined producer",
        goal=GOAL,
        bound="at least",
    )
    return Measurement([figure], _details(raw, relayed))


async def _produce(bus: Bus, sent: list[Fact]) -> float:
    """Seconds for `sent`, pipelined, in batches as large as the relay's."""
    started = time.perf_counter()
    producer = AIOKafkaProducer(
        **bus.settings.client_options,
        acks="all",
        max_batch_size=MESSAGE_BYTES_MAX,
        max_request_size=MESSAGE_BYTES_MAX,
    )
    async with producer:
        for each in sent:
            await producer.send(
                bus.topic(each.topic), each.body.encode(), key=each.key.encode(), headers=each.wire_headers()
            )
        await producer.flush()
    return time.perf_counter() - started


async def _relay(bus: Bus, told: list[Fact]) -> float:
    """Seconds until all of `told`, recorded before, is acknowledged and marked."""
    connection = await bus.connect()
    await connection.execute("TRUNCATE outbox")
    await connection.copy_records_to_table(
        "outbox",
        columns=("event_id", "topic", "key", "type", "headers", "body"),
        records=[(e.event_id, e.topic, e.key, e.type, json.dumps(e.headers), e.body) for e in told],
    )
    await connection.execute("ANALYZE outbox")
    last = await connection.fetchval("SELECT max(position) FROM outbox")
    started = time.perf_counter()
    relay = asyncio.create_task(Relay(bus.database, service="bench", settings=bus.settings).run())
    try:
        while await connection.fetchval("SELECT published_at IS NULL FROM outbox WHERE position = $1", last):
            await asyncio.sleep(POLL_SECONDS)
        seconds = time.perf_counter() - started
    finally:
        relay.cancel()
        with suppress(asyncio.CancelledError):
            await relay
    assert not await connection.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL")
    await connection.close()
    return seconds


def _details(raw: list[float], relayed: list[float]) -> dict[str, Any]:
    return {
        "facts_per_round": FACTS_PER_ROUND,
        "bytes_per_fact": round(sum(len(each.body.encode()) for each in facts.some(120)) / 120),
        "producer_by_round": [round(each) for each in raw],
        "relay_by_round": [round(each) for each in relayed],
    }
