"""People, order types, templates and approved orders that the tests of the project service share."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import orderloom
from chassis.ids import new_id
from contracts.directory import OrderTypePublished, UserRegistered
from contracts.order import OrderApproved
from stack import Running, Who

DEFAULTS = Path(orderloom.__file__).parent / "defaults"
EXAMPLES = Path(__file__).parents[1] / "contracts" / "examples"
ADMINISTRATOR = Who("admin", ("administrator",))
MANAGER = Who("zhang.wei", ("project_manager",))
SALES = Who("wang.lin", ("sales",))
CLIENT = Who("client", ("client",), kind="client", client_id=new_id())


def default(path: str) -> Any:
    """A file of the defaults, as it is installed."""
    return json.loads((DEFAULTS / path).read_text())


def order_type(code: str = "machining", version: int = 1) -> OrderTypePublished:
    return OrderTypePublished(code=code, version=version, **default(f"order_types/{code}.json"))


def approved(**changes: Any) -> OrderApproved:
    """An approved machining order of its own, as the order service tells it."""
    example = json.loads((EXAMPLES / "order.approved.v1.json").read_text())
    new: dict[str, Any] = {"order_id": new_id(), "order_type": "machining", "type_version": 1}
    return OrderApproved.model_validate(example | new | {"approved_on": "2026-11-23"} | changes)


def users() -> list[UserRegistered]:
    """The demo people, as the gateway tells them."""
    return [
        UserRegistered(**{k: v for k, v in each.items() if k in UserRegistered.model_fields}, active=True)
        for each in default("people.json")
    ]


async def ready(service: Running, *, people: bool = True) -> None:
    """The defaults that an approval needs."""
    await service.hear(order_type("machining"), order_type("it-outsourcing"), *(users() if people else ()))
    for code in ("machining", "it-outsourcing"):
        answer = await service.put(f"/templates/{code}", ADMINISTRATOR, json=default(f"templates/{code}.json"))
        assert answer.status_code == 200, answer.text
    answer = await service.put("/calendar-days", ADMINISTRATOR, json=default("calendar.json"))
    assert answer.status_code == 204, answer.text


async def planned(service: Running, **changes: Any) -> dict[str, Any]:
    """A project, as its page shows it."""
    order = approved(**changes)
    await service.hear(order)
    return await shown(service, order.order_id)


async def shown(service: Running, order_id: UUID | str) -> dict[str, Any]:
    answer = await service.get(f"/orders/{order_id}/project", MANAGER)
    assert answer.status_code == 200, answer.text
    project: dict[str, Any] = answer.json()
    return project


def task_of(project: dict[str, Any], code: str) -> dict[str, Any]:
    task: dict[str, Any] = next(task for task in project["tasks"] if task["code"] == code)
    return task


async def do(service: Running, task: dict[str, Any], *actions: str, who: Who = MANAGER) -> None:
    """Take actions without a body on a task: start, finish."""
    for action in actions:
        answer = await service.post(f"/tasks/{task['id']}/{action}", who)
        assert answer.status_code == 200, answer.text


async def do_everything(service: Running, project: dict[str, Any]) -> None:
    """Every task, with its inspection passed, and every required deliverable."""
    for task in project["tasks"]:
        await do(service, task, "start")
        if task["inspection"]:
            await service.post(f"/tasks/{task['id']}/inspections", MANAGER, json={"result": "passed"})
        await do(service, task, "finish")
    for deliverable in project["deliverables"]:
        if deliverable["required"]:
            path = f"/deliverables/{deliverable['id']}/submissions"
            answer = await service.post(path, MANAGER, json={"reference": "DOC-1"})
            assert answer.status_code == 200, answer.text
