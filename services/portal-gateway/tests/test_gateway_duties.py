"""What is done to the tasks of an order from its page: handed over, inspected; and one's own password."""

import httpx
import pytest
from gateway_world import DIRECTORY, ORDER, UNTIL_PLANNED, example
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from contracts.project import ProjectCreated, TaskStarted
from portal.forwarding import Services
from stack import Running, Who

MANAGER = Who("zhou", ("project_manager",))
SELLER = Who("wang", ("sales",))
TASK = next(task for task in example(ProjectCreated).tasks if task.inspection)


@pytest.fixture
async def asked(gateway: Running) -> list[tuple[str, object]]:
    """What the services were sent, by a gateway that knows a planned order; they know three people."""
    await gateway.hear(*DIRECTORY, *UNTIL_PLANNED)
    asked: list[tuple[str, object]] = []
    people = [
        {"user_id": "ma", "name": "Ma Li", "roles": [TASK.role], "is_active": True},
        {"user_id": "gone", "name": "Gone Long", "roles": [TASK.role], "is_active": False},
        {"user_id": "wu", "name": "Wu Other", "roles": ["sales"], "is_active": True},
    ]

    async def answer(request: Request) -> JSONResponse:
        if request.method == "GET":
            return JSONResponse(people if request.url.path == "/people" else {"items": [], "next_cursor": None})
        body = await request.json()
        asked.append((request.url.path, body))
        if body.get("reason") == "":
            wrong = [{"field": "/reason", "reason": "String should have at least 1 character"}]
            return JSONResponse({"type": "invalid-request", "title": "Wrong.", "errors": wrong}, 422)
        return JSONResponse({})

    behind = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    names = ("order", "project", "finance", "notify")
    gateway.api.state.services = Services(
        {name: f"http://{name}" for name in names}, transport=httpx.ASGITransport(behind)
    )
    return asked


async def test_a_project_manager_gives_a_task_to_someone_who_holds_its_role(
    gateway: Running, asked: list[tuple[str, object]]
) -> None:
    page = (await gateway.get(f"/orders/{ORDER}?lang=en", MANAGER)).text
    form = page.split(f'action="/orders/{ORDER}/tasks/{TASK.id}/reassignment"')[1].partition("</form>")[0]
    assert "Ma Li" in form
    assert "Gone Long" not in form
    assert "Wu Other" not in form
    path = f"/orders/{ORDER}/tasks/{TASK.id}/reassignment"
    done = await gateway.post(path, MANAGER, data={"person_id": "ma", "reason": "On leave"})
    assert done.headers["location"] == f"/orders/{ORDER}?tab=plan&said=reassigned#task-{TASK.id}"
    assert asked == [(f"/tasks/{TASK.id}/reassignment", {"person_id": "ma", "reason": "On leave"})]


async def test_a_handing_over_that_is_refused_shows_what_is_wrong_beside_its_field(
    gateway: Running, asked: list[tuple[str, object]]
) -> None:
    path = f"/orders/{ORDER}/tasks/{TASK.id}/reassignment"
    refused = await gateway.post(path, MANAGER, data={"person_id": "ma", "reason": ""})
    form = refused.text.split(f'action="{path}"')[1].partition("</form>")[0]
    assert refused.status_code == 422
    assert f'id="why-wrong-{TASK.id}"' in form
    assert 'value="ma" selected' in form


async def test_handing_over_is_offered_to_those_alone_who_lead(gateway: Running, asked: list[object]) -> None:
    assert "/reassignment" not in (await gateway.get(f"/orders/{ORDER}", SELLER)).text


async def test_an_inspection_is_recorded_from_the_page_of_the_order_by_who_holds_the_role(
    gateway: Running, asked: list[tuple[str, object]]
) -> None:
    inspector, path = Who("ma", (TASK.role,)), f"/orders/{ORDER}/tasks/{TASK.id}/inspections"
    assert path not in (await gateway.get(f"/orders/{ORDER}", inspector)).text  # nothing is begun
    await gateway.hear(example(TaskStarted, task_id=TASK.id))
    assert path in (await gateway.get(f"/orders/{ORDER}", inspector)).text
    assert path in (await gateway.get(f"/orders/{ORDER}", MANAGER)).text
    assert path not in (await gateway.get(f"/orders/{ORDER}", SELLER)).text
    await gateway.post(path, inspector, data={"result": "failed", "note": "0.2 mm off"})
    assert asked == [(f"/tasks/{TASK.id}/inspections", {"result": "failed", "note": "0.2 mm off"})]


async def test_a_person_of_a_client_changes_their_own_password_by_the_form(
    gateway: Running, asked: list[object]
) -> None:
    body = {"user_id": "lin", "name": "Lin", "locale": "en", "roles": ["client"], "client_code": "C-0017"}
    admin = Who("admin", ("administrator",))
    assert (await gateway.post("/users", admin, json=body | {"password": "correct horse"})).status_code == 201
    await gateway.post("/auth/sign-in", json={"user": "lin", "password": "correct horse"})
    page = (await gateway.get("/me")).text
    form = page.split('action="/me/password"')[1].partition("</form>")[0]
    csrf = form.split('name="csrf" value="')[1].partition('"')[0]
    sent = {"csrf": csrf, "present_password": "correct horse", "new_password": "better horse"}
    assert (await gateway.post("/me/password", data=sent)).headers["location"] == "/me?said=saved"
    for password, status in (("correct horse", 401), ("better horse", 200)):
        answer = await gateway.post("/auth/sign-in", json={"user": "lin", "password": password})
        assert answer.status_code == status
