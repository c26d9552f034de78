"""Orders that do not simply go through: rejected and placed again, held and resumed, cancelled."""

import pytest

from journeys import an_order, approved, eventually, life, placed
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway, Refused

pytestmark = pytest.mark.xdist_group("e2e")


async def test_a_rejected_order_is_edited_placed_again_and_delivered(gateway: Gateway, cast: Cast) -> None:
    body = an_order()
    order = (await gateway.post(cast.seller, "/api/order/orders", body)).json()
    path = f"/api/order/orders/{order['order_id']}"
    await gateway.post(cast.holder("sales_manager"), f"{path}/rejection", {"reason": "The price is too low."})
    await gateway.put(cast.seller, path, body | {"title": "At a better price"})
    again = (await gateway.post(cast.seller, f"{path}/placement")).json()
    assert (again["order_no"], again["revision"], again["status"]) == (order["order_no"], 2, "submitted")
    await life(gateway, cast, order["order_id"]).play(lambda step: None)


async def test_a_held_order_stops_and_a_resumed_one_goes_on(gateway: Gateway, cast: Cast) -> None:
    order = await placed(gateway, cast)
    await approved(gateway, cast, order["order_id"])
    path = f"/api/order/orders/{order['order_id']}"
    held = await gateway.post(cast.holder("sales_manager"), f"{path}/hold", {"reason": "The drawing changes."})
    event_id = held.headers["Orderloom-Event"]
    project = await gateway.get(cast.reader, f"/api/project/orders/{order['order_id']}/project", after=event_id)
    first = next(task for task in project["tasks"] if not task["depends_on"])
    manager = cast.holder("project_manager")
    with pytest.raises(Refused) as refused:
        await gateway.post(manager, f"/api/project/tasks/{first['id']}/start")
    assert refused.value.status == 409
    await gateway.get(cast.reader, f"/api/finance/orders/{order['order_id']}/account", after=event_id)
    with pytest.raises(Refused) as refused:
        await gateway.post(cast.holder("finance"), f"/api/finance/orders/{order['order_id']}/invoices", {})
    assert refused.value.status == 409

    resumed = await gateway.post(cast.holder("sales_manager"), f"{path}/resumption")
    event_id = resumed.headers["Orderloom-Event"]
    for service in ("project", "finance"):
        room = "project" if service == "project" else "account"
        await gateway.get(cast.reader, f"/api/{service}/orders/{order['order_id']}/{room}", after=event_id)
    await life(gateway, cast, order["order_id"]).play(lambda step: None)


async def test_a_cancelled_order_ends_everywhere(gateway: Gateway, cast: Cast) -> None:
    order = await placed(gateway, cast)
    event_id = await approved(gateway, cast, order["order_id"])
    await gateway.get(cast.reader, f"/api/project/orders/{order['order_id']}/project", after=event_id)
    path = f"/api/order/orders/{order['order_id']}"
    cancelled = await gateway.post(cast.holder("sales_manager"), f"{path}/cancellation", {"reason": "The client left."})
    event_id = cancelled.headers["Orderloom-Event"]
    project = await gateway.get(cast.reader, f"/api/project/orders/{order['order_id']}/project", after=event_id)
    assert {task["status"] for task in project["tasks"]} == {"cancelled"}
    account = await gateway.get(cast.reader, f"/api/finance/orders/{order['order_id']}/account", after=event_id)
    assert {instalment["status"] for instalment in account["instalments"]} == {"cancelled"}

    async def on_the_thread() -> bool:
        entries = await gateway.all_pages(cast.reader, f"{path}/thread")
        types = {entry["type"] for entry in entries}
        return {"project.cancelled.v1", "instalments.cancelled.v1"} <= types

    await eventually(on_the_thread)
    assert (await gateway.get(cast.reader, path))["status"] == "cancelled"
