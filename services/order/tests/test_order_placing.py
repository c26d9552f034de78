"""Placing an order over HTTP."""

from typing import Any

from order_world import MANAGER, ORDER, SALES, ready
from stack import Running, Who, problems


async def test_an_order_is_priced_submitted_and_told(order_service: Running) -> None:
    await ready(order_service)
    answer = await order_service.post("/orders", SALES, json=ORDER)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["status"], answer.json()["total"]) == ("submitted", "4959.45")
    (placed,) = await order_service.told("order.placed.v1")
    assert answer.headers["Orderloom-Event"] == str(placed["event_id"])
    assert placed["data"]["approval_steps"] == [{"step": 1, "role": "sales_manager"}]
    assert [line["net"] for line in placed["data"]["lines"]] == ["4388.89"]
    assert [term["code"] for term in placed["data"]["terms"]] == ["advance", "acceptance", "retention"]


async def test_an_equal_body_again_is_the_same_order_and_another_body_is_a_conflict(order_service: Running) -> None:
    await ready(order_service)
    first = await order_service.post("/orders", SALES, json=ORDER)
    again = await order_service.post("/orders", SALES, json=dict(reversed(ORDER.items())))
    other = await order_service.post("/orders", SALES, json=ORDER | {"title": "Another"})
    assert (again.status_code, again.json()["order_id"]) == (200, first.json()["order_id"])
    assert (other.status_code, problems(other)) == (409, ["/external_id"])
    assert len(await order_service.told("order.placed.v1")) == 1


async def test_every_error_is_named_in_one_answer(order_service: Running) -> None:
    await ready(order_service)
    wrong: dict[str, Any] = ORDER | {"fields": {"colour": "red"}, "currency": "XXX", "col~our/s": 1}
    answer = await order_service.post("/orders", SALES, json=wrong)
    assert answer.status_code == 422
    assert set(problems(answer)) == {
        "/fields/material",
        "/fields/drawing_no",
        "/fields/colour",
        "/currency",
        "/col~0our~1s",
    }
    assert (await order_service.post("/orders", SALES, content=b'{"a": NaN}')).status_code == 422
    assert (await order_service.post("/orders", SALES, content=b" " * (1024 * 1024 + 1))).status_code == 413
    assert (await order_service.post("/orders", json=ORDER)).status_code == 401
    assert (await order_service.post("/orders", Who("x", ("finance",)), json=ORDER)).status_code == 403


async def test_the_last_step_approves_the_order_and_it_leaves_its_first_stage(order_service: Running) -> None:
    await ready(order_service)
    placed = (await order_service.post("/orders", SALES, json=ORDER)).json()
    path = f"/orders/{placed['order_id']}/approval"
    assert (await order_service.post(path, Who("wang", ("sales_manager",)), json={})).status_code == 403
    assert (await order_service.post(path, Who("li", ("finance",)), json={})).status_code == 403
    approved = await order_service.post(path, MANAGER, json={"comment": "fine"})
    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert (await order_service.post(path, MANAGER, json={})).json()["type"] == "order-not-submitted"
    told = [each["type"] for each in await order_service.told(topic="orders")]
    assert told == ["order.placed.v1", "approval.decided.v1", "order.approved.v1", "order.stage_advanced.v1"]
    shown = (await order_service.get(f"/orders/{placed['order_id']}", SALES)).json()
    assert (shown["stage"], shown["waiting_for"]) == ("technical_review", ["stage_tasks_finished"])
