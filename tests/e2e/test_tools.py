"""The tools for trouble, on a running stack into which trouble is brought."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from chassis.clock import utc_now
from chassis.ids import new_id
from journeys import approved, eventually, placed
from orderloom.defaults import ADMINISTRATOR
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway
from whole_stack import WholeStack

pytestmark = pytest.mark.xdist_group("e2e")

REASON = "its teller was a script that is gone"


async def tell_nonsense(whole_stack: WholeStack, order_id: str) -> str:
    """The id of a record on the order's key that says it was held, and does not say by whom or why."""
    event_id = str(new_id())
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_type": "order.held.v1",
        "ce_source": "order",
        "ce_time": utc_now().isoformat(),
        "ce_actor": "system:script",
    }
    async with AIOKafkaProducer(bootstrap_servers=whole_stack.addresses["kafka"]) as producer:
        pairs = [(name, value.encode()) for name, value in headers.items()]
        await producer.send_and_wait("orders", b'{"held": "perhaps"}', key=order_id.encode(), headers=pairs)
    return event_id


@asynccontextmanager
async def database_of(whole_stack: WholeStack, service: str) -> AsyncIterator[asyncpg.Connection]:
    """Past its API: to damage what is in it, and to look."""
    connection = await asyncpg.connect(whole_stack.addresses["postgres"].rsplit("/", 1)[0] + f"/{service}")
    try:
        yield connection
    finally:
        await connection.close()


def parked_keys(whole_stack: WholeStack) -> list[dict[str, Any]]:
    listed = whole_stack.command("parked", "list", "--json")
    assert listed.returncode == 0, listed.stdout + listed.stderr
    keys: list[dict[str, Any]] = json.loads(listed.stdout)
    return keys


@pytest.fixture
async def order(gateway: Gateway, cast: Cast) -> AsyncIterator[dict[str, Any]]:
    order = await placed(gateway, cast)
    await approved(gateway, cast, order["order_id"])
    yield order


async def test_a_poisoned_order_is_found_looked_at_and_healed_by_the_command(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast, order: dict[str, Any]
) -> None:
    order_id = order["order_id"]
    event_id = await tell_nonsense(whole_stack, order_id)
    consumers = {"project.effects", "finance", "notify.notices", "gateway.view"}

    async def all_parked() -> bool:
        return {key["consumer"] for key in parked_keys(whole_stack) if key["key"] == order_id} >= consumers

    await eventually(all_parked)
    looked = whole_stack.command("doctor", "--json")
    unwell = {(each["service"], each["about"]) for each in json.loads(looked.stdout) if not each["is_well"]}
    assert (looked.returncode, unwell) == (1, {(consumer.partition(".")[0], "parked") for consumer in consumers})
    assert "validation errors for OrderHeld" in whole_stack.command("parked").stdout
    shown = whole_stack.command("parked", "show", "finance", order_id)
    assert shown.returncode == 0 and event_id in shown.stdout and '"perhaps"' in shown.stdout
    (whole,) = json.loads(whole_stack.command("parked", "show", "finance", order_id, "--json").stdout)
    assert (whole["event_id"], whole["body"]) == (event_id, '{"held": "perhaps"}')

    retried = whole_stack.command("parked", "retry", "finance", order_id)
    assert retried.returncode == 1 and "cannot apply message 1 of 1" in retried.stdout
    assert "/reason: Field required" in retried.stdout
    for consumer in consumers:
        done = whole_stack.command("parked", "discard", consumer, order_id, "--reason", REASON)
        assert (done.returncode, done.stdout.splitlines()[0][:19]) == (0, "Discarded 1 message"), done.stdout
    assert [key for key in parked_keys(whole_stack) if key["key"] == order_id] == []
    nothing = whole_stack.command("parked", "retry", "finance", order_id)
    assert nothing.returncode == 1 and "has not parked" in nothing.stdout


async def test_a_changed_thread_is_named_and_the_command_fails(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast, order: dict[str, Any]
) -> None:
    order_id, order_no = order["order_id"], order["order_no"]
    whole = whole_stack.command("verify-thread", order_no)
    assert whole.returncode == 0 and "facts, whole" in whole.stdout, whole.stdout + whole.stderr
    assert whole_stack.command("verify-thread", "--all").returncode == 0

    change = "UPDATE thread SET body = replace(body, $2, $3) WHERE order_id = $1 AND position = 1"
    async with database_of(whole_stack, "order") as database:
        try:
            await eventually(lambda: _is_done(database.execute(change, UUID(order_id), "Brackets", "Rackets")))
            broken = whole_stack.command("verify-thread", order_id, "--json")
            assert (broken.returncode, json.loads(broken.stdout)["first_broken"]) == (1, 1)
            all_of_them = whole_stack.command("verify-thread", "--all")
            assert all_of_them.returncode == 1
            assert f"{order_no} ({order_id}): broken at position 1 of" in all_of_them.stdout
        finally:
            await database.execute(change, UUID(order_id), "Rackets", "Brackets")
    unknown = whole_stack.command("verify-thread", "SO-999999")
    assert unknown.returncode == 1 and "no order with the id or the number" in unknown.stdout


async def _is_done(change: Awaitable[str]) -> bool:
    """Whether there was something to change: the thread may not have heard of the order yet."""
    return await change == "UPDATE 1"


async def test_a_trace_shows_what_caused_what_across_the_services(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast, order: dict[str, Any]
) -> None:
    async def facts() -> list[dict[str, Any]]:
        read: list[dict[str, Any]] = json.loads(whole_stack.command("trace", order["order_no"], "--json").stdout)
        types = {fact["type"] for fact in read}
        return read if {"project.created.v1", "instalments.planned.v1"} <= types else []

    by_type = {fact["type"]: fact for fact in await eventually(facts)}
    approval = by_type["order.approved.v1"]["position"]
    for effect in ("project.created.v1", "instalments.planned.v1"):
        assert by_type[effect]["cause_position"] == approval
        assert by_type[effect]["ms_since_cause"] >= 0
    printed = whole_stack.command("trace", order["order_id"]).stdout
    assert "a request of user:" in printed and "project.created.v1  project  +" in printed


async def is_quiet(gateway: Gateway, cast: Cast, order_id: str) -> bool:
    """What the approval leads to is there, and nothing has come for a while, in any order."""
    before = await checksum(gateway)
    await asyncio.sleep(1.5)
    timeline = await gateway.all_pages(cast.reader, f"/work/orders/{order_id}/timeline")
    planned = {"project.created.v1", "instalments.planned.v1"} <= {entry["type"] for entry in timeline}
    return planned and await checksum(gateway) == before


async def checksum(gateway: Gateway) -> Any:
    return await gateway.get(ADMINISTRATOR, "/admin/read-model")


async def shown(database: asyncpg.Connection) -> dict[UUID, dict[str, Any]]:
    """All that the gateway keeps of each order, with how many facts it is made of."""
    rows: dict[UUID, dict[str, Any]] = {}
    async with database.transaction(isolation="repeatable_read"):
        for view in await database.fetch("SELECT order_id, version, order_views::text AS line FROM order_views"):
            rows[view["order_id"]] = {"version": view["version"], "order_views": [view["line"]]}
        for table in ("task_views", "timeline"):
            query = f"SELECT order_id, {table}::text AS line FROM {table} ORDER BY order_id, position"
            for row in await database.fetch(query):
                rows[row["order_id"]].setdefault(table, []).append(row["line"])
    return rows


async def test_a_damaged_read_model_is_rebuilt_from_the_archive_while_facts_go_on(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast, order: dict[str, Any]
) -> None:
    order_id = order["order_id"]
    await eventually(lambda: is_quiet(gateway, cast, order_id))
    async with database_of(whole_stack, "gateway") as database:
        live = await shown(database)
        rebuilt = whole_stack.command("rebuild", "gateway", "--json")
        assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
        again = await shown(database)
    assert json.loads(rebuilt.stdout)["orders"] >= len(live) >= 1
    of_the_same_facts = [each for each in live if live[each]["version"] == again[each]["version"]]
    assert UUID(order_id) in of_the_same_facts
    assert [(live[each], again[each]) for each in of_the_same_facts if live[each] != again[each]] == []
    before = json.loads(whole_stack.command("rebuild", "gateway", "--order", order["order_no"], "--json").stdout)
    assert before["same"] and before["orders"] == 1

    async with database_of(whole_stack, "gateway") as database:
        await database.execute("UPDATE order_views SET title = 'spoilt', status = 'closed'")
        await database.execute("DELETE FROM task_views WHERE position > 1")
        await database.execute("UPDATE timeline SET body = '{}' WHERE position < 3")
        others = [await placed(gateway, cast) for _ in range(5)]  # while it is rebuilt
        rebuilt = whole_stack.command("rebuild", "gateway")
        assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
        spoilt = await database.fetchval("SELECT count(*) FROM order_views WHERE title = 'spoilt'")
    assert spoilt == 0 and others
    after = json.loads(whole_stack.command("rebuild", "gateway", "--order", order_id, "--json").stdout)
    assert after["same"] and after["after"] == before["after"]
    assert whole_stack.status["parked"] == 0
    refused = whole_stack.command("rebuild", "finance")
    assert refused.returncode == 1 and "finance keeps no read model" in refused.stdout


async def test_an_order_told_again_by_every_service_changes_nothing(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast, order: dict[str, Any]
) -> None:
    order_id = order["order_id"]
    await eventually(lambda: is_quiet(gateway, cast, order_id))
    thread = await gateway.all_pages(cast.reader, f"/api/order/orders/{order_id}/thread")
    again = whole_stack.command("republish", "--order", order["order_no"])
    assert again.returncode == 0, again.stdout + again.stderr
    assert "project tells 1 facts again" in again.stdout
    assert whole_stack.command("republish", "--service", "finance", "--since", "1h").returncode == 0
    assert await eventually(lambda: is_quiet(gateway, cast, order_id))
    assert await gateway.all_pages(cast.reader, f"/api/order/orders/{order_id}/thread") == thread
    refused = whole_stack.command("republish", "--service", "finance")
    assert refused.returncode == 1 and "Say since when" in refused.stdout


async def test_a_rebuild_that_was_asked_for_is_finished_though_both_services_are_killed(
    whole_stack: WholeStack, gateway: Gateway, cast: Cast, order: dict[str, Any]
) -> None:
    await eventually(lambda: is_quiet(gateway, cast, order["order_id"]))
    before = await checksum(gateway)
    async with database_of(whole_stack, "gateway") as database:
        await database.execute("UPDATE order_views SET title = 'spoilt'")
    pids = [whole_stack.status["parts"][service]["pids"][0] for service in ("order", "gateway")]
    started = (await gateway.post(ADMINISTRATOR, "/api/order/admin/rebuilds", {"service": "gateway"})).json()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)

    async def is_done() -> bool:
        told = await gateway.get(ADMINISTRATOR, f"/api/order/admin/rebuilds/{started['rebuild_id']}")
        path = f"/admin/read-model/rebuilds/{started['rebuild_id']}"
        applied = await gateway.get(ADMINISTRATOR, path)
        return bool(told["finished_at"]) and applied["rebuilt"] == told["orders_told"] == started["orders_total"]

    await eventually(is_done, timeout_seconds=90)
    assert await checksum(gateway) == before
