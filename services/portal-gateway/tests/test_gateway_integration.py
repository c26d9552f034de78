"""What did not go through: the gateway's own parked keys beside those of the services, and rejected orders."""

from typing import Any

import httpx
import pytest
from gateway_world import SALES, UNTIL_PLANNED
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from chassis import parking
from chassis.delivery import Delivery
from chassis.ids import new_id
from portal.forwarding import Services
from stack import Running, Who

OPERATOR = Who("op", ("operator",))
REJECTED = {
    "source": "erp.example",
    "request_id": "req-7",
    "external_id": "ERP-7",
    "answered_at": "2026-11-23T01:38:00Z",
    "errors": [{"field": "/lines/0/quantity", "reason": "write <more>"}] * 9,
    "errors_total": 12,
}
PAGE = "/office/integration"


@pytest.fixture
async def asked(gateway: Running) -> list[str]:
    asked: list[str] = []

    async def answer(request: Request) -> JSONResponse:
        asked.append(f"{request.method} {request.url.path}?{request.url.query}")
        items: list[Any] = [REJECTED] if request.url.path == "/admin/rejected-requests" else []
        return JSONResponse({"items": items, "next_cursor": "n" if items else None})

    transport = httpx.ASGITransport(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])]))
    names = ("order", "project", "finance", "notify")
    gateway.api.state.services = Services({name: f"http://{name}" for name in names}, transport=transport)
    return asked


async def parked_key(gateway: Running, *, body: str) -> str:
    """Of the gateway's own view, with one message behind it; return the address under which it is mended."""
    consumer, placed = gateway.worker.inbox.consumers[0].name, UNTIL_PLANNED[0]
    key = str(placed.order_id)
    record = gateway.record(placed)
    headers = {name: value.decode() for name, value in record.headers}
    async with gateway.database.transaction() as session:
        await parking.park_key(session, consumer, key, RuntimeError("the view broke"))
        parking.park(session, consumer, Delivery(record.topic, key, headers | {"ce_id": str(new_id())}, body))
    return f"{PAGE}/gateway/{consumer}"


async def test_the_gateways_own_parked_keys_are_shown_and_tried_again(gateway: Running, asked: list[str]) -> None:
    placed = UNTIL_PLANNED[0]
    address = await parked_key(gateway, body=placed.model_dump_json())
    page = (await gateway.get(PAGE, OPERATOR)).text
    assert "the view broke" in page
    assert f'action="{address}/retry"' in page
    done = await gateway.post(f"{address}/retry?lang=en", OPERATOR, data={"about": str(placed.order_id)})
    assert done.headers["location"] == f"{PAGE}?said=retried"
    assert (await gateway.get(f"/orders/{placed.order_id}", SALES)).status_code == 200
    again = await gateway.post(f"{address}/retry?lang=en", OPERATOR, data={"about": str(placed.order_id)})
    assert (again.status_code, "Nothing is parked under this key" in again.text) == (404, True)
    assert not [each for each in asked if each.startswith("POST")]


async def test_what_still_cannot_be_applied_stays_parked_until_it_is_discarded_with_a_reason(
    gateway: Running, asked: list[str]
) -> None:
    address, about = await parked_key(gateway, body="{}"), {"about": str(UNTIL_PLANNED[0].order_id)}
    refused = await gateway.post(f"{address}/retry?lang=en", OPERATOR, data=about)
    assert refused.status_code == 409
    assert "It could not be applied this time either." in refused.text
    for reason in ("", "two\nlines"):
        assert (await gateway.post(f"{address}/discard", OPERATOR, data=about | {"reason": reason})).status_code == 422
    assert await gateway.count("parked_keys") == 1
    done = await gateway.post(f"{address}/discard", OPERATOR, data=about | {"reason": "told twice"})
    assert done.headers["location"] == f"{PAGE}?said=discarded"
    (kept,) = await gateway.rows("SELECT discarded_by, reason FROM discarded_messages")
    assert kept == {"discarded_by": "user:op", "reason": "told twice"}


async def test_who_does_not_mend_the_bus_can_neither_see_nor_mend(gateway: Running, asked: list[str]) -> None:
    address, about = await parked_key(gateway, body="{}"), {"about": str(UNTIL_PLANNED[0].order_id), "reason": "x"}
    assert (await gateway.get(PAGE, SALES)).status_code == 403
    for what in ("retry", "discard"):
        assert (await gateway.post(f"{address}/{what}", SALES, data=about)).status_code == 403
    assert await gateway.count("parked_keys") == 1


async def test_rejected_orders_of_other_systems_are_listed_with_their_reasons(
    gateway: Running, asked: list[str]
) -> None:
    page = (await gateway.get(f"{PAGE}?lang=zh-CN&cursor=c", OPERATOR)).text
    for text in ("erp.example", "ERP-7", "/lines/0/quantity", "write &lt;more&gt;", "另有 4 条", "cursor=n"):
        assert text in page, text
    assert "GET /admin/rejected-requests?limit=50&cursor=c" in asked
