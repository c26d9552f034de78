"""S4: what a consumer with inbox and an effect applies, against one that reads batches and commits their offsets."""

import asyncio
import statistics
import time
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bench import facts
from bench.figure import Figure, Measurement
from bench.parts import SESSION_TIMEOUT_MS, Bus, running_bus
from chassis.consumers import Consumers
from chassis.database import COLUMN_TYPES, Row, new_metadata
from chassis.ids import new_id
from chassis.subscriber import RECORDS_MAX
from chassis.worker import Worker
from contracts import topics
from contracts.catalogue import EVENTS
from contracts.event import OrderEvent
from contracts.topics import MESSAGE_BYTES_MAX

NAME, SECONDS = "consuming", 60
FACTS = 40_000
"""More than a consumer fetches at once: what was fetched before the first record would count for nothing."""
ROUNDS_MAX = 5
GOAL = 0.2
POLL_SECONDS = 0.01
PATIENCE_SECONDS = 120.0


class Model(Row, DeclarativeBase):
    metadata = new_metadata()
    type_annotation_map = COLUMN_TYPES


class Effect(Model):
    """What a fact leaves behind in the probe's database."""

    __tablename__ = "bench_effects"

    effect_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID]
    type: Mapped[str]


def measure(seconds: float) -> Measurement:
    return asyncio.run(_measure(seconds))


async def _measure(seconds: float) -> Measurement:
    """Every round is one pass of each over the same records, in groups of their own."""
    raw: list[float] = []
    applied: list[float] = []
    until = time.monotonic() + seconds
    async with running_bus() as bus:
        await create_effects(bus)
        await _fill(bus)
        while not raw or (time.monotonic() < until and len(raw) < ROUNDS_MAX):
            raw.append(FACTS / await _read(bus))
            applied.append(FACTS / await _apply(bus))
    figure = Figure(
        what="consume: inbox and an effect row",
        value=statistics.median(applied),
        unit="messages/s",
        against=statistics.median(raw),
        against_what="raw batched consumer that commits",
        goal=GOAL,
        bound="at least",
    )
    return Measurement([figure], _details(raw, applied))


async def create_effects(bus: Bus) -> None:
    engine = create_async_engine(bus.settings.database_url.get_secret_value())
    async with engine.begin() as connection:
        await connection.run_sync(Model.metadata.create_all)
    await engine.dispose()


async def _fill(bus: Bus) -> None:
    producer = AIOKafkaProducer(**bus.settings.client_options, max_batch_size=MESSAGE_BYTES_MAX)
    async with producer:
        for each in facts.some(FACTS):
            await producer.send(
                bus.topic(each.topic), each.body.encode(), key=each.key.encode(), headers=each.wire_headers()
            )
        await producer.flush()


async def _read(bus: Bus) -> float:
    """Seconds from the first record to the last, each batch committed. As large as the chassis asks for them."""
    consumer = AIOKafkaConsumer(
        bus.topic(topics.ORDERS),
        **bus.settings.client_options,
        group_id=f"raw-{new_id().hex}",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=bus.settings.fetch_max_wait_ms,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=SESSION_TIMEOUT_MS // 5,
        max_partition_fetch_bytes=MESSAGE_BYTES_MAX,
    )
    started, count = 0.0, 0
    async with consumer:
        while count < FACTS:
            batch = await consumer.getmany(timeout_ms=1000, max_records=RECORDS_MAX)
            started = started or (time.perf_counter() if batch else 0.0)
            count += sum(len(records) for records in batch.values())
            if batch:
                await consumer.commit()
    return time.perf_counter() - started


async def _apply(bus: Bus) -> float:
    """Seconds from the first fact handed to the probe's consumer to the last effect committed."""
    connection = await bus.connect()
    await connection.execute("TRUNCATE inbox, seen, progress, bench_effects")
    probe = Probe()
    worker = Worker(bus.settings, bus.database, service=f"probe-{new_id().hex}", consumers=[probe.consumers], root=None)
    async with worker.running(), asyncio.timeout(PATIENCE_SECONDS):
        while not probe.count >= FACTS:
            await asyncio.sleep(POLL_SECONDS)
        while await connection.fetchval("SELECT count(*) FROM bench_effects") < FACTS:
            await asyncio.sleep(POLL_SECONDS)
        seconds = time.perf_counter() - probe.started
    assert await connection.fetchval("SELECT count(*) FROM inbox") == FACTS
    await connection.close()
    return seconds


class Probe:
    """A consumer of every fact about orders that leaves one row for each, after so many `seconds`."""

    def __init__(self, name: str = "probe", *, seconds: float = 0.0) -> None:
        self.count, self.started = 0, 0.0
        self.consumers = Consumers(name)
        self._seconds = seconds
        for event_class in EVENTS.values():
            if issubclass(event_class, OrderEvent):
                self.consumers.on(event_class)(self.leave_effect)

    async def leave_effect(self, event: OrderEvent, session: AsyncSession) -> None:
        self.started = self.started or time.perf_counter()
        if self._seconds:
            await asyncio.sleep(self._seconds)
        self.count += 1
        session.add(Effect(effect_id=new_id(), order_id=event.order_id, type=event.type))


def _details(raw: list[float], applied: list[float]) -> dict[str, Any]:
    return {
        "facts": FACTS,
        "records_per_batch_max": RECORDS_MAX,
        "raw_by_round": [round(each) for each in raw],
        "applied_by_round": [round(each) for each in applied],
    }
