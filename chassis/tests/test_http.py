"""What every endpoint of every service promises."""

import asyncio

import asyncpg
import httpx
import pytest
from fastapi import Request

from chassis.ids import new_id
from contracts.order import OrderHeld
from order_world import MANAGER, ORDER, SALES, ready
from orderloom.parts import Parts
from stack import Running, Who


async def test_rule_34_the_same_key_and_body_gets_the_first_answer(order_service: Running) -> None:
    await ready(order_service)
    body, key = {name: value for name, value in ORDER.items() if name != "external_id"}, {"Idempotency-Key": "k-1"}
    first = await order_service.post("/orders", SALES, json=body, headers=key)
    again = await order_service.post("/orders", SALES, json=body, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["orderloom-event"] == first.headers["orderloom-event"]
    assert await order_service.count("orders") == 1


async def test_rule_34_the_same_key_with_another_body_is_refused(order_service: Running) -> None:
    await ready(order_service)
    key = {"Idempotency-Key": "k-2"}
    await order_service.post("/orders", SALES, json=ORDER, headers=key)
    other = await order_service.post("/orders", SALES, json=ORDER | {"external_id": "E-2"}, headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "key-used-for-another-request")
    elsewhere = await order_service.post("/orders", Who("zhao", ("sales",)), json=ORDER, headers=key)
    assert elsewhere.status_code == 200  # a key is its owner's


async def test_rule_34_two_at_once_under_one_key_do_it_once(order_service: Running) -> None:
    await ready(order_service)
    placed = (await order_service.post("/orders", SALES, json=ORDER)).json()
    path, key = f"/orders/{placed['order_id']}/approval", {"Idempotency-Key": "k-3"}
    answers = await asyncio.gather(*(order_service.post(path, MANAGER, json={}, headers=key) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await order_service.told("order.approved.v1")) == 1


async def test_rule_35_a_stale_version_changes_nothing(order_service: Running) -> None:
    await ready(order_service)
    draft = await order_service.post("/orders", SALES, json=ORDER | {"draft": True})
    path = f"/orders/{draft.json()['order_id']}"
    fresh = {"If-Match": draft.headers["etag"]}
    edited = await order_service.put(path, SALES, json=ORDER | {"title": "Better"}, headers=fresh)
    assert (edited.status_code, edited.json()["title"]) == (200, "Better")
    stale = await order_service.put(path, SALES, json=ORDER | {"title": "Lost"}, headers=fresh)
    assert (stale.status_code, stale.json()["type"]) == (412, "precondition-failed")
    assert (await order_service.get(path, SALES)).json()["title"] == "Better"
    malformed = await order_service.put(path, SALES, json=ORDER, headers={"If-Match": "x"})
    assert malformed.status_code == 400


async def test_a_request_waits_until_its_event_is_read_and_says_when_it_is_not(order_service: Running) -> None:
    await ready(order_service)
    event_id = new_id()
    late = await order_service.get("/orders", SALES, headers={"Orderloom-After": str(event_id)})
    assert (late.status_code, late.headers["retry-after"]) == (503, "1")
    waiting = asyncio.create_task(order_service.get("/orders", SALES, headers={"Orderloom-After": str(event_id)}))
    await asyncio.sleep(0.1)
    unknown_order = OrderHeld(order_id=new_id(), reason="x", by="user:li")
    await order_service.hear(unknown_order, ce_id=str(event_id))
    assert (await waiting).status_code == 200


async def test_every_error_is_a_problem_that_says_what_to_do(order_service: Running) -> None:
    await ready(order_service)
    missing = await order_service.get(f"/orders/{new_id()}", SALES)
    assert (missing.status_code, missing.json()["type"]) == (404, "order-not-found")
    assert missing.headers["content-type"] == "application/problem+json"
    nobody = await order_service.get("/orders")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    for path in ("/nowhere", "/orders/not-a-uuid"):
        assert (await order_service.get(path, SALES)).headers["content-type"] == "application/problem+json"
    assert (await order_service.get("/orders?cursor=%FF", SALES)).status_code == 400
    for query in ("limit=0", "search=%00", f"search={'x' * 201}"):
        assert (await order_service.get(f"/orders?{query}", SALES)).status_code == 422
    large = await order_service.post("/orders/import", SALES, content=b" " * (8 * 1024 * 1024 + 1))
    assert large.status_code == 413


async def test_a_token_that_nobody_should_trust_is_refused(order_service: Running) -> None:
    expired, forged = SALES.token(exp=1), SALES.token()[:-4] + "AAAA"
    other_audience, other_issuer = SALES.token(aud="another"), SALES.token(iss="another")
    client_without_company = SALES.token(kind="client")
    for token in (expired, forged, other_audience, other_issuer, client_without_company, "x.y.z", ""):
        answer = await order_service.get("/orders", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, token


async def test_health_says_what_is_wrong(order_service: Running) -> None:
    assert (await order_service.get("/healthz")).status_code == 200
    ready_answer = await order_service.get("/readyz")
    assert (ready_answer.status_code, ready_answer.json()["checks"]) == (200, {"database": "ok", "migrations": "ok"})
    assert "orderloom_http_requests" in (await order_service.get("/metrics")).text


async def test_while_the_database_is_away_a_request_is_answered_503_and_logs_no_traceback(
    order_service: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that runs outside of our routes would answer the same, and raise again for the server to log."""

    async def away(request: Request) -> None:
        raise ConnectionRefusedError("away")

    monkeypatch.setattr("chassis.http._wait_until_read", away)
    strict = httpx.ASGITransport(order_service.api, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=strict, base_url="http://test") as http:
        answer = await http.get("/orders", headers=SALES.headers)
    assert (answer.status_code, answer.json()["type"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"


async def test_while_the_database_takes_no_connections_requests_are_answered_503_and_then_go_on(
    order_service: Running, parts: Parts
) -> None:
    """As when it is being restored: it says so with SQLSTATE 55000, which belongs to no class of connection errors."""
    name = order_service.database.url.rpartition("/")[2]
    server = await asyncpg.connect(parts.postgres_url)
    await server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    await server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    refused = await order_service.get("/orders", SALES)
    await server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    await server.close()
    assert (refused.status_code, refused.json()["type"]) == (503, "unavailable")
    assert (await order_service.get("/orders", SALES)).status_code == 200
