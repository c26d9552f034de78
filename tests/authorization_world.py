"""Of each service, a world in which everyone can be asked for by everyone: objects, bodies, and who people are."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import finance_world
import gateway_world
import httpx
import notify_world
import project_world
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

import order_world
from authorization import Asked, World
from chassis import parking
from chassis.clock import business_date, utc_now
from chassis.delivery import Delivery
from chassis.ids import new_id
from contracts.order import External, OrderPlaced
from facts import delivery_submitted
from portal.forwarding import Services
from stack import Running, Who

ANOTHER_COMPANY = UUID(int=7)


MACHINIST, INSPECTOR = Who("xu", ("machinist",)), Who("ma", ("quality_inspector",))


def people(
    company: UUID,
    *,
    worker: Who = MACHINIST,
    other_worker: Who = INSPECTOR,
    system: str = "erp",
    ids: Mapping[str, str] | None = None,
) -> dict[str, Who | None]:
    """By the heads of the table's columns. `company` is that of the order in question, `system` the one it came by."""

    def staff(role: str) -> Who:
        return Who((ids or {}).get(role, role), (role,))

    return {
        "nobody": None,
        "worker": worker,
        "worker²": other_worker,
        "sales": staff("sales"),
        "sales mgr": staff("sales_manager"),
        "finance": staff("finance"),
        "fin. mgr": staff("finance_manager"),
        "project mgr": staff("project_manager"),
        "gen. mgr": staff("general_manager"),
        "operator": staff("operator"),
        "admin": staff("administrator"),
        "client": Who((ids or {}).get("client", "client"), ("client",), "client", company),
        "client²": Who("stranger", ("client",), "client", ANOTHER_COMPANY),
        "key write": Who(system, ("orders:write",), "integration"),
        "key read": Who(system, ("orders:read",), "integration"),
        "key²": Who("crm", ("orders:read", "orders:write"), "integration"),
    }


async def of_every_service(service: Running) -> dict[tuple[str, str], Asked]:
    """What each has, and a parked key of which one message waits."""
    consumer, event_id = service.worker.inbox.consumers[0].name, new_id()
    async with service.database.transaction() as session:
        await parking.park_key(session, consumer, "empty", RuntimeError("x"))
        await parking.park_key(session, consumer, "a/key", RuntimeError("x"))
        headers = {"ce_id": str(event_id), "ce_type": "order.held.v1", "ce_source": "order", "ce_time": "x"}
        parking.park(session, consumer, Delivery("orders", "a/key", headers, "{}"))
    parked, some = f"/admin/parked/{consumer}", {"params": {"key": "a/key"}}
    paths = (
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/admin/parked",
        "/admin/discarded",
        "/admin/diagnosis",
    )
    discard = {"key": "empty", "reason": "x", "all": True}
    return {(f"GET {path}", ""): Asked(path) for path in paths} | {
        ("GET /admin/parked/{consumer}/messages", ""): Asked(f"{parked}/messages", some),
        ("GET /admin/parked/{consumer}/messages/{event_id}", ""): Asked(f"{parked}/messages/{event_id}", some),
        ("POST /admin/parked/{consumer}/retry", ""): Asked(f"{parked}/retry", {"json": {"key": "empty"}}),
        ("POST /admin/parked/{consumer}/discard", ""): Asked(f"{parked}/discard", {"json": discard}),
        ("POST /admin/republish", ""): Asked("/admin/republish", {"json": {"since": "2026-11-01T00:00:00Z"}}),
        ("GET /admin/read-model", ""): Asked("/admin/read-model"),
        ("GET /admin/read-model/rebuilds/{rebuild_id}", ""): Asked(f"/admin/read-model/rebuilds/{new_id()}"),
    }


async def order(service: Running) -> World:
    """A draft of a person, one of a system, and an order in each state that something can be done in."""
    await order_world.ready(service)

    async def placed(external_id: str, who: Who = order_world.SALES, **changes: Any) -> str:
        body = order_world.ORDER | {"external_id": external_id} | changes
        answer = await service.post("/orders", who, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["order_id"])

    async def approved(external_id: str) -> str:
        order_id = await placed(external_id)
        answer = await service.post(f"/orders/{order_id}/approval", order_world.MANAGER, json={})
        assert answer.status_code == 200, answer.text
        return order_id

    draft = await placed("E-1", draft=True)
    of_system = await placed("E-2", Who("erp", ("orders:write",), "integration"), draft=True)
    submitted, ready, held = await placed("E-3"), await approved("E-4"), await approved("E-5")
    await service.post(f"/orders/{held}/hold", order_world.MANAGER, json={"reason": "x"})
    handed_over = await approved("E-6")
    await service.hear(delivery_submitted(UUID(handed_over)))
    client = (await service.get(f"/orders/{ready}", order_world.SALES)).json()["client"]
    ladder, rates = (project_world.default(f"{name}.json") for name in ("approval-ladder", "exchange-rates"))
    new = order_world.ORDER | {"external_id": "E-7"}
    requests = await of_every_service(service) | {
        ("POST /orders/import", ""): Asked("/orders/import", {"content": json.dumps(new)}),
        ("POST /orders", ""): Asked("/orders", {"json": new}),
        ("POST /orders/preview", ""): Asked("/orders/preview", {"json": new}),
        ("GET /orders", ""): Asked("/orders"),
        ("PUT /orders/{order_id}", "a person's draft"): Asked(
            f"/orders/{draft}", {"json": new | {"external_id": "E-1"}}
        ),
        ("PUT /orders/{order_id}", "a system's draft"): Asked(
            f"/orders/{of_system}", {"json": new | {"external_id": "E-2"}}
        ),
        ("POST /orders/{order_id}/placement", "a person's draft"): Asked(f"/orders/{draft}/placement"),
        ("POST /orders/{order_id}/placement", "a system's draft"): Asked(f"/orders/{of_system}/placement"),
        ("POST /orders/{order_id}/approval", ""): Asked(f"/orders/{submitted}/approval", {"json": {}}),
        ("POST /orders/{order_id}/rejection", ""): Asked(f"/orders/{submitted}/rejection", {"json": {"reason": "x"}}),
        ("POST /orders/{order_id}/hold", ""): Asked(f"/orders/{ready}/hold", {"json": {"reason": "x"}}),
        ("POST /orders/{order_id}/resumption", ""): Asked(f"/orders/{held}/resumption", {"json": {}}),
        ("POST /orders/{order_id}/cancellation", ""): Asked(f"/orders/{ready}/cancellation", {"json": {"reason": "x"}}),
        ("POST /orders/{order_id}/acceptance", ""): Asked(f"/orders/{handed_over}/acceptance", {"json": {}}),
        ("POST /clients", ""): Asked("/clients", {"json": {"code": "C-9", "name": "Other Works", "tax_id": None}}),
        ("PUT /approval-ladder", ""): Asked("/approval-ladder", {"json": ladder}),
        ("PUT /exchange-rates", ""): Asked("/exchange-rates", {"json": rates}),
        ("PUT /order-types/{code}", ""): Asked(
            "/order-types/machining", {"json": project_world.default("order_types/machining.json")}
        ),
        ("GET /clients/{client_id}", ""): Asked(f"/clients/{client['id']}"),
        ("GET /threads/verification", ""): Asked("/threads/verification"),
        ("POST /admin/rebuilds", ""): Asked("/admin/rebuilds", {"json": {"service": "gateway"}}),
        ("GET /admin/rebuilds", ""): Asked("/admin/rebuilds"),
        ("GET /admin/rejected-requests", ""): Asked("/admin/rejected-requests"),
        ("GET /admin/rebuilds/{rebuild_id}", ""): Asked(f"/admin/rebuilds/{new_id()}"),
    }
    for path in ("", "/decisions", "/thread", "/thread/verification", "/trace"):
        requests[f"GET /orders/{{order_id}}{path}", ""] = Asked(f"/orders/{ready}{path}")
    for path in ("/clients", "/order-types", "/approval-ladder", "/exchange-rates"):
        requests[f"GET {path}", ""] = Asked(path)
    return World(people(UUID(client["id"])), requests, ("Example Works", "120 brackets"))


async def project(service: Running) -> World:
    """A project at every point where something can be done. `worker` owns its first tasks, `worker²` inspects."""
    await project_world.ready(service)
    fresh, started, blocked, made, done = [await project_world.planned(service) for _ in range(5)]
    first = {each["order_id"]: each["tasks"][0] for each in (fresh, started, blocked)}
    owner = first[fresh["order_id"]]["assignee"]["id"]
    for task in first.values():
        given = {"person_id": owner, "reason": "x"}
        await service.post(f"/tasks/{task['id']}/reassignment", project_world.MANAGER, json=given)
    for each in (started, blocked):
        await project_world.do(service, first[each["order_id"]], "start")
    await service.post(f"/tasks/{first[blocked['order_id']]['id']}/block", project_world.MANAGER, json={"reason": "x"})
    for task in made["tasks"]:
        await project_world.do(service, task, "start")
        if task["inspection"]:
            break
        await project_world.do(service, task, "finish")
    await project_world.do_everything(service, done)
    inspected = next(task for task in made["tasks"] if task["inspection"])
    today = business_date(utc_now(), service.settings.company_zone)
    bodies: dict[str, tuple[str, Any]] = {
        "start": (first[fresh["order_id"]]["id"], None),
        "finish": (first[started["order_id"]]["id"], None),
        "block": (first[started["order_id"]]["id"], {"reason": "x"}),
        "unblock": (first[blocked["order_id"]]["id"], {}),
        "reassignment": (first[fresh["order_id"]]["id"], {"person_id": owner, "reason": "x"}),
        "time-entries": (first[started["order_id"]]["id"], {"work_date": str(today), "hours": "1"}),
        "inspections": (inspected["id"], {"result": "passed"}),
    }
    requests = await of_every_service(service) | {
        ("GET /orders/{order_id}/project", ""): Asked(f"/orders/{fresh['order_id']}/project"),
        ("POST /orders/{order_id}/delivery", ""): Asked(f"/orders/{done['order_id']}/delivery"),
        ("POST /deliverables/{deliverable_id}/submissions", ""): Asked(
            f"/deliverables/{fresh['deliverables'][0]['id']}/submissions", {"json": {"reference": "x"}}
        ),
        ("PUT /templates/{code}", ""): Asked(
            "/templates/machining", {"json": project_world.default("templates/machining.json")}
        ),
        ("PUT /calendar-days", ""): Asked("/calendar-days", {"json": project_world.default("calendar.json")}),
        ("PUT /people/{user_id}", ""): Asked(
            f"/people/{owner}", {"json": {"skills": [], "cost_per_hour": "1", "currency": "CNY"}}
        ),
    }
    for action, (task_id, body) in bodies.items():
        more = {} if body is None else {"json": body}
        requests[f"POST /tasks/{{task_id}}/{action}", ""] = Asked(f"/tasks/{task_id}/{action}", more)
    for path in ("/tasks", "/templates", "/calendar-days", "/people"):
        requests[f"GET {path}", ""] = Asked(path)
    everyone = people(project_world.approved().client.id, worker=Who(owner, ("process_engineer",)))
    return World(everyone, requests, (fresh["order_no"],))


async def finance(service: Running) -> World:
    """An order with something to invoice, and one with an invoice."""
    due, invoiced = finance_world.approved(), finance_world.approved()
    await service.hear(due, invoiced)
    invoice = await finance_world.issue(service, invoiced.order_id)
    allocation = {"invoice_id": invoice["invoice_id"], "amount": "1.00"}
    receipt = {"currency": "CNY", "amount": "1.00", "allocations": [allocation]}
    requests = await of_every_service(service) | {
        ("GET /orders/{order_id}/account", ""): Asked(f"/orders/{due.order_id}/account"),
        ("POST /orders/{order_id}/invoices", ""): Asked(f"/orders/{due.order_id}/invoices"),
        ("GET /invoices/{invoice_id}", ""): Asked(f"/invoices/{invoice['invoice_id']}"),
        ("POST /receipts", ""): Asked("/receipts", {"json": receipt}),
    }
    lists = ("/due-instalments", "/invoices", "/open-invoices", "/receivables", "/receipts")
    for path in (*lists, *(f"/ledger/{x}" for x in LEDGER)):
        requests[f"GET {path}", ""] = Asked(path)
    return World(
        people(finance_world.CLIENT_ID) | {"client²": Who("x", ("client",), "client", new_id())},
        requests,
        ("Example Works", "120 brackets", "SO-000042", "INV-"),
    )


LEDGER = ("trial-balance", "entries", "check")


async def notify(service: Running) -> World:
    """An order of which a salesperson and the client were told."""
    await notify_world.begun(service)
    await service.hear(notify_world.fact("order.approved.v1"))
    notices = {
        row["user_id"]: f"/notices/{row['notice_id']}/read"
        for row in await service.rows("SELECT user_id, notice_id FROM notices WHERE channel = 'in_app'")
    }
    about = f"/orders/{notify_world.ORDER_ID}/notices"
    requests = await of_every_service(service) | {
        ("GET /notices", ""): Asked("/notices"),
        ("POST /notices/read-all", ""): Asked("/notices/read-all"),
        ("POST /notices/{notice_id}/read", "the salesperson's"): Asked(notices[notify_world.SALES]),
        ("POST /notices/{notice_id}/read", "the client's"): Asked(notices[notify_world.CLIENT_PERSON]),
        ("GET /orders/{order_id}/notices", ""): Asked(about),
        ("GET /orders/{order_id}/notices/counts", ""): Asked(f"{about}/counts"),
    }
    ids = {role: user_id for user_id, role in notify_world.ROLES.items()} | {"client": notify_world.CLIENT_PERSON}
    # A colleague of another company who has the very same user id, as only a forged fact could make it.
    of_all = people(notify_world.CLIENT_ID, ids=ids)
    stranger = of_all["client"]
    assert stranger is not None
    same_id = {"client²": replace(stranger, client_id=ANOTHER_COMPANY)}
    return World(of_all | same_id, requests, ("ORD-000042", "Name of"))


async def gateway(service: Running) -> World:
    """The order of the contracts' example, a user, and a key."""
    await service.hear(*gateway_world.DIRECTORY, *gateway_world.UNTIL_PLANNED)
    user = {"name": "Li Na", "locale": "en", "roles": ["sales"]}
    for user_id in ("li.na", "sales"):
        registered = user | {"user_id": user_id, "password": PASSWORD}
        assert (await service.post("/users", gateway_world.ADMINISTRATOR, json=registered)).status_code == 201
    key = {"system": "erp", "scopes": ["orders:read"]}
    issued = (await service.post("/api-keys", gateway_world.ADMINISTRATOR, json=key)).json()
    behind = {name: f"http://{name}" for name in ("order", "project", "finance", "notify")}
    service.api.state.services = Services(behind, transport=httpx.ASGITransport(_anyone()))
    service.api.state.is_stopping = True  # streams end as soon as they have begun
    form = {"user": "li.na", "password": PASSWORD, "form": "f"}
    requests = await of_every_service(service) | {
        (f"{method} /api/{{service}}/{{path}}", ""): Asked("/api/order/orders")
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    }
    order_id = gateway_world.ORDER
    requests |= {
        ("MOUNT /static", ""): Asked("/static/components.css"),
        ("POST /auth/sign-in", ""): Asked("/auth/sign-in", {"json": {"user": "li.na", "password": PASSWORD}}),
        ("POST /auth/password", "the salesperson's"): Asked(
            "/auth/password", {"json": {"present_password": PASSWORD, "new_password": "better horse"}}
        ),
        ("POST /sign-in", ""): Asked("/sign-in", {"data": form, "headers": {"Cookie": "orderloom_form=f"}}),
        ("POST /users", ""): Asked("/users", {"json": user | {"user_id": "new"}}),
        ("GET /users/{user_id}", ""): Asked("/users/li.na"),
        ("PUT /users/{user_id}", ""): Asked("/users/li.na", {"json": user | {"active": True}}),
        ("POST /users/{user_id}/password", ""): Asked("/users/li.na/password", {"json": {"password": "new password"}}),
        ("POST /api-keys", ""): Asked("/api-keys", {"json": key}),
        ("DELETE /api-keys/{key_id}", ""): Asked(f"/api-keys/{issued['key_id']}"),
        ("GET /orders/{order_id}", ""): Asked(f"/orders/{order_id}"),
    }
    requests |= _pages(order_id, user)
    for path in ("/auth/sign-out", "/sign-out"):
        requests[f"POST {path}", ""] = Asked(path)
    for path in ("", "/{order_id}", "/{order_id}/timeline"):
        for whose in ("portal", "work"):
            requests[f"GET /{whose}/orders{path}", ""] = Asked(f"/{whose}/orders{path}".format(order_id=order_id))
    for path in PLAIN:
        requests[f"GET {path}", ""] = Asked(path)
    example = gateway_world.example(OrderPlaced)
    assert isinstance(example.external, External)
    everyone = people(example.client.id, system=example.external.source)
    return World(everyone, requests, (example.order_no, example.client.name, example.title, "Li Na"))


def _pages(order_id: UUID, user: Mapping[str, Any]) -> dict[tuple[str, str], Asked]:
    """What forms of ours send, each by someone whose token is in a header that no other site's form can send."""
    task_id, deliverable_id, form = new_id(), new_id(), {"key": "k"}
    person = {"name": user["name"], "locale": user["locale"], "roles": user["roles"]}
    sent: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
        ("/orders/new", ""): ("/orders/new", {"title": "x"}),
        ("/orders/new/totals", ""): ("/orders/new/totals", {"title": "x"}),
        ("/money/invoices", ""): ("/money/invoices", {"order_id": str(order_id)}),
        ("/money/receipts", ""): ("/money/receipts", {"amount": "1"}),
        ("/approvals/{order_id}", ""): (f"/approvals/{order_id}", {"decision": "approve", "step": "1"}),
        ("/orders/{order_id}/acceptance", ""): (f"/orders/{order_id}/acceptance", {}),
        ("/orders/{order_id}/{command}", ""): (f"/orders/{order_id}/hold", {"reason": "x"}),
        ("/orders/{order_id}/tasks/{task_id}/{command}", ""): (
            f"/orders/{order_id}/tasks/{task_id}/reassignment",
            {"person_id": "xu", "reason": "x"},
        ),
        ("/tasks/{task_id}/{command}", ""): (f"/tasks/{task_id}/start", {}),
        ("/deliverables/{deliverable_id}/submissions", ""): (
            f"/deliverables/{deliverable_id}/submissions",
            {"order_id": str(order_id), "reference": "x"},
        ),
        ("/deliveries/{order_id}", ""): (f"/deliveries/{order_id}", {}),
        ("/me/language", "the salesperson's"): ("/me/language", {"locale": "zh-CN"}),
        ("/me/notices/read", ""): ("/me/notices/read", {}),
        ("/me/password", "the salesperson's"): (
            "/me/password",
            {"present_password": PASSWORD, "new_password": "better horse"},
        ),
        ("/office/users/new", ""): ("/office/users/new", person | {"user_id": "new"}),
        ("/office/users/{user_id}", ""): ("/office/users/li.na", person | {"active": "yes"}),
        ("/office/users/{user_id}/password", ""): ("/office/users/li.na/password", {"password": "new password"}),
        ("/office/clients", ""): ("/office/clients", {"code": "C-1", "name": "x"}),
        ("/office/integration/{service}/{consumer}/{what}", ""): (
            "/office/integration/order/order.x/retry",
            {"about": "k"},
        ),
    }
    requests = {
        (f"POST {route}", about): Asked(path, {"data": form | data}) for (route, about), (path, data) in sent.items()
    }
    shown = ("/approvals", "/orders", "/board", "/tasks", "/orders/new", "/money", "/me", "/help", "/events")
    office = ("/office", "/office/users", "/office/users/new", "/office/clients", "/office/integration")
    requests |= {(f"GET {path}", ""): Asked(path) for path in (*shown, *office)}
    return requests | {("GET /office/users/{user_id}", ""): Asked("/office/users/li.na")}


PASSWORD = "correct horse"
PLAIN = (
    "/.well-known/jwks.json",
    "/auth/me",
    "/users",
    "/api-keys",
    "/work/approvals",
    "/work/board",
    "/work/tasks",
    "/sign-in",
    "/",
    "/docs",
    "/language",
    "/manifest.webmanifest",
)


def _anyone() -> Starlette:
    """A service behind that lets everyone do everything, and has nothing: what refuses is the gateway."""

    async def answer(request: Any) -> JSONResponse:
        if request.method == "GET" and request.url.path.startswith(("/openapi.json", "/orders/")):
            return JSONResponse({}, 404)
        nothing: Any = (
            []
            if request.url.path in ("/order-types", "/people", "/receivables")
            else {"items": [], "next_cursor": None}
        )
        return JSONResponse(nothing if request.method == "GET" else {"order_id": str(gateway_world.ORDER)})

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", answer, methods=methods)])


WORLDS = {"order": order, "project": project, "finance": finance, "notify": notify, "gateway": gateway}
