"""A database that was restored has forgotten: it is read again, and what nobody else can tell is found."""

import asyncio
from datetime import timedelta
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text

from chassis import ids, outbox
from chassis.application import Service
from chassis.clock import utc_now
from chassis.database import ChassisModel
from chassis.forgotten import forgotten, line
from chassis.ids import new_id
from chassis.inbox import ACKNOWLEDGE_SECONDS
from chassis.settings import ServiceSettings
from contracts import topics
from contracts.order import OrderHeld
from order.app import service as order_service
from probe import SERVICE, Probe, eventually


async def test_a_service_reads_again_what_its_database_has_forgotten(probe: Probe) -> None:
    before, after = new_id(), new_id()
    await probe.hold(before)
    async with probe.worker().running():
        await eventually(lambda: probe.has_applied(before))
        await eventually(lambda: _has_progress(probe))
        kept = await _tables(probe)
        await asyncio.sleep(ACKNOWLEDGE_SECONDS)  # sooner, only the next batch would be committed
        await probe.hold(after)
        await eventually(lambda: probe.has_applied(after))
        await eventually(lambda: _is_committed(probe, 2))
    await _set_back(probe, kept)
    probe.applied.clear()
    await probe.start()
    await eventually(lambda: probe.has_applied(after))
    assert not await probe.has_applied(before)


async def test_a_service_whose_database_knows_all_reads_nothing_again(probe: Probe) -> None:
    first, second = new_id(), new_id()
    await probe.hold(first)
    async with probe.worker().running():
        await eventually(lambda: probe.has_applied(first))
        await eventually(lambda: _is_committed(probe, 1))
    async with probe.database.transaction() as session:
        await session.execute(text("DELETE FROM inbox"))  # whatever is read again would be applied again
    await probe.hold(second)
    await probe.start()
    await eventually(lambda: probe.has_applied(second))
    assert probe.applied == [(str(first), OrderHeld.type), (str(second), OrderHeld.type)]


async def test_facts_that_the_bus_has_and_the_teller_has_not_are_found(probe: Probe) -> None:
    kept, lost, ancient = new_id(), new_id(), new_id()
    await _told(probe, kept)
    await probe.hold(lost, ce_subject=b"SO-000007")
    await probe.hold(new_id(), ce_source=b"finance")
    await probe.hold(ancient, ce_time=(utc_now() - timedelta(days=15)).isoformat().encode())
    await probe.send(b"not json", key=b"nobody", ce_id=b"\xff", ce_time=None)
    found = [fact async for fact in forgotten(probe.database, probe.settings, service=SERVICE)]
    assert [fact.key for fact in found] == [str(lost)]
    assert "order.held.v1 SO-000007 user:wang {" in line(found[0])


async def test_the_command_fails_while_something_is_forgotten(probe: Probe) -> None:
    service = Service(
        name=SERVICE,
        settings=ServiceSettings,
        routers=(),
        consumers=[probe.consumers],
        root=None,
        metadata=ChassisModel.metadata,
        migrations=order_service.migrations,
    )
    assert await service._say_what_is_forgotten(probe.settings) == 0
    await probe.hold(new_id())
    assert await service._say_what_is_forgotten(probe.settings) == 1


def test_what_follows_from_a_fact_has_the_same_ids_when_it_is_done_again() -> None:
    cause = new_id()

    def done(name: str) -> list[UUID]:
        with ids.following(cause, name):
            return [new_id() for _ in range(3)]

    first, again, other = done("finance"), done("finance"), done("project.effects")
    assert first == again == sorted(first)
    assert len({*first, *other}) == 6
    assert all(each.version == 7 and each.int >> 80 == cause.int >> 80 for each in first + other)
    assert new_id() not in first


async def _told(probe: Probe, order_id: UUID) -> None:
    """In the outbox, and on the bus under the same id."""
    async with probe.database.transaction() as session:
        body = OrderHeld(order_id=order_id, reason="x", by="user:wang").model_dump_json()
        headers = {"ce_source": SERVICE, "ce_actor": "user:wang"}
        outbox.forward(session, topic=topics.ORDERS, key=str(order_id), type=OrderHeld.type, headers=headers, body=body)
        await session.flush()
        event_id = await session.scalar(text("SELECT event_id FROM outbox"))
    await probe.hold(order_id, ce_id=str(event_id).encode())


async def _has_progress(probe: Probe) -> bool:
    return await probe.count("progress") > 0


async def _is_committed(probe: Probe, count: int) -> bool:
    """That so many were read, as the group knows."""
    prefix = probe.settings.topic_prefix
    consumer = AIOKafkaConsumer(**probe.settings.client_options, group_id=prefix + SERVICE, enable_auto_commit=False)
    async with consumer:
        partitions = [TopicPartition(prefix + topics.ORDERS, number) for number in range(topics.PARTITIONS_EMBEDDED)]
        consumer.assign(partitions)
        return sum([await consumer.committed(partition) or 0 for partition in partitions]) >= count


async def _tables(probe: Probe) -> list[tuple[object, ...]]:
    async with probe.database.transaction() as session:
        return [tuple(row) for row in await session.execute(text('SELECT topic, partition, "offset" FROM progress'))]


async def _set_back(probe: Probe, progress: list[tuple[object, ...]]) -> None:
    """To when only the first fact was read."""
    async with probe.database.transaction() as session:
        rows = await session.execute(text("SELECT event_id FROM inbox ORDER BY received_at OFFSET 1"))
        for row in rows.all():
            await session.execute(text("DELETE FROM inbox WHERE event_id = :id"), {"id": row.event_id})
        await session.execute(text("DELETE FROM progress"))
        insert = text('INSERT INTO progress (topic, partition, "offset") VALUES (:topic, :partition, :offset)')
        for topic, partition, offset in progress:
            await session.execute(insert, {"topic": topic, "partition": partition, "offset": offset})


def test_what_lists_go_by_has_an_id_of_its_moment_though_a_fact_of_long_ago_is_applied() -> None:
    long_ago = UUID("01900000-0000-7000-8000-000000000000")
    before = ids.id_of_now()
    with ids.following(long_ago, "probe"):
        assert new_id().int >> 80 == long_ago.int >> 80
        assert ids.id_of_now().int >> 80 >= before.int >> 80
