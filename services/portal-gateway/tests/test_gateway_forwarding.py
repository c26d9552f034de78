"""The way to the services and back, against a small upstream."""

import json
from typing import Any

import httpx
import pytest
from gateway_world import ADMINISTRATOR, SALES
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.tokens import Verifier
from portal.forwarding import Services
from stack import Running


async def echo(request: Request) -> Response:
    """Says what has arrived, with every header that a service may answer."""
    body = await request.body()
    seen = {
        "host": request.url.hostname,
        "method": request.method,
        "path": request.scope["raw_path"].decode(),
        "query": request.url.query,
        "headers": dict(request.headers),
        "body": body.decode(),
    }
    headers = {
        "Orderloom-Event": "e",
        "ETag": '"3"',
        "Retry-After": "2",
        "Location": "/orders/1",
        "Set-Cookie": "a=b",
        "X-Internal": "secret",
    }
    return JSONResponse(seen, 418, headers)


async def document(request: Request) -> Response:
    if request.url.hostname == "project.test":
        return Response(status_code=503)
    reference = {"$ref": "#/components/schemas/Page"}
    operation = {"summary": "List", "tags": ["orders"], "operationId": "list", "responses": {"200": reference}}
    schemas = {"Page": {"type": "object", "properties": {"next": reference}}}
    return JSONResponse({"paths": {"/orders": {"get": operation}}, "components": {"schemas": schemas}})


METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
UPSTREAM = Starlette(routes=[Route("/openapi.json", document), Route("/{path:path}", echo, methods=METHODS)])
ADDRESSES = {"order": "http://order.test", "project": "http://project.test"}


@pytest.fixture
def forwarding(gateway_read_only: Running) -> Running:
    gateway_read_only.api.state.services = Services(ADDRESSES, transport=httpx.ASGITransport(UPSTREAM))
    return gateway_read_only


async def test_a_request_goes_on_as_it_came_and_its_answer_comes_back(forwarding: Running) -> None:
    headers = {"Idempotency-Key": "k", "If-Match": '"2"', "Orderloom-After": "a", "Cookie": "x=y", "X-Other": "z"}
    answer = await forwarding.put(
        "/api/order/orders/ä b?status=open&status=x%26y", SALES, headers=headers, json={"a": "ü"}
    )
    seen = answer.json()
    assert (answer.status_code, seen["host"], seen["method"]) == (418, "order.test", "PUT")
    assert (seen["path"], seen["query"]) == ("/orders/%C3%A4%20b", "status=open&status=x%26y")
    assert json.loads(seen["body"]) == {"a": "ü"}
    passed = {name: seen["headers"].get(name) for name in ("idempotency-key", "if-match", "orderloom-after")}
    assert passed == {"idempotency-key": "k", "if-match": '"2"', "orderloom-after": "a"}
    assert seen["headers"]["authorization"].startswith("Bearer ")
    assert not {"cookie", "x-other", "x-api-key"} & set(seen["headers"])
    assert {"orderloom-event", "etag", "retry-after", "location"} <= set(answer.headers)
    assert not {"set-cookie", "x-internal"} & set(answer.headers)


async def test_every_method_is_passed_on(forwarding: Running) -> None:
    for method in METHODS:
        assert (await forwarding.request(method, "/api/project/tasks")).json()["method"] == method


NOT_FOR_OTHERS = (
    "order/readyz",
    "order/healthz",
    "order/metrics",
    "order/docs",
    "order/openapi.json",
    "order//readyz",
    "order/%2Freadyz",
    "order/orders/%2e%2e/readyz",
    "order/orders/..%2Freadyz",
    "order/",
    "gateway/users",
    "elsewhere/orders",
)


async def test_what_is_not_for_others_is_never_forwarded(forwarding: Running) -> None:
    for path in NOT_FOR_OTHERS:
        answer = await forwarding.get(f"/api/{path}", ADMINISTRATOR)
        assert (answer.status_code, answer.json()["type"]) == (404, "no-such-address"), path


async def test_a_body_over_the_limit_is_refused(forwarding: Running) -> None:
    async def endless() -> Any:
        for _ in range(9):
            yield b" " * 1024 * 1024

    too_large = 8 * 1024 * 1024 + 1
    assert (await forwarding.post("/api/order/orders", SALES, content=b" " * too_large)).status_code == 413
    assert (await forwarding.post("/api/order/orders", SALES, content=endless())).status_code == 413
    whole = await forwarding.post("/api/order/orders", SALES, content=b" " * (too_large - 1))
    assert len(whole.json()["body"]) == too_large - 1


async def test_a_service_that_is_away_is_a_503_to_try_again(gateway_read_only: Running) -> None:
    gateway_read_only.api.state.services = Services({"order": "http://127.0.0.1:9"})
    answer = await gateway_read_only.get("/api/order/orders", SALES)
    assert (answer.status_code, answer.json()["type"]) == (503, "service-away")
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0


async def test_an_api_key_becomes_a_short_token_of_its_system(gateway: Running) -> None:
    gateway.api.state.services = Services(ADDRESSES, transport=httpx.ASGITransport(UPSTREAM))
    asked = {"system": "erp", "scopes": ["orders:write"]}
    key = (await gateway.post("/api-keys", ADMINISTRATOR, json=asked)).json()["key"]
    seen = (await gateway.post("/api/order/orders", headers={"X-Api-Key": key}, json={})).json()
    verifier: Verifier = gateway.api.state.verifier
    principal = await verifier.principal(seen["headers"]["authorization"].removeprefix("Bearer "))
    assert (principal.actor, list(principal.roles)) == ("integration:erp", ["orders:write"])
    refused = await gateway.post("/api/order/orders", headers={"X-Api-Key": "olk_0_guess"}, json={})
    assert refused.status_code == 401


async def test_a_cookie_is_passed_on_for_reading_alone(forwarding: Running) -> None:
    cookie = {"Cookie": f"orderloom_session={SALES.token()}"}
    assert "authorization" in (await forwarding.get("/api/order/orders", headers=cookie)).json()["headers"]
    assert "authorization" not in (await forwarding.post("/api/order/orders", headers=cookie)).json()["headers"]


async def test_one_document_shows_all_endpoints_and_says_who_is_away(forwarding: Running) -> None:
    merged = (await forwarding.get("/openapi.json")).json()
    assert {"/auth/sign-in", "/work/board", "/api/order/orders"} <= set(merged["paths"])
    listing = merged["paths"]["/api/order/orders"]["get"]
    assert (listing["operationId"], listing["tags"]) == ("order_list", ["order: orders"])
    assert listing["responses"]["200"] == {"$ref": "#/components/schemas/order_Page"}
    assert "order_Page" in merged["components"]["schemas"]
    assert "project" in merged["info"]["description"]


async def test_the_page_of_endpoints_needs_nothing_from_elsewhere(forwarding: Running) -> None:
    page = await forwarding.get("/docs")
    assert page.status_code == 200
    assert "/api/order/orders" in page.text
    assert page.text.count("<script") == page.text.count('<script src="/static/')
    assert "http://" not in page.text.replace("http://www.w3.org", "")
