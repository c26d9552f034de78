"""S7: from the commit of a fact to the consumer that sees it, against the least that the same parts can do."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from sqlalchemy.ext.asyncio import AsyncSession

from bench.figure import Figure, Measurement
from bench.parts import Bus, running_bus
from chassis import outbox, roots
from chassis.consumers import Consumers
from chassis.ids import new_id
from chassis.worker import Worker
from contracts import topics
from contracts.order import OrderHeld

NAME, SECONDS = "waking", 60
GOAL = 3.0
PAUSE_SECONDS_MAX = 0.06
"""At random between two facts, so that none of them meets the broker's rhythm."""
PER_BLOCK = 25
PATIENCE_SECONDS = 30.0
CAUSE = outbox.Cause(id="bench", actor="system:bench")


class Root(roots.Root):
    """An order of which only this process knows: there is nothing to lock."""

    def __init__(self) -> None:
        self.order_id, self.order_no, self.version = new_id(), "SO-0", 0


def measure(seconds: float) -> Measurement:
    return asyncio.run(_measure(seconds))


async def _measure(seconds: float) -> Measurement:
    """In turns of some facts each, so that both meet the same moods of the machine."""
    seen: list[float] = []
    least: list[float] = []
    async with running_bus() as bus:
        probe = Probe()
        service = f"probe-{new_id().hex}"
        worker = Worker(bus.settings, bus.database, service=service, consumers=[probe.consumers], root=None)
        async with worker.running(), RawParts(bus) as raw:
            await _until_assigned(worker)
            await _block(lambda: probe.see(bus), [])  # the first ones pay for connections and prepared statements
            until = time.monotonic() + seconds
            while not seen or time.monotonic() < until:
                await _block(lambda: probe.see(bus), seen)
                await _block(raw.round_trip, least)
    return Measurement([_figure(seen, least)], _details(seen, least))


def _figure(seen: list[float], least: list[float]) -> Figure:
    return Figure(
        what="commit → consumer sees the event, p50",
        value=statistics.median(seen),
        unit="ms",
        against=statistics.median(least),
        against_what="one commit + one produce/fetch round trip",
        goal=GOAL,
        bound="at most",
    )


async def _until_assigned(worker: Worker) -> None:
    async with asyncio.timeout(60):
        while worker.trouble:
            await asyncio.sleep(0.05)


async def _block(once: Callable[[], Awaitable[float]], into: list[float]) -> None:
    for _ in range(PER_BLOCK):
        await asyncio.sleep(random.random() * PAUSE_SECONDS_MAX)
        into.append(await once() * 1000)


class Probe:
    """Tells a fact through the outbox and waits until its own consumer is handed it."""

    def __init__(self) -> None:
        self.consumers = Consumers("probe")
        self.consumers.on(OrderHeld)(self.hear)
        self._waiting: dict[UUID, asyncio.Future[float]] = {}

    async def hear(self, event: OrderHeld, session: AsyncSession) -> None:
        if waiting := self._waiting.pop(event.order_id, None):
            waiting.set_result(time.perf_counter())

    async def see(self, bus: Bus) -> float:
        """Seconds from just before the commit, as in the round trip, to the consumer's handler."""
        root = Root()
        seen: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[root.order_id] = seen
        async with bus.database.transaction(CAUSE) as session:
            session.info["roots"] = {root.order_id: root}
            outbox.record(session, OrderHeld(order_id=root.order_id, reason="a reason", by="user:bench"))
            started = time.perf_counter()
        return await asyncio.wait_for(seen, PATIENCE_SECONDS) - started


class RawParts:
    """A connection, a producer and a consumer without anything around them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._topic = bus.topic(topics.OUTBOUND)
        self._consumer = AIOKafkaConsumer(
            **bus.settings.client_options, fetch_max_wait_ms=bus.settings.fetch_max_wait_ms
        )
        self._producer = AIOKafkaProducer(**bus.settings.client_options, acks="all")
        self._connection: asyncpg.Connection

    async def __aenter__(self) -> "RawParts":
        self._connection = await self._bus.connect()
        await self._connection.execute("CREATE TABLE bench_commits (id uuid PRIMARY KEY, body text)")
        await self._producer.start()
        await self._consumer.start()
        partition = TopicPartition(self._topic, 0)
        self._consumer.assign([partition])
        await self._consumer.seek_to_end(partition)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()
        await self._producer.stop()
        with suppress(asyncpg.PostgresError):
            await self._connection.close()

    async def round_trip(self) -> float:
        """Seconds for one committed row, and for one record there and back with a consumer that waits for it."""
        body = OrderHeld(order_id=new_id(), reason="a reason", by="user:bench").model_dump_json()
        fetched = asyncio.create_task(self._consumer.getone())
        await asyncio.sleep(0.02)  # it is waiting by now
        started = time.perf_counter()
        await self._connection.execute("INSERT INTO bench_commits VALUES ($1, $2)", new_id(), body)
        await self._producer.send_and_wait(self._topic, body.encode(), partition=0)
        await asyncio.wait_for(fetched, PATIENCE_SECONDS)
        return time.perf_counter() - started


def _details(seen: list[float], least: list[float]) -> dict[str, Any]:
    return {
        "facts": len(seen),
        "fetch_max_wait_ms": 25,
        "seen_p50_p95_ms": _spread(seen),
        "round_trip_p50_p95_ms": _spread(least),
    }


def _spread(values: list[float]) -> list[float]:
    cuts = statistics.quantiles(values, n=20)
    return [round(statistics.median(values), 2), round(cuts[18], 2)]
