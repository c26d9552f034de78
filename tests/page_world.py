"""Orders at each point of their life, for what is tried on the pages of a whole stack."""

import asyncio
from typing import Any

from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway

CLIENT = {"code": "C-PAGES", "name": "Pages & Söhne 有限公司"}


async def placed(gateway: Gateway, cast: Cast, **changes: Any) -> str:
    body: dict[str, Any] = {
        "client": CLIENT,
        "order_type": "machining",
        "title": "Plates of a page",
        "currency": "CNY",
        "lines": [{"item": "Plate", "quantity": "4", "unit": "pcs", "unit_price": "12.5", "tax_rate": "0.13"}],
        "fields": {"material": "6061-T6", "drawing_no": "D-1"},
    }
    answer = await gateway.post(cast.seller, "/api/order/orders", body | changes)
    order_id = str(answer.json()["order_id"])
    await eventually(gateway, cast.reader, f"/work/orders/{order_id}", after=answer.headers["orderloom-event"])
    return order_id


async def approved(gateway: Gateway, cast: Cast) -> str:
    order_id = await placed(gateway, cast)
    await gateway.post(cast.holder("sales_manager"), f"/api/order/orders/{order_id}/approval", {"step": 1})
    await eventually(gateway, cast.reader, f"/api/project/orders/{order_id}/project")
    while not (await gateway.get(cast.reader, f"/work/orders/{order_id}"))["tasks"]:
        await asyncio.sleep(0.05)
    return order_id


async def delivered(gateway: Gateway, cast: Cast) -> tuple[str, str]:
    """An order whose delivery waits for its client, and a person of theirs."""
    order_id = await approved(gateway, cast)
    manager = await work_done(gateway, cast, order_id)
    project = await gateway.get(cast.reader, f"/api/project/orders/{order_id}/project")
    for deliverable in project["deliverables"]:
        path = f"/api/project/deliverables/{deliverable['id']}/submissions"
        await gateway.post(manager, path, {"reference": "DOC-1"})
    told = await gateway.post(manager, f"/api/project/orders/{order_id}/delivery")
    user = await cast.client_person(CLIENT, after=None)
    await eventually(gateway, user, f"/portal/orders/{order_id}", after=told.headers["orderloom-event"])
    return order_id, user


async def work_done(gateway: Gateway, cast: Cast, order_id: str) -> str:
    """Every task of it finished; return who leads its project."""
    while True:
        project = await gateway.get(cast.reader, f"/api/project/orders/{order_id}/project")
        done = {task["id"] for task in project["tasks"] if task["status"] == "finished"}
        ready = [each for each in project["tasks"] if each["id"] not in done and set(each["depends_on"]) <= done]
        if not ready:
            break
        for task in ready:
            owner = task["assignee"]["id"] if task["assignee"] else cast.holder(task["queue"])
            await gateway.post(owner, f"/api/project/tasks/{task['id']}/start")
            if task["inspection"]:
                inspector = cast.holder("quality_inspector")
                await gateway.post(inspector, f"/api/project/tasks/{task['id']}/inspections", {"result": "passed"})
            await gateway.post(owner, f"/api/project/tasks/{task['id']}/finish")
    return str(project["manager"]["id"])


async def owner_of_first_task(gateway: Gateway, cast: Cast, order_id: str) -> str:
    await eventually(gateway, cast.reader, f"/api/project/orders/{order_id}/project")
    project = await gateway.get(cast.reader, f"/api/project/orders/{order_id}/project")
    first = next(task for task in project["tasks"] if not task["depends_on"])
    return str(first["assignee"]["id"]) if first["assignee"] else cast.holder(first["queue"])


async def eventually(gateway: Gateway, user: str, path: str, *, after: str | None = None) -> None:
    for _ in range(200):
        try:
            await gateway.get(user, path, after=after)
            return
        except Exception:
            await asyncio.sleep(0.05)
    await gateway.get(user, path)
