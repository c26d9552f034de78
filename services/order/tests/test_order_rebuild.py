"""The archive told again to a service that makes its read model from it."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.clock import utc_now
from chassis.ids import new_id
from contracts.topics import READ_MODELS, SERVICES
from facts import delivery_submitted, project_created
from order import operations
from order.operations import rebuild as rebuilding
from order_world import ADMINISTRATOR, ORDER, SALES, ready
from stack import Running, Who

OPERATOR = Who("ops", ("operator",))


async def threads(order_service: Running, number: int) -> list[UUID]:
    """Orders with two facts on the thread of each, and a draft, which has none."""
    await ready(order_service)
    found = []
    for each in range(number):
        placed = await order_service.post("/orders", SALES, json=ORDER | {"external_id": f"E-{each}"})
        found.append(order_id := UUID(placed.json()["order_id"]))
        await order_service.hear(project_created(order_id), delivery_submitted(order_id))
    await order_service.post("/orders", SALES, json=ORDER | {"external_id": "E-draft", "draft": True})
    return found


async def start(order_service: Running, **body: Any) -> Any:
    answer = await order_service.post("/admin/rebuilds", OPERATOR, json={"service": "gateway"} | body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def tell_some(order_service: Running) -> bool:
    async with order_service.worker.database.transaction() as session:
        return await operations.tell_archive(session, now=utc_now())


async def change(order_service: Running, statement: str) -> None:
    async with order_service.database.transaction() as session:
        await session.execute(text(statement))


async def told(order_service: Running) -> list[dict[str, Any]]:
    return await order_service.told(topic="gateway.rebuild")


async def test_every_thread_is_told_again_to_the_letter_and_drafts_are_not(order_service: Running) -> None:
    orders = await threads(order_service, 2)
    started = await start(order_service)
    assert (started["orders_total"], started["orders_told"], started["finished_at"]) == (2, 0, None)
    assert await tell_some(order_service) and not await tell_some(order_service)
    done = (await order_service.get(f"/admin/rebuilds/{started['rebuild_id']}", OPERATOR)).json()
    assert (done["orders_told"], done["facts_told"], done["broken"]) == (2, 4, [])
    assert done["finished_at"] is not None and done["requested_by"] == "user:ops"
    entries = await order_service.rows("SELECT * FROM thread ORDER BY order_id, position")
    sent = await told(order_service)
    assert [UUID(each["key"]) for each in sent] == [order for order in orders for _ in range(2)]
    for entry, record in zip(entries, sent, strict=True):
        headers = record["headers"]
        assert (headers["ce_archivedid"], headers["ce_archivedtime"]) == (str(entry["event_id"]), entry["time"])
        assert (record["body"], headers["ce_archivedactor"]) == (entry["body"], entry["actor"])
        assert (headers["ce_position"], headers["ce_length"]) == (str(entry["position"]), "2")
        assert headers["ce_rebuildid"] == started["rebuild_id"]
    assert (await order_service.get("/admin/rebuilds", OPERATOR)).json()["items"] == [done]


async def test_it_goes_on_where_it_stopped_and_only_when_what_it_told_before_has_left(
    order_service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "FACTS_AT_ONCE", 2)
    orders = await threads(order_service, 3)
    await start(order_service)
    for number in range(1, 4):
        assert await tell_some(order_service)
        assert len(await told(order_service)) == 2 * number
        assert not await tell_some(order_service)  # it is on its way
        await change(order_service, "UPDATE outbox SET published_at = now()")
    assert await tell_some(order_service)  # nothing is left: it is finished
    assert not await tell_some(order_service)
    assert [UUID(each["key"]) for each in await told(order_service)] == [each for each in orders for _ in range(2)]


async def test_one_order_alone_is_told(order_service: Running) -> None:
    _, order_id = await threads(order_service, 2)
    await start(order_service, order_id=str(order_id), force=True)
    while await tell_some(order_service):
        pass
    assert {UUID(each["key"]) for each in await told(order_service)} == {order_id}
    assert {each["headers"]["ce_forced"] for each in await told(order_service)} == {"true"}
    missing = {"service": "gateway", "order_id": str(new_id())}
    assert (await order_service.post("/admin/rebuilds", OPERATOR, json=missing)).status_code == 404


async def test_a_thread_that_was_tampered_with_is_not_told_and_is_named(order_service: Running) -> None:
    broken, whole = await threads(order_service, 2)
    await change(order_service, f"UPDATE thread SET actor = 'user:y' WHERE order_id = '{broken}' AND position = 2")
    started = await start(order_service)
    while await tell_some(order_service):
        pass
    assert {UUID(each["key"]) for each in await told(order_service)} == {whole}
    done = (await order_service.get(f"/admin/rebuilds/{started['rebuild_id']}", OPERATOR)).json()
    assert done["broken"] == [{"order_id": str(broken), "first_broken": 2}]


@pytest.mark.parametrize("service", [service for service in SERVICES if service not in READ_MODELS])
async def test_a_service_whose_tables_are_the_source_of_truth_is_refused_by_name(
    order_service: Running, service: str
) -> None:
    refused = await order_service.post("/admin/rebuilds", OPERATOR, json={"service": service})
    assert (refused.status_code, refused.json()["type"]) == (409, "no-read-model")
    assert f"{service} keeps no read model" in refused.json()["title"]
    here = await order_service.get("/admin/read-model", OPERATOR)
    assert (here.status_code, here.json()["type"]) == (404, "no-read-model")


async def test_only_operators_and_administrators_rebuild(order_service: Running) -> None:
    body = {"service": "gateway"}
    for who, status in ((None, 401), (SALES, 403), (Who("sap", ("operator",), "integration"), 403)):
        assert (await order_service.post("/admin/rebuilds", who, json=body)).status_code == status
        for path in ("/admin/rebuilds", f"/admin/rebuilds/{new_id()}"):
            assert (await order_service.get(path, who)).status_code == status
    assert (await order_service.post("/admin/rebuilds", ADMINISTRATOR, json=body)).status_code == 202
    assert (await order_service.get(f"/admin/rebuilds/{new_id()}", OPERATOR)).status_code == 404
    assert (await order_service.post("/admin/rebuilds", OPERATOR, json={"service": "mail"})).status_code == 422
