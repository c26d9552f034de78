"""Facts leave with their transaction, in order, at least once."""

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis import outbox, roots
from chassis.ids import new_id
from chassis.relay import Relay
from contracts import topics
from contracts.directory import ClientRegistered
from contracts.order import OrderHeld
from order.models import Order
from order_world import MANAGER, ORDER, SALES, ready
from probe import Probe, eventually
from stack import Running


async def test_a_fact_about_an_order_that_is_not_locked_is_refused(order_service: Running) -> None:
    await ready(order_service)
    order_id = (await order_service.post("/orders", SALES, json=ORDER)).json()["order_id"]
    held = OrderHeld(order_id=order_id, reason="a reason", by="user:li")
    async with order_service.database.transaction(outbox.Cause(id="x", actor="system:test")) as session:
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
        async with order_service.database.transaction(outbox.Cause(id="x", actor="system:test")) as session:
            outbox.record_in_directory(session, ClientRegistered(client_id=new_id(), code="C", name="N"))
            raise RuntimeError("after the record, before the commit")
    assert await order_service.count("outbox") == before


async def test_a_relay_killed_between_publish_and_mark_publishes_again_in_the_same_order(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = [ClientRegistered(client_id=new_id(), code=f"C-{number}", name="N") for number in range(20)]
    async with probe.database.transaction(outbox.Cause(id="x", actor="system:test")) as session:
        for client in clients:
            outbox.record_in_directory(session, client)
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


async def test_what_was_rejected_can_be_placed_again_under_the_same_number(order_service: Running) -> None:
    await ready(order_service)
    placed = (await order_service.post("/orders", SALES, json=ORDER)).json()
    path = f"/orders/{placed['order_id']}"
    await order_service.post(f"{path}/rejection", MANAGER, json={"reason": "too cheap"})
    again = await order_service.post(f"{path}/placement", SALES)
    assert (again.json()["order_no"], again.json()["revision"]) == (placed["order_no"], 2)
