"""The read model made again from the archive: the same as before, while it is read and goes on."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord
from gateway_world import ADMINISTRATOR, CLIENT, LIFE, ORDER, SALES, example, picture, placed
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox, roots
from chassis.applying import Applying
from chassis.archive import TYPE, ArchivedFact, envelope
from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.delivery import read
from chassis.ids import new_id
from chassis.rebuilding import Rebuilder
from contracts.event import Event
from contracts.order import OrderHeld, OrderPlaced
from portal.app import service
from portal.consumers import view
from portal.models import OrderView
from stack import Running, Who

OPERATOR = Who("ops", ("operator",))
DAMAGE = (
    "UPDATE order_views SET status = 'rejected', title = 'spoilt', total = 0",
    "UPDATE order_views SET instalments = '[]', revision = 7",
    "UPDATE task_views SET status = 'cancelled', assignee_id = NULL",
    "DELETE FROM task_views WHERE position > 2",
    "UPDATE timeline SET body = '{}' WHERE position = 3",
    "UPDATE timeline SET event_id = gen_random_uuid() WHERE position = 5",
    "DELETE FROM timeline WHERE position IN (1, 4)",
)


def from_archive(
    gateway: Running, facts: Sequence[ConsumerRecord], *, rebuild_id: UUID | None = None, forced: bool = False
) -> list[ConsumerRecord]:
    """The records that the archive would tell of a thread of `facts`."""
    rebuild_id = rebuild_id or new_id()
    records = []
    for position, record in enumerate(facts, start=1):
        fact = read(record, topic="orders")
        archived = ArchivedFact(
            rebuild_id=rebuild_id, position=position, length=len(facts), is_forced=forced, fact=fact
        )
        own = {"ce_id": str(new_id()), "ce_type": TYPE, "ce_time": utc_now().isoformat()}
        headers = own | envelope(archived, by="order")
        records.append(gateway.raw_record("gateway.rebuild", fact.key.encode(), fact.body.encode(), headers))
    return records


async def rebuild(gateway: Running, facts: Sequence[ConsumerRecord], *, forced: bool = False) -> dict[str, Any]:
    """What the gateway says of the rebuild afterwards."""
    rebuild_id = new_id()
    await gateway.worker.inbox.apply_all(from_archive(gateway, facts, rebuild_id=rebuild_id, forced=forced))
    await rebuild_all(gateway)
    answer = await gateway.get(f"/admin/read-model/rebuilds/{rebuild_id}", OPERATOR)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def rebuild_all(gateway: Running) -> None:
    rebuilder = service.rebuilder(gateway.worker.database)
    while await rebuilder.rebuild_next():
        pass


async def checksum(gateway: Running, order_id: UUID | None = None) -> dict[str, Any]:
    of_one = f"?order_id={order_id}" if order_id else ""
    answer = await gateway.get(f"/admin/read-model{of_one}", OPERATOR)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def change(gateway: Running, *statements: str) -> None:
    async with gateway.database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))


async def test_what_was_damaged_is_the_same_as_before_and_nothing_else_is_done_again(gateway: Running) -> None:
    other = await gateway.hear(placed(1))
    facts = await gateway.hear(*LIFE)
    before, shown = await checksum(gateway), await picture(gateway)
    assert before["rows"] == {"order_views": 2, "timeline": len(LIFE) + 1, "task_views": 6}
    done_before = [await gateway.rows(f"SELECT * FROM {table}") for table in ("outbox", "timers", "parked_messages")]
    heard = await gateway.count("inbox")

    await change(gateway, *DAMAGE)
    assert (await checksum(gateway))["sha256"] != before["sha256"]
    for order in (facts, other):
        said = await rebuild(gateway, order)
        assert (said["rebuilt"], said["failed"], said["behind"], said["waiting"]) == (1, 0, 0, 0), said
    assert await picture(gateway) == shown
    assert await checksum(gateway) == before
    done = [await gateway.rows(f"SELECT * FROM {table}") for table in ("outbox", "timers", "parked_messages")]
    assert done == done_before
    from_the_archive = len(facts) + len(other)
    assert await gateway.count("inbox") == heard + from_the_archive  # of the records themselves, no fact twice
    assert await gateway.count("archived_entries") == 0


async def test_an_order_that_is_gone_comes_back_and_goes_on(gateway: Running) -> None:
    facts = await gateway.hear(*LIFE[:-1])
    before = await checksum(gateway)
    await change(gateway, "DELETE FROM timeline", "DELETE FROM task_views", "DELETE FROM order_views")
    assert (await rebuild(gateway, facts))["rebuilt"] == 1
    assert await checksum(gateway) == before
    await gateway.hear(LIFE[-1])
    assert (await gateway.rows("SELECT version, status FROM order_views")) == [
        {"version": len(LIFE), "status": "closed"}
    ]


async def test_records_of_the_archive_that_come_twice_and_a_second_rebuild_change_nothing(gateway: Running) -> None:
    facts = await gateway.hear(*LIFE)
    before = await checksum(gateway)
    records = from_archive(gateway, facts)
    await gateway.hear_again(records[:10])
    await gateway.hear_again(records)
    await rebuild_all(gateway)
    await gateway.hear_again(records)
    await rebuild_all(gateway)
    assert await gateway.count("archived_entries") == 0
    assert (await rebuild(gateway, facts))["rebuilt"] == 1
    await gateway.hear_again(facts)
    assert await checksum(gateway) == before


async def test_nothing_changes_until_the_whole_thread_has_come(gateway: Running) -> None:
    facts = await gateway.hear(*LIFE)
    await change(gateway, *DAMAGE)
    damaged = await checksum(gateway)
    records = from_archive(gateway, facts)
    await gateway.worker.inbox.apply_all(records[:-1])
    await rebuild_all(gateway)
    assert await checksum(gateway) == damaged
    assert await gateway.count("archived_entries") == len(facts) - 1


async def test_what_the_archive_does_not_have_yet_is_kept(gateway: Running) -> None:
    facts = await gateway.hear(*LIFE)
    before = await checksum(gateway)
    await change(gateway, *DAMAGE)
    assert (await rebuild(gateway, facts[:-3]))["rebuilt"] == 1
    assert await checksum(gateway) == before


async def test_an_order_is_left_alone_when_the_archive_lacks_what_cannot_be_kept(gateway: Running) -> None:
    facts = await gateway.hear(*LIFE)
    before = await checksum(gateway)
    await change(gateway, "DELETE FROM timeline WHERE position > 20")
    damaged = await checksum(gateway)
    said = await rebuild(gateway, facts[:-3])
    assert (said["rebuilt"], said["behind"]) == (0, 1)
    (left,) = said["not_rebuilt"]
    assert (left["order_id"], left["outcome"]) == (str(ORDER), "behind")
    assert await checksum(gateway) == damaged
    assert (await rebuild(gateway, facts))["rebuilt"] == 1  # the archive has caught up
    assert await checksum(gateway) == before

    await change(gateway, "UPDATE order_views SET version = 99")
    assert (await rebuild(gateway, facts))["behind"] == 1
    assert (await rebuild(gateway, facts, forced=True))["rebuilt"] == 1
    assert await checksum(gateway) == before


async def test_a_row_of_the_timeline_whose_id_was_damaged_is_not_taken_for_a_fact(gateway: Running) -> None:
    facts = await gateway.hear(*LIFE)
    before = await checksum(gateway)
    await change(gateway, f"UPDATE timeline SET event_id = gen_random_uuid() WHERE position = {len(LIFE)}")
    assert (await rebuild(gateway, facts))["rebuilt"] == 1
    assert await checksum(gateway) == before


async def test_facts_that_the_archive_has_before_the_bus_brings_them_are_applied_once(gateway: Running) -> None:
    facts = [gateway.record(event) for event in LIFE]
    await gateway.worker.inbox.apply_all(facts[:-5])
    assert (await rebuild(gateway, facts))["rebuilt"] == 1
    ahead = await checksum(gateway)
    assert ahead["rows"]["timeline"] == len(LIFE)
    await gateway.worker.inbox.apply_all(facts[-5:])
    assert await checksum(gateway) == ahead
    assert await gateway.count("parked_keys") == 0


async def test_facts_older_than_the_memory_of_the_inbox_are_applied_from_the_archive(gateway: Running) -> None:
    old = [gateway.record(event, ce_time="2020-01-01T00:00:00+00:00") for event in LIFE]
    assert (await rebuild(gateway, old))["rebuilt"] == 1
    assert (await gateway.rows("SELECT status FROM order_views")) == [{"status": "closed"}]
    known = await gateway.rows("SELECT consumer FROM inbox WHERE consumer = 'gateway.view'")
    assert known == []  # the bus cannot bring them any more


async def poison(gateway: Running, event: Event) -> ConsumerRecord:
    """Parks the order by a body that breaks its schema."""
    good = gateway.record(event)
    headers = {name: value.decode() for name, value in good.headers}
    broken = gateway.raw_record("orders", good.key, b'{"title": 1}', headers)
    await gateway.worker.inbox.apply_all([broken])
    assert await gateway.count("parked_keys") == 1
    return broken


async def test_a_parked_order_is_left_alone_and_what_was_discarded_is_never_applied(gateway: Running) -> None:
    facts = await gateway.hear(*LIFE[:10])
    facts.append(await poison(gateway, example(OrderHeld)))
    said = await rebuild(gateway, facts)
    assert said["failed"] == 1 and "retry or discard" in said["not_rebuilt"][0]["detail"]
    body = {"key": str(ORDER), "reason": "nonsense"}
    assert (await gateway.post("/admin/parked/gateway.view/discard", OPERATOR, json=body)).status_code == 200
    facts += await gateway.hear(*LIFE[10:])
    before = await checksum(gateway)
    await change(gateway, *DAMAGE)
    assert (await rebuild(gateway, facts))["rebuilt"] == 1
    assert await checksum(gateway) == before


async def test_a_thread_that_cannot_be_applied_changes_nothing_and_says_why(gateway: Running) -> None:
    facts = await gateway.hear(*LIFE)
    before = await checksum(gateway)
    headers = {name: value.decode() for name, value in facts[3].headers}
    broken = gateway.raw_record("orders", facts[3].key, b"{}", headers)
    said = await rebuild(gateway, [*facts[:3], broken, *facts[4:]])
    assert said["failed"] == 1 and "validation errors for OrderApproved" in said["not_rebuilt"][0]["detail"]
    assert (await rebuild(gateway, facts[1:], forced=True))["failed"] == 1  # it does not begin with the placing
    assert await checksum(gateway) == before


async def test_a_consumer_that_does_more_than_the_read_model_is_not_repeated(gateway: Running) -> None:
    async def tell_too(event: OrderHeld, session: AsyncSession) -> None:
        await roots.lock(session, OrderView, event.order_id)
        outbox.record(session, OrderHeld(order_id=event.order_id, reason="again", by="user:x"))

    consumer = Consumers(view.name)
    consumer.every, consumer.handlers = view.every, view.handlers | {OrderHeld.type: (OrderHeld, tell_too)}
    assert service.read_model is not None
    model = replace(service.read_model, consumer=consumer)
    facts = await gateway.hear(*LIFE)
    before, told = await checksum(gateway), await gateway.count("outbox")
    await gateway.worker.inbox.apply_all(from_archive(gateway, facts))
    await Rebuilder(gateway.database, model, Applying(service="gateway", root=OrderView)).rebuild_next()
    (left,) = await gateway.rows("SELECT outcome, detail FROM rebuilt_orders")
    assert left["outcome"] == "failed" and "MoreThanReadModel" in left["detail"]
    assert (await checksum(gateway), await gateway.count("outbox")) == (before, told)


async def test_readers_see_the_old_or_the_new_whole_and_new_facts_go_on_meanwhile(gateway: Running) -> None:
    orders = [[example(OrderPlaced, **vars_of(number))] for number in range(8)]
    held = [OrderHeld(order_id=order[0].order_id, reason="x", by="user:x") for order in orders]
    facts = [await gateway.hear(order[0], *[event] * 3) for order, event in zip(orders, held, strict=True)]
    await change(gateway, "UPDATE order_views SET title = 'spoilt'")
    whole = """SELECT count(*) AS n FROM order_views AS view
        WHERE version <> (SELECT count(*) FROM timeline AS entry WHERE entry.order_id = view.order_id)
        OR version < 4"""
    is_rebuilding = True

    async def look() -> int:
        looks = 0
        while is_rebuilding:
            assert (await gateway.rows(whole)) == [{"n": 0}]
            looks += 1
        return looks

    async def go_on() -> None:
        for _ in range(3):
            for event in held:
                await gateway.hear(event)

    looking, going_on = asyncio.create_task(look()), asyncio.create_task(go_on())
    for each in facts:
        await gateway.worker.inbox.apply_all(from_archive(gateway, each))
    await asyncio.gather(rebuild_all(gateway), rebuild_all(gateway))
    await going_on
    is_rebuilding = False
    assert await looking > 3
    assert await gateway.rows("SELECT DISTINCT title, version FROM order_views") == [
        {"title": example(OrderPlaced).title, "version": 7}
    ]
    assert await gateway.count("parked_keys") == 0
    assert await gateway.told(topic="gateway.dead-letter") == []


def vars_of(number: int) -> dict[str, Any]:
    return {"order_id": UUID(int=number + 1), "order_no": f"ORD-{number:06}"}


@pytest.mark.parametrize("path", ["/admin/read-model", f"/admin/read-model/rebuilds/{UUID(int=1)}"])
async def test_only_operators_look_at_the_read_model(gateway: Running, path: str) -> None:
    assert (await gateway.get(path)).status_code == 401
    for who in (SALES, CLIENT):
        assert (await gateway.get(path, who)).status_code == 403
    for who in (OPERATOR, ADMINISTRATOR):
        assert (await gateway.get(path, who)).status_code == 200


async def test_one_orders_checksum_says_nothing_of_the_others(gateway: Running) -> None:
    await gateway.hear(*LIFE)
    before = await checksum(gateway, ORDER)
    await gateway.hear(placed(1))
    assert await checksum(gateway, ORDER) == before
    assert before["rows"]["order_views"] == 1
