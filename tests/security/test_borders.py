"""What comes over the border as text: paths, headers, bodies, files. None of it means more than its text."""

import asyncio
import json
import subprocess
import sys
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from gateway_world import ADMINISTRATOR, DIRECTORY, ORDER, SALES, UNTIL_PLANNED
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import order_world
from chassis.ids import new_id
from order_world import MANAGER, ready
from portal.forwarding import Services
from stack import Running


async def _echo(request: Request) -> JSONResponse:
    shown = {"path": request.scope["raw_path"].decode(), "query": request.url.query, "host": request.url.netloc}
    return JSONResponse(shown | {"headers": request.headers.items()})


UPSTREAM = Starlette(routes=[Route("/{path:path}", _echo, methods=["GET", "POST", "PUT", "DELETE"])])
ADDRESSES = {"order": "http://order.test", "finance": "http://finance.test"}


@pytest.fixture
def forwarding(gateway_of_all: Running) -> Running:
    gateway_of_all.api.state.services = Services(ADDRESSES, transport=httpx.ASGITransport(UPSTREAM))
    return gateway_of_all


async def raw(service: Running, path: str, headers: list[tuple[bytes, bytes]] | None = None) -> httpx.Response:
    """The answer to a GET whose path and headers no client has tidied up."""
    answered: dict[str, Any] = {"body": b""}
    sent = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in sent:
            return message
        return await asyncio.Future()  # the caller stays

    async def send(message: dict[str, Any]) -> None:
        answered.update(message | {"body": answered["body"] + message.get("body", b"")})

    target, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(target),
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"test"), *(headers or [])],
        "server": ("test", 80),
        "client": ("test", 1),
        "state": {},
    }
    try:
        await service.api(scope, receive, send)  # type: ignore[arg-type]
    except Exception:  # as a server does: the answer has left before
        assert answered.get("status")
    return httpx.Response(answered["status"], headers=answered["headers"], content=answered["body"])


def token(who: Any = SALES) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", who.headers["Authorization"].encode())]


NOT_FORWARDED = (
    "/api/order/../finance/invoices",
    "/api/order/%2e%2e/finance/invoices",
    "/api/order/%2E%2E%2Ffinance/invoices",
    "/api/order/..%2f..%2fmetrics",
    "/api/order//metrics",
    "/api/order/%2fmetrics",
    "/api/order/./metrics",
    "/api/order/metrics",
    "/api/order/%6detrics",
    "/api/order/orders/../../metrics",
    "/api/order/orders/%2e/x",
    "/api/order@evil.example/orders",
    "/api/order%40evil.example/orders",
    "/api/order:80@evil.example/orders",
    "/api/order.evil.example/orders",
    "/api/ORDER/orders",
    "/api/%2e%2e/orders",
    "/api//orders",
    "/api/order%00/orders",
    "/api/order/orders%0d%0aX-Injected:%201",
    "/api/order/" + "'" * 30_000,
)


@pytest.mark.parametrize("path", NOT_FORWARDED, ids=[path[:40] for path in NOT_FORWARDED])
async def test_no_path_leads_to_another_service_or_to_what_is_not_for_others(forwarding: Running, path: str) -> None:
    answer = await raw(forwarding, path, token())
    assert answer.status_code == 404, answer.text
    assert "headers" not in answer.json()


FORWARDED = {
    "/api/order/orders/%252e%252e/metrics": "/orders/%252e%252e/metrics",
    "/api/order/orders/..;/metrics": "/orders/..%3B/metrics",
    "/api/order/orders/..%5cmetrics": "/orders/..%5Cmetrics",
    "/api/order/orders%3fa=b%23c": "/orders%3Fa%3Db%23c",
    "/api/order/http://evil.example/": "/http%3A//evil.example/",
}


@pytest.mark.parametrize("path", FORWARDED)
async def test_what_a_path_says_stays_one_path_of_that_service(forwarding: Running, path: str) -> None:
    seen = (await raw(forwarding, path, token())).json()
    assert (seen["path"], seen["host"], seen["query"]) == (FORWARDED[path], "order.test", "")


async def test_headers_that_pretend_who_one_is_or_steer_the_way_are_left_behind(forwarding: Running) -> None:
    pretended = [
        (name.encode(), b"user:admin")
        for name in (
            "x-user",
            "x-forwarded-for",
            "x-forwarded-host",
            "forwarded",
            "x-original-url",
            "x-rewrite-url",
            "x-http-method-override",
            "orderloom-actor",
            "ce-actor",
            "connection",
            "keep-alive",
            "proxy-authorization",
            "te",
            "trailer",
            "upgrade",
            "cookie",
            "x-orderloom-csrf",
        )
    ]
    seen = (await raw(forwarding, "/api/order/orders", [*token(), *pretended])).json()
    assert {name for name, value in seen["headers"] if value == "user:admin"} == set()
    twice = (await raw(forwarding, "/api/order/orders", [*token(SALES), *token(ADMINISTRATOR)])).json()
    bearers = [value for name, value in seen["headers"] + twice["headers"] if name == "authorization"]
    assert bearers == [SALES.headers["Authorization"]] * 2


JUNK = (
    b"",
    b"x",
    b"0",
    b"-1",
    b"'; DROP TABLE orders --",
    b"\xff\xfe",
    b"9" * 5000,
    b"../..",
    b"a\tb",
    b"%00",
    b"\x00",
)


@pytest.mark.parametrize(
    "name",
    ["orderloom-after", "idempotency-key", "if-match", "traceparent", "accept-language", "cookie", "content-length"],
)
async def test_junk_in_a_header_is_refused_or_means_nothing(gateway_of_all: Running, name: str) -> None:
    await gateway_of_all.hear(*DIRECTORY, *UNTIL_PLANNED)
    for junk in JUNK:
        for path in ("/work/orders", f"/orders/{ORDER}", "/sign-in", "/auth/me"):
            answer = await raw(gateway_of_all, path, [*token(), (name.encode(), junk)])
            assert answer.status_code < 500 or (name, answer.status_code) == ("orderloom-after", 503), (
                junk,
                answer.text,
            )
    for junk in JUNK:
        headers = {name.encode(): junk} | dict(token(ADMINISTRATOR))
        body = {"name": "W", "locale": "en", "roles": [], "user_id": f"u{JUNK.index(junk)}"}
        if name != "content-length":
            answer = await gateway_of_all.http.post("/users", headers=headers, json=body)
            assert answer.status_code < 500, (junk, answer.text)


async def test_nobody_makes_a_service_wait_without_being_let_in(order_service_of_all: Running) -> None:
    answer = await order_service_of_all.get("/orders", headers={"Orderloom-After": str(new_id())})
    assert (answer.status_code, answer.elapsed.total_seconds() < 1) == (401, True)


async def test_a_line_break_in_an_answers_header_is_impossible(gateway_of_all: Running) -> None:
    led = await raw(gateway_of_all, "/orders/%0d%0aSet-Cookie:%20a=b?x=%0d%0aLocation:%20//evil.example")
    assert led.status_code in (303, 422)
    assert all("\n" not in value and "\r" not in value for value in led.headers.values())
    assert "set-cookie" not in led.headers


class Page(HTMLParser):
    """Everything that a policy without inline script would stop, and every address that something is loaded from."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.loaded: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        is_ours = tag == "script" and (dict(attributes).get("src") or "").startswith("/static/")
        forbidden = tag in ("script", "style", "iframe", "object", "embed", "base")
        self.inline += [tag] if forbidden and not is_ours else []
        for name, value in attributes:
            self.inline += [f"{tag} {name}"] if name == "style" or name.startswith("on") else []
            if name in ("src", "href", "action", "srcset", "formaction", "ping"):
                self.loaded.append(value or "")
            self.inline += [f"{tag} {value}"] if (value or "").strip().lower().startswith("javascript:") else []


async def test_no_page_has_inline_script_and_the_policy_allows_none(gateway_of_all: Running) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'
    await gateway_of_all.hear(*DIRECTORY, UNTIL_PLANNED[0].model_copy(update={"title": evil}), *UNTIL_PLANNED[1:])
    pages = [
        "/",
        "/orders",
        "/approvals",
        f"/orders/{ORDER}",
        f"/orders/{ORDER}?tab=thread",
        f"/orders/{new_id()}",
        "/docs",
        "/sign-in",
        "/?search=%22%3E%3Cscript%3E",
    ]
    pages += ["/sign-in?next=%22onfocus=alert(1)%20x=%22", "/sign-in?lang=%22%3E%3Cscript%3E", "/?lang=%3Cscript%3E"]
    for path in pages:
        answer = await gateway_of_all.get(path, SALES)
        page = Page(answer.text)
        assert page.inline == [], path
        assert all(each.startswith(("/", "#")) and not each.startswith("//") for each in page.loaded), page.loaded
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy and "*" not in policy and "data:" not in policy
        assert "49" not in answer.text.replace("0049", "") or "{{7*7}}" in answer.text or path != f"/orders/{ORDER}"
        assert answer.headers["cache-control"] == "no-store"


async def test_every_answer_has_the_headers_that_browsers_need_even_one_about_a_bug(
    gateway_of_all: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.queries.list_users", lambda *_: 1 / 0)
    answers = [
        await gateway_of_all.get("/users", ADMINISTRATOR),
        await gateway_of_all.get("/users"),
        await gateway_of_all.get("/nowhere"),
        await gateway_of_all.get("/auth/me", headers={"X-Api-Key": "guess"}),
        await gateway_of_all.post("/auth/sign-in", content=b"x" * (8 * 1024 * 1024 + 1)),
        await gateway_of_all.request("TRACE", "/auth/me"),
        await gateway_of_all.get("/static/components.css"),
    ]
    assert [each.status_code for each in answers] == [500, 401, 404, 401, 413, 405, 200]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
    assert {each.headers["cache-control"] for each in answers[:-1]} == {"no-store"}
    assert "division" not in answers[0].text


UNPRINTABLE = 'x\n{"level": "info", "event": "forged"}\r\x1b[2J\u2028\x85\x00'


def test_whatever_someone_wrote_is_one_line_of_the_log() -> None:
    program = f"""
import logging, structlog
from chassis import telemetry
telemetry.start(service="order", trace_ratio=0, otlp_endpoint="", log_level="DEBUG")
text = {UNPRINTABLE!r}
structlog.get_logger().warning("key_parked", reason=text, key=text)
logging.getLogger("a library").warning("it says %s", text)
try:
    raise ValueError(text)
except ValueError:
    structlog.get_logger().exception("request_failed", path=text)
    logging.getLogger("a library").exception(text)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    lines = [line for line in (ran.stdout + ran.stderr).split("\n") if line]
    assert [json.loads(line).get("event")[:9] for line in lines if json.loads(line)["level"] != "info"] != []
    assert (len(lines), "forged" in {json.loads(line)["event"] for line in lines}) == (4, False)
    assert not set("\r\x1b\u2028\x85\x00") & set("".join(lines))


async def test_a_nul_in_what_someone_writes_is_refused_before_it_can_park_an_order(
    order_service_of_all: Running,
) -> None:
    await ready(order_service_of_all)
    placed = (await order_service_of_all.post("/orders", order_world.SALES, json=order_world.ORDER)).json()
    path = f"/orders/{placed['order_id']}"
    assert (await order_service_of_all.post(f"{path}/approval", MANAGER, json={"comment": "\0"})).status_code == 422
    assert (await order_service_of_all.post(f"{path}/approval", MANAGER, json={})).status_code == 200
    for text in ("\0", "a\0b", "\x1b[2J", "\x07"):
        refused = await order_service_of_all.post(f"{path}/hold", MANAGER, json={"reason": text})
        assert (refused.status_code, refused.json()["type"]) == (422, "invalid-request")
    kept = await order_service_of_all.post(
        f"{path}/hold", MANAGER, json={"reason": "two\nlines, and \\u0000 in letters"}
    )
    assert kept.status_code == 200
    assert "\\u0000 in letters" in (await order_service_of_all.told("order.held.v1"))[0]["data"]["reason"]


async def test_a_nul_that_no_schema_has_noticed_is_a_refusal_and_no_fault_of_ours(
    order_service_of_all: Running,
) -> None:
    await ready(order_service_of_all)
    types = (await order_service_of_all.get("/order-types", order_world.SALES)).json()
    body = {name: types[0][name] for name in ("stages", "milestones", "terms", "fields_schema")}
    labels = {"zh": "a\0b", "en": "x"}
    answer = await order_service_of_all.put("/order-types/a", order_world.ADMINISTRATOR, json=body | {"labels": labels})
    assert answer.status_code == 422, answer.text
    cursor = "WyJcdTAwMDAiXQ"  # ["\u0000"]
    assert (await order_service_of_all.get(f"/clients?cursor={cursor}", order_world.SALES)).status_code == 400


async def test_a_schema_of_an_order_type_refers_to_itself_alone(
    order_service_of_all: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(order_service_of_all)
    asked: list[str] = []
    monkeypatch.setattr("urllib.request.urlopen", lambda address, *_, **__: asked.append(str(address)))
    types = (await order_service_of_all.get("/order-types", order_world.SALES)).json()
    body = {name: types[0][name] for name in ("labels", "stages", "milestones", "terms")}
    for reference in ("http://127.0.0.1:9/schema", "file:///etc/passwd", "#/$defs/missing", "other.json"):
        schema = {"type": "object", "properties": {"a": {"$ref": reference}}}
        answer = await order_service_of_all.put(
            "/order-types/a", order_world.ADMINISTRATOR, json=body | {"fields_schema": schema}
        )
        assert answer.status_code == 422, reference
    schema = {"$defs": {"x": {"properties": {"y": {"$ref": "#/$defs/x"}}}}, "$ref": "#/$defs/x"}
    own = body | {"fields_schema": schema | {"allOf": [{"$ref": "#"}]}}
    assert (await order_service_of_all.put("/order-types/a", order_world.ADMINISTRATOR, json=own)).status_code == 200
    without_end = order_world.ORDER | {"order_type": "a", "fields": {"y": {}}}
    answer = await order_service_of_all.post("/orders", order_world.SALES, json=without_end)
    assert (answer.status_code, asked) == (422, []), answer.text


FILES = {
    "too many lines": (b"{}\n" * 101, 413),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), 200),
    "a program": (b"#!/bin/sh\nrm -rf /\n", 200),
    "an archive": (b"PK\x03\x04" + b"\0" * 200, 200),
    "nested without end": (b"[" * 200_000, 200),
    "one endless number": (b'{"priority": ' + b"9" * 100_000 + b"}", 200),
    "nothing": (b"", 200),
    "a web page": (b"<html><script>alert(1)</script></html>", 200),
}


@pytest.mark.parametrize("kind", FILES)
async def test_a_file_of_orders_is_read_as_orders_whatever_it_says_that_it_is(
    order_service_of_all: Running, kind: str
) -> None:
    await ready(order_service_of_all)
    content, status = FILES[kind]
    headers = {"Content-Type": "text/html", "Content-Disposition": 'attachment; filename="../../etc/cron.d/x"'}
    answer = await order_service_of_all.post("/orders/import", order_world.SALES, content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"].split("+")[0]) in (
        (status, "application/json"),
        (status, "application/problem"),
    ), answer.text[:300]
    assert all(each["outcome"] == "rejected" for each in answer.json().get("results", []))
    assert await order_service_of_all.count("orders") == 0


async def test_a_file_that_is_too_large_is_refused_before_it_is_read(order_service_of_all: Running) -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b" " * 1024 * 1024

    answer = await order_service_of_all.post("/orders/import", order_world.SALES, content=endless())
    assert (answer.status_code, read <= 9) == (413, True)
