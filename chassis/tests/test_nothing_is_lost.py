"""What FastStream would lose silently, amid good messages: nothing is lost here, and no key holds up another."""

import asyncio
import json
import operator
from typing import Any

import pytest
from aiokafka import TopicPartition
from faststream.kafka import KafkaBroker
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import applying, received, subscriber
from chassis.clock import utc_now
from chassis.errors import NotYetKnown
from chassis.ids import new_id
from chassis.parking import KeyNotParked
from contracts import topics
from contracts.order import OrderHeld, OrderResumed
from probe import Probe, eventually

SILENCE_SECONDS = 31
"""A consumer that polled for half a minute, and found nothing, once slept through the next."""


async def test_binary_and_null_headers_and_bad_json_lose_nothing(probe: Probe) -> None:
    first, poisoned, last = new_id(), new_id(), new_id()
    await probe.hold(first, sap=b"\xff\xfe")
    await probe.hold(first, nothing=None)
    declared: dict[str, Any] = {"content-type": b"application/json"}
    await probe.send(b"not json", key=str(poisoned).encode(), **declared)
    await probe.hold(last)
    await probe.start()
    await eventually(lambda: probe.has_applied(last))
    await eventually(lambda: _counts(probe, "parked_messages", 1))
    assert await probe.has_applied(first)
    assert await probe.count("inbox") == 4  # each entered once, the parked one too


async def test_a_handler_that_raises_applies_later(probe: Probe) -> None:
    order_id = new_id()
    probe.raises[str(order_id)] = [RuntimeError("once"), RuntimeError("and once more, alone")]
    await probe.hold(order_id)
    await probe.start()
    await eventually(lambda: probe.has_applied(order_id))
    assert await probe.count("parked_keys") == 0


async def test_a_fact_is_applied_though_the_clock_of_the_service_is_months_ahead(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "utc_now", lambda: utc_now() + 2 * applying.HORIZON)
    order_id = new_id()
    await probe.hold(order_id)
    await probe.start()
    await eventually(lambda: probe.has_applied(order_id))
    assert await probe.count("parked_keys") == 0


async def test_a_busy_bus_is_read_in_larger_batches_without_loss_or_disorder(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "BUSY_PER_SECOND", 1.0)
    orders = [new_id() for _ in range(40)]
    for order_id in orders[:8]:
        await probe.hold(order_id, sap=b"\xff\xfe")
    await probe.start()
    for order_id in orders[8:]:
        await probe.hold(order_id, nothing=None)
        await probe.resume(order_id)
    await eventually(lambda: probe.has_applied(orders[-1], OrderResumed.type))
    told = [(str(order_id), OrderHeld.type) for order_id in orders]
    told += [(str(order_id), OrderResumed.type) for order_id in orders[8:]]
    assert sorted(probe.applied) == sorted(told)
    for order_id in orders[8:]:
        held, resumed = (probe.applied.index((str(order_id), event.type)) for event in (OrderHeld, OrderResumed))
        assert held < resumed


async def test_what_comes_after_a_long_silence_is_heard_at_once(probe: Probe) -> None:
    first, second = new_id(), new_id()
    await probe.start()
    await probe.hold(first)
    await eventually(lambda: probe.has_applied(first))
    await asyncio.sleep(SILENCE_SECONDS)
    await probe.hold(second)
    await eventually(lambda: probe.has_applied(second), timeout_seconds=3)


@pytest.mark.parametrize("part", ["_coordinator._coordination_task", "_fetcher._fetch_task"])
async def test_a_consumer_of_which_a_part_has_died_is_replaced(probe: Probe, part: str) -> None:
    first, second = new_id(), new_id()
    worker = await probe.start()
    await probe.hold(first)
    await eventually(lambda: probe.has_applied(first))
    (consumer,) = worker._consumers()
    operator.attrgetter(part)(consumer).cancel()
    await probe.hold(second)
    await eventually(lambda: probe.has_applied(second))


async def test_a_worker_that_cannot_start_its_consumers_nor_stop_them_tries_again(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking = ["start", "stop"]

    def breaks_once(name: str) -> None:
        does = getattr(KafkaBroker, name)

        async def broken(self: KafkaBroker, *told: Any) -> None:
            if name in breaking:
                breaking.remove(name)
                raise RuntimeError(name)
            await does(self, *told)

        monkeypatch.setattr(KafkaBroker, name, broken)

    breaks_once("start")
    breaks_once("stop")
    order_id = new_id()
    await probe.hold(order_id)
    await probe.start()
    await eventually(lambda: probe.has_applied(order_id))
    assert not breaking


async def test_what_goes_away_by_itself_is_never_counted(probe: Probe) -> None:
    order_id = new_id()
    probe.raises[str(order_id)] = [ConnectionRefusedError("away")] * 6  # more than would park a key
    await probe.hold(order_id)
    await probe.start()
    await eventually(lambda: probe.has_applied(order_id))
    assert await probe.count("parked_keys") == 0


async def test_what_needs_a_fact_not_heard_of_yet_is_tried_again_and_no_other_key_waits_for_it(probe: Probe) -> None:
    waiting, healthy = new_id(), new_id()
    probe.raises[str(waiting)] = [NotYetKnown("the template")] * 4
    await probe.hold(waiting)
    await probe.start()
    await eventually(lambda: _counts(probe, "parked_messages", 1))
    await probe.resume(waiting)
    await probe.hold(healthy)
    await eventually(lambda: probe.has_applied(healthy))
    assert not await probe.has_applied(waiting)
    await eventually(lambda: probe.has_applied(waiting, OrderResumed.type))
    of_waiting = [event_type for order_id, event_type in probe.applied if order_id == str(waiting)]
    assert of_waiting == [OrderHeld.type, OrderResumed.type]
    assert await probe.count("parked_keys") == await probe.count("parked_messages") == 0
    assert await probe.records(topics.dead_letters("order")) == []


async def test_what_waited_and_cannot_be_applied_after_all_is_parked_for_somebody(probe: Probe) -> None:
    order_id = new_id()
    probe.raises[str(order_id)] = [NotYetKnown("the template")] * 3 + [RuntimeError("it does not fit")]
    await probe.hold(order_id)
    worker = await probe.start()
    await eventually(lambda: _waits_for_somebody(probe))
    assert await probe.count("parked_messages") == 1
    assert await worker.inbox.release("probe", str(order_id)) == 1


async def test_a_poisoned_key_is_parked_while_others_flow_and_release_applies_in_order(probe: Probe) -> None:
    poisoned, healthy = new_id(), new_id()
    probe.raises[str(poisoned)] = [RuntimeError(f"attempt {number}") for number in range(100)]
    await probe.hold(poisoned)
    await probe.hold(healthy)
    worker = await probe.start()
    await eventually(lambda: probe.has_applied(healthy))
    await eventually(lambda: _counts(probe, "parked_messages", 1))
    await probe.resume(poisoned)
    await eventually(lambda: _counts(probe, "parked_messages", 2))

    with pytest.raises(RuntimeError):  # not healed yet: nothing changes
        await worker.inbox.release("probe", str(poisoned))
    assert await probe.count("parked_messages") == 2

    probe.raises.clear()
    assert await worker.inbox.release("probe", str(poisoned)) == 2
    applied = [event_type for order_id, event_type in probe.applied if order_id == str(poisoned)]
    assert applied == [OrderHeld.type, OrderResumed.type]
    assert await probe.count("parked_messages") == 0
    with pytest.raises(KeyNotParked):
        await worker.inbox.release("probe", str(poisoned))


async def test_what_nobody_can_apply_goes_to_the_dead_letters_and_parks_no_key(probe: Probe) -> None:
    key, last = str(new_id()).encode(), new_id()
    await probe.send(b"\xff", key=key)
    await probe.send(b"a\0b", key=key)
    await probe.send(None, key=key)
    await probe.send(b"{}", key=key, ce_id=None)
    await probe.send(b"{}", key=key, ce_source=b"finance")  # not its teller
    await probe.send(b"{}", key=b"no order")
    await probe.send(b"{}", key=key, ce_actor=b"user:\nx")
    await probe.hold(last)
    await probe.start()
    await eventually(lambda: probe.has_applied(last))

    async def letters() -> list[Any]:
        found = [json.loads(record.value) for record in await probe.records(topics.dead_letters("order"))]
        return found if len(found) == 7 else []

    assert all(letter["reason"].startswith("Undeliverable") for letter in await eventually(letters))
    assert await probe.count("parked_keys") == 0


async def test_a_second_delivery_changes_nothing_and_what_is_not_handled_is_seen(probe: Probe) -> None:
    order_id, again = new_id(), str(new_id()).encode()
    unhandled = new_id()
    await probe.hold(order_id, ce_id=again)
    await probe.hold(order_id, ce_id=again)
    await probe.send(b"{}", key=str(order_id).encode(), ce_type=b"order.noted.v9", ce_id=str(unhandled).encode())
    last = new_id()
    await probe.hold(last)
    await probe.start()
    await eventually(lambda: probe.has_applied(last))
    await eventually(lambda: _counts(probe, "seen", 1))
    assert [each for each, _ in probe.applied].count(str(order_id)) == 1


async def test_a_fact_counts_as_read_only_when_what_stands_before_it_is_applied(probe: Probe) -> None:
    order_id, unhandled = new_id(), new_id()
    read_while_handling: list[bool] = []

    async def look(event: OrderHeld, session: AsyncSession) -> None:
        async with probe.database.transaction() as another:
            read_while_handling.append(await received.has_read(another, unhandled))

    probe.consumers.handlers[OrderHeld.type] = (OrderHeld, look)
    await probe.hold(order_id)
    await probe.send(b"{}", key=str(order_id).encode(), ce_type=b"order.noted.v9", ce_id=str(unhandled).encode())
    await probe.start()

    async def is_read() -> bool:
        async with probe.database.transaction() as session:
            return await received.has_read(session, unhandled)

    await eventually(is_read)
    assert read_while_handling == [False]


async def test_offsets_of_a_batch_in_hand_are_never_committed(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id, in_hand, may_end = new_id(), asyncio.Event(), asyncio.Event()

    async def wait(event: OrderHeld, session: AsyncSession) -> None:
        in_hand.set()
        await may_end.wait()

    probe.consumers.handlers[OrderHeld.type] = (OrderHeld, wait)
    worker = await probe.start()

    async def is_connected() -> bool:
        return worker.trouble is None

    apply = worker.inbox._apply

    async def apply_slowly(consumers: Any, deliveries: Any, *more: Any) -> None:
        await asyncio.sleep(0 if deliveries else 0.5)  # what has no effect is being written while the next batch comes
        await apply(consumers, deliveries, *more)

    monkeypatch.setattr(worker.inbox, "_apply", apply_slowly)
    await eventually(is_connected)
    await probe.send(b"{}", key=str(order_id).encode(), ce_type=b"order.noted.v9")  # nothing to do
    await asyncio.sleep(0.3)
    await probe.hold(order_id)
    await in_hand.wait()
    await asyncio.sleep(0.6)
    (held,) = [each for each in await probe.records(topics.ORDERS) if b"order.held.v1" in dict(each.headers).values()]
    (consumer,) = worker._consumers()
    committed = await consumer.committed(TopicPartition(held.topic, held.partition))
    may_end.set()
    assert (committed or 0) <= held.offset


async def test_a_fact_older_than_the_memory_of_the_inbox_is_parked(probe: Probe) -> None:
    order_id = new_id()
    await probe.hold(order_id, ce_time=b"2020-01-01T00:00:00+00:00")
    await probe.start()
    await eventually(lambda: _counts(probe, "parked_messages", 1))
    assert not await probe.has_applied(order_id)


async def test_a_request_from_outside_parks_nothing_and_is_given_up_after_some_attempts(probe: Probe) -> None:
    probe.raises["bad"] = [RuntimeError(f"attempt {number}") for number in range(100)]
    await probe.send(b"\xff", key=b"bad", topic=topics.INBOUND)
    await probe.send(b"{}", key=b"good", topic=topics.INBOUND)
    await probe.start()

    async def answered() -> bool:
        return [letter.key for letter in probe.answered] == ["good"] and len(probe.given_up) == 1

    await eventually(answered)
    assert await probe.count("parked_keys") == 0
    assert len(await probe.records(topics.dead_letters("order"))) <= 1


async def _waits_for_somebody(probe: Probe) -> bool:
    async with probe.database.transaction() as session:
        return bool(await session.scalar(text("SELECT count(*) FROM parked_keys WHERE NOT waits")))


async def _counts(probe: Probe, table: str, number: int) -> bool:
    return await probe.count(table) == number
