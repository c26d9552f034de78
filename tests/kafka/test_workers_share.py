"""Several workers of one service, on partitions that move between them: each fact once, each order in order."""

import asyncio
import random
from collections.abc import AsyncIterator

import asyncpg
import pytest

from apache import needs_apache_kafka
from chassis.ids import new_id
from chassis.relay import LOCK
from chassis.worker import Worker
from contracts.topics import DIRECTORY, INBOUND, ORDERS
from effects import Effects, orders
from orderloom.parts import Parts
from orderloom.repartition import CannotRepartition, Repartitioning
from orderloom.topics import create_topics
from probe import eventually, running_probe

pytestmark = needs_apache_kafka

PARTITIONS = 8
PATIENCE_SECONDS = 90
SEED = 11


@pytest.fixture
async def effects(parts: Parts) -> AsyncIterator[Effects]:
    prefix = f"{new_id().hex}."
    await create_topics(parts.kafka, partitions=PARTITIONS, prefix=prefix)
    async with running_probe(parts, topic_prefix=prefix, **parts.kafka_settings) as probe:
        effects = Effects(probe)
        await effects.prepare()
        yield effects
        await effects.running.aclose()


@pytest.mark.parametrize("count", [2, 4])
async def test_several_workers_of_one_service_share_the_work(effects: Effects, count: int) -> None:
    workers = [effects.worker(f"worker {number}") for number in range(count)]
    for worker in workers:
        await effects.running.enter_async_context(worker.running())
    await eventually(lambda: _have_shares(workers, PARTITIONS // count), timeout_seconds=PATIENCE_SECONDS)
    several = orders(60)
    for _ in range(3):
        await effects.tell(several)
    await eventually(effects.are_all_applied, timeout_seconds=PATIENCE_SECONDS)
    await effects.assert_each_once_and_in_order()
    assert {worker for worker, _, _ in await effects.applied()} == {f"worker {number}" for number in range(count)}


async def _have_shares(workers: list[Worker], share: int) -> bool:
    owned = [
        sum(1 for consumer in worker._consumers() for each in consumer.assignment() if each.topic.endswith(ORDERS))
        for worker in workers
    ]
    return owned == [share] * len(workers)


async def test_workers_that_come_go_and_die_lose_and_double_nothing(effects: Effects) -> None:
    randomness, several = random.Random(SEED), orders(40)
    alive: list[tuple[Worker, asyncio.Event, asyncio.Task[None]]] = []

    async def work(worker: Worker, may_end: asyncio.Event) -> None:
        async with worker.running():
            await may_end.wait()

    def come() -> None:
        worker, may_end = effects.worker(f"worker {next(effects.names)}"), asyncio.Event()
        alive.append((worker, may_end, asyncio.create_task(work(worker, may_end))))

    async def go() -> None:
        _, may_end, task = alive.pop(randomness.randrange(len(alive)))
        may_end.set()
        await task

    async def die() -> None:
        """Without finishing anything, as by a kill: what it held is another's when its session is over."""
        worker, may_end, task = alive.pop(randomness.randrange(len(alive)))
        for each in worker._tasks:
            each.cancel()
        await worker.database.close()
        may_end.set()
        await asyncio.wait([task], timeout=20)

    come()
    for _ in range(24):
        await effects.tell(several)
        action = randomness.choice(["come", "go", "die", "nothing"])
        if action == "come" and len(alive) < 4:
            come()
        elif action in ("go", "die") and len(alive) > 1:
            await (go() if action == "go" else die())
        await asyncio.sleep(randomness.uniform(0.05, 0.5))
    await eventually(effects.are_all_applied, timeout_seconds=PATIENCE_SECONDS)
    await effects.assert_each_once_and_in_order()
    for _, may_end, task in alive:
        may_end.set()
        await task


async def test_a_topic_gets_more_partitions_under_load_and_each_order_stays_in_order(effects: Effects) -> None:
    for number in range(2):
        await effects.running.enter_async_context(effects.worker(f"worker {number}").running())
    several, is_enough = orders(60), asyncio.Event()

    async def load() -> None:
        while not is_enough.is_set():
            await effects.tell(several)
            await asyncio.sleep(0.05)

    loading = asyncio.create_task(load())
    await asyncio.sleep(1)
    said: list[str] = []
    await _repartitioning(effects, 3 * PARTITIONS).run(said.append)
    await asyncio.sleep(1)
    is_enough.set()
    await loading
    await eventually(effects.are_all_applied, timeout_seconds=PATIENCE_SECONDS)
    await effects.assert_each_once_and_in_order()
    assert said[-1] == f"orders has {3 * PARTITIONS} partitions instead of {PARTITIONS}"
    used = {record.partition for record in await effects.probe.records(ORDERS, partitions=3 * PARTITIONS)}
    assert any(partition >= PARTITIONS for partition in used)


async def test_fewer_partitions_and_topics_of_systems_outside_are_refused(effects: Effects) -> None:
    with pytest.raises(CannotRepartition, match="only become more"):
        await _repartitioning(effects, PARTITIONS).run(lambda said: None)
    with pytest.raises(CannotRepartition, match=f"choose one of {ORDERS}, {DIRECTORY}"):
        await _repartitioning(effects, 99, topic=INBOUND).run(lambda said: None)


async def test_relays_go_on_after_somebody_asked_them_to_rest(effects: Effects) -> None:
    await effects.running.enter_async_context(effects.worker("one").running())
    await effects.tell(orders(1))
    await eventually(effects.are_all_applied)
    connection = await asyncpg.connect(effects.probe.settings.database_url.get_secret_value().replace("+asyncpg", ""))
    await connection.execute("SELECT pg_advisory_lock($1)", LOCK, timeout=10)
    await effects.tell(effects.told)
    await asyncio.sleep(1)
    assert not await effects.are_all_applied()
    await connection.close()
    await eventually(effects.are_all_applied)


def _repartitioning(effects: Effects, partitions: int, topic: str = ORDERS) -> Repartitioning:
    settings = effects.probe.settings
    databases = {"order": settings.database_url.get_secret_value().replace("+asyncpg", "")}
    return Repartitioning(databases, settings, topic, partitions, settings.topic_prefix)
