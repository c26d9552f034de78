"""Facts leave with their transaction, in order, at least once."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import outbox, roots
from chassis.ids import new_id
from chassis.relay import IS_ASKED_FOR, LOCK, ROWS_MAX, Relay
from contracts import topics
from contracts.directory import ClientRegistered
from contracts.order import OrderHeld
from order.models import Order
from order_world import MANAGER, ORDER, SALES, ready
from probe import Probe, eventually
from stack import Running

CAUSE = outbox.Cause(id="x", actor="system:test")


async def test_a_fact_about_an_order_that_is_not_locked_is_refused(order_service: Running) -> None:
    await ready(order_service)
    order_id = (await order_service.post("/orders", SALES, json=ORDER)).json()["order_id"]
    held = OrderHeld(order_id=order_id, reason="a reason", by="user:li")
    async with order_service.database.transaction(CAUSE) as session:
        await session.get(Order, order_id)  # read, but not locked
        with pytest.raises(outbox.RootNotLocked):
            outbox.record(session, held)
        await roots.lock(session, Order, held.order_id)
        outbox.record(session, held)
    assert len(await order_service.told("order.held.v1")) == 1


async def test_nothing_leaves_when_the_transaction_fails(order_service: Running) -> None:
    await ready(order_service)
    before = await order_service.count("outbox")
    with pytest.raises(RuntimeError):
        async with order_service.database.transaction(CAUSE) as session:
            outbox.record_in_directory(session, ClientRegistered(client_id=new_id(), code="C", name="N"))
            raise RuntimeError("after the record, before the commit")
    assert await order_service.count("outbox") == before


async def test_a_relay_killed_between_publish_and_mark_publishes_again_in_the_same_order(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [ClientRegistered(client_id=new_id(), code=f"C-{number}", name="N") for number in range(20)]
    await _record(probe, *clients)
    published = asyncio.Event()

    async def die_before_marking(self: Relay, connection: AsyncConnection, positions: list[int]) -> None:
        published.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(Relay, "mark", die_before_marking)
        dying = asyncio.create_task(probe.worker().relay.run())
        await published.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    relaying = asyncio.create_task(probe.worker().relay.run())

    async def is_told_twice() -> bool:
        return len(await probe.records(topics.DIRECTORY)) >= 2 * len(clients)

    await eventually(is_told_twice)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    by_partition: dict[int, list[str]] = {}
    for record in await probe.records(topics.DIRECTORY):
        by_partition.setdefault(record.partition, []).append(record.key.decode())
    told = [str(client.client_id) for client in clients]
    for keys in by_partition.values():
        in_order = [key for key in told if key in keys]
        assert keys == in_order * 2


async def test_a_fact_committed_while_others_were_on_their_way_is_told_before_a_later_one_of_its_key(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ClientRegistered(client_id=new_id(), code="K", name="first")
    second = first.model_copy(update={"name": "second"})
    others = [ClientRegistered(client_id=new_id(), code=f"C-{number}", name="N") for number in range(ROWS_MAX)]
    read_oldest = Relay._oldest
    slow = probe.database.transaction(CAUSE)
    session = await slow.__aenter__()
    outbox.record_in_directory(session, first)
    await session.flush()  # it has its position, and nobody sees it
    await _record(probe, *others)

    async def commit_both_before(self: Relay, connection: AsyncConnection, *, besides: Any = ()) -> Any:
        if besides and not await _is_published(probe, 1):
            await slow.__aexit__(None, None, None)
            await _record(probe, second)
        return await read_oldest(self, connection, besides=besides)

    monkeypatch.setattr(Relay, "_oldest", commit_both_before)
    relaying = asyncio.create_task(probe.worker().relay.run())
    await eventually(lambda: _is_published(probe, ROWS_MAX + 2))
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    told = [record for record in await probe.records(topics.DIRECTORY) if record.key.decode() == str(first.client_id)]
    assert [json.loads(record.value)["name"] for record in told] == ["first", "second"]


async def test_a_relay_killed_while_it_works_off_a_backlog_tells_nothing_before_what_came_first(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies when a batch has left and is not marked, and the next one is on its way."""
    client = ClientRegistered(client_id=new_id(), code="C", name="0")
    told = [client.model_copy(update={"name": str(number)}) for number in range(2 * ROWS_MAX + 1)]
    await _record(probe, *told)
    mark, dies = Relay.mark, asyncio.Event()

    async def die_when_marking_the_first(self: Relay, connection: AsyncConnection, positions: list[int]) -> None:
        if positions:
            dies.set()
            await asyncio.Event().wait()
        await mark(self, connection, positions)

    with monkeypatch.context() as patched:
        patched.setattr(Relay, "mark", die_when_marking_the_first)
        dying = asyncio.create_task(probe.worker().relay.run())
        await dies.wait()
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    assert not await _is_published(probe, 1)
    relaying = asyncio.create_task(probe.worker().relay.run())
    await eventually(lambda: _is_published(probe, len(told)))
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    names = [json.loads(record.value)["name"] for record in await probe.records(topics.DIRECTORY)]
    assert len(names) > len(told)
    assert list(dict.fromkeys(names)) == [each.name for each in told]


async def test_a_relay_that_is_asked_for_its_lock_leaves_nothing_unmarked_that_has_left(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.relay.ASKED_SECONDS", 0.0)
    await _record(probe, *[ClientRegistered(client_id=new_id(), code="C", name="N") for _ in range(3 * ROWS_MAX)])
    publish, is_asked = Relay._publish, asyncio.Event()

    async def ask_after_the_first(self: Relay, *arguments: Any, before: list[int]) -> Any:
        outcome = await publish(self, *arguments, before=before)
        is_asked.set()
        await eventually(lambda: _is_waited_for(probe))
        return outcome

    monkeypatch.setattr(Relay, "_publish", ask_after_the_first)
    relaying = asyncio.create_task(probe.worker().relay.run())
    await is_asked.wait()
    async with probe.database.transaction() as session:
        await session.execute(select(func.pg_advisory_lock(LOCK)))
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)
        left = len(await probe.records(topics.DIRECTORY))
        assert ROWS_MAX <= left < 3 * ROWS_MAX
        assert await _is_published(probe, left)


async def _is_waited_for(probe: Probe) -> bool:
    async with probe.database.transaction() as session:
        return bool(await session.scalar(IS_ASKED_FOR))


async def _record(probe: Probe, *clients: ClientRegistered) -> None:
    async with probe.database.transaction(CAUSE) as session:
        for client in clients:
            outbox.record_in_directory(session, client)


async def _is_published(probe: Probe, count: int) -> bool:
    published = select(func.count(outbox.OutboxMessage.published_at))
    async with probe.database.transaction() as session:
        return (await session.scalar(published) or 0) >= count


async def test_what_was_rejected_can_be_placed_again_under_the_same_number(order_service: Running) -> None:
    await ready(order_service)
    placed = (await order_service.post("/orders", SALES, json=ORDER)).json()
    path = f"/orders/{placed['order_id']}"
    await order_service.post(f"{path}/rejection", MANAGER, json={"reason": "too cheap"})
    again = await order_service.post(f"{path}/placement", SALES)
    assert (again.json()["order_no"], again.json()["revision"]) == (placed["order_no"], 2)
