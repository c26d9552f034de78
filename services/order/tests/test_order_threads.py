"""Threads as operators look at them: verified, all of them too, and traced from cause to effect."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.ids import new_id
from contracts.order import OrderHeld
from facts import delivery_submitted, project_created
from order_world import ADMINISTRATOR, ORDER, SALES, ready
from stack import Running, Who

OPERATOR = Who("ops", ("operator",))
CLIENT = Who("lin", ("client",), "client", new_id())
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


async def orders(order_service: Running, number: int) -> list[UUID]:
    await ready(order_service)
    found = []
    for each in range(number):
        placed = await order_service.post("/orders", SALES, json=ORDER | {"external_id": f"E-{each}"})
        found.append(UUID(placed.json()["order_id"]))
    return found


async def change(order_service: Running, statement: str, **values: Any) -> None:
    async with order_service.database.transaction() as session:
        await session.execute(text(statement), values)


async def all_threads(order_service: Running, *, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        path = f"/threads/verification?limit={limit}" + (f"&cursor={cursor}" if cursor else "")
        page = (await order_service.get(path, OPERATOR)).json()
        assert len(page["items"]) <= limit
        found += page["items"]
        cursor = page["next_cursor"]
    return found


async def test_all_threads_are_verified_page_by_page_and_broken_ones_are_named(order_service: Running) -> None:
    first, second, third = await orders(order_service, 3)
    for order_id in (first, second):
        await order_service.hear(project_created(order_id), delivery_submitted(order_id))
    verified = await all_threads(order_service, limit=2)
    assert [UUID(each["order_id"]) for each in verified] == [first, second, third]
    assert [(each["verified"], each["length"]) for each in verified] == [(True, 2), (True, 2), (True, 0)]
    await change(order_service, "UPDATE thread SET body = '{}' WHERE order_id = :id AND position = 2", id=second)
    await change(order_service, "UPDATE orders SET thread_length = 1 WHERE order_id = :id", id=third)
    broken = {UUID(e["order_id"]): e["first_broken"] for e in await all_threads(order_service, limit=1)}
    assert broken == {first: None, second: 2, third: 1}


async def test_a_thread_that_grows_while_it_is_verified_is_whole(order_service: Running) -> None:
    (order_id,) = await orders(order_service, 1)

    async def grow() -> None:
        for number in range(40):
            await order_service.hear(OrderHeld(order_id=order_id, reason=str(number), by="user:x"))

    growing = asyncio.create_task(grow())
    while not growing.done():
        verified = (await order_service.get(f"/orders/{order_id}/thread/verification", SALES)).json()
        assert verified["first_broken"] is None
    await growing


async def test_a_trace_names_the_cause_of_every_fact_and_the_time_since_it(order_service: Running) -> None:
    (order_id,) = await orders(order_service, 1)
    request, created, submitted, timer = (str(new_id()) for _ in range(4))
    for fact, envelope in (
        (project_created(order_id), {"ce_id": created, "ce_causationid": request, "ce_time": NOON}),
        (delivery_submitted(order_id), {"ce_id": submitted, "ce_causationid": created, "ce_time": 35}),
        (OrderHeld(order_id=order_id, reason="x", by="user:x"), {"ce_causationid": submitted, "ce_time": 1035}),
        (OrderHeld(order_id=order_id, reason="y", by="user:x"), {"ce_causationid": timer, "ce_actor": "system:order"}),
        (OrderHeld(order_id=order_id, reason="z", by="user:x"), {"ce_causationid": created, "ce_time": "yesterday"}),
        (OrderHeld(order_id=order_id, reason="z", by="user:x"), {"ce_causationid": "no uuid"}),
    ):
        time = envelope.get("ce_time", NOON)
        if isinstance(time, int):
            time = NOON + timedelta(milliseconds=time)
        if isinstance(time, datetime):
            time = time.isoformat()
        await order_service.hear(fact, **envelope | {"ce_time": time})  # type: ignore[arg-type]
    path = f"/orders/{order_id}/trace"
    traced = (await order_service.get(path, SALES)).json()["items"]
    assert [(each["cause_position"], each["ms_since_cause"]) for each in traced] == [
        (None, None),
        (1, 35),
        (2, 1000),
        (None, None),
        (1, None),
        (None, None),
    ]
    assert [each["cause_id"] for each in traced] == [request, created, submitted, timer, created, "no uuid"]
    assert (traced[0]["teller"], traced[3]["actor"]) == ("project", "system:order")
    page = (await order_service.get(f"{path}?limit=2", SALES)).json()
    rest = (await order_service.get(f"{path}?cursor={page['next_cursor']}", SALES)).json()
    assert page["items"] + rest["items"] == traced


async def test_a_fact_that_claims_to_be_its_own_cause_or_that_of_one_before_it_has_none(order_service: Running) -> None:
    (order_id,) = await orders(order_service, 1)
    own, later = str(new_id()), str(new_id())
    first = OrderHeld(order_id=order_id, reason="x", by="user:x")
    await order_service.hear(first, ce_id=str(new_id()), ce_causationid=later)
    await order_service.hear(first, ce_id=own, ce_causationid=own)
    await order_service.hear(first, ce_id=later, ce_causationid=own)
    traced = (await order_service.get(f"/orders/{order_id}/trace", SALES)).json()["items"]
    assert [each["cause_position"] for each in traced] == [None, None, 2]


async def test_an_order_is_found_by_its_whole_number_alone(order_service: Running) -> None:
    first, _ = await orders(order_service, 2)
    order_no = (await order_service.get(f"/orders/{first}", SALES)).json()["order_no"]
    found = (await order_service.get(f"/orders?order_no={order_no}", SALES)).json()["items"]
    assert [UUID(each["order_id"]) for each in found] == [first]
    assert (await order_service.get(f"/orders?order_no={order_no[:-1]}", SALES)).json()["items"] == []


async def test_threads_are_for_people_of_the_company_and_all_at_once_for_operators(order_service: Running) -> None:
    (order_id,) = await orders(order_service, 1)
    for path in (f"/orders/{order_id}/trace", f"/orders/{order_id}/thread/verification", "/threads/verification"):
        assert (await order_service.get(path)).status_code == 401
        assert (await order_service.get(path, CLIENT)).status_code == 403
        assert (await order_service.get(path, ADMINISTRATOR)).status_code == 200
    assert (await order_service.get("/threads/verification", SALES)).status_code == 403
    assert (await order_service.get(f"/orders/{new_id()}/trace", SALES)).status_code == 404
    assert (await order_service.get(f"/orders/{new_id()}/thread/verification", SALES)).status_code == 404
