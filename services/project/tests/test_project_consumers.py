"""What the project service does on the facts of others: every one twice."""

from datetime import date, timedelta
from typing import Any

from project_world import (
    ADMINISTRATOR,
    MANAGER,
    approved,
    default,
    do,
    do_everything,
    order_type,
    planned,
    ready,
    shown,
    task_of,
    users,
)

from chassis.ids import new_id
from contracts.directory import UserChanged
from contracts.order import DeliveryAccepted, OrderCancelled, OrderHeld, OrderResumed
from stack import Running


def held(order_id: Any) -> OrderHeld:
    return OrderHeld(order_id=order_id, reason="the client asked", by="user:li.na")


def resumed(order_id: Any) -> OrderResumed:
    return OrderResumed(order_id=order_id, by="user:li.na")


def cancelled(order_id: Any) -> OrderCancelled:
    return OrderCancelled(order_id=order_id, reason="the client asked", by="user:li.na")


def accepted(order_id: Any) -> DeliveryAccepted:
    return DeliveryAccepted(order_id=order_id, accepted_on="2026-12-20", accepted_by="client:li")


async def test_an_approved_order_becomes_a_project_with_owners_and_dates(project_service: Running) -> None:
    project = await planned(project_service)
    assert (project["status"], project["template"]) == ("active", {"code": "machining", "version": 1})
    assert project["manager"] is not None and len(project["tasks"]) >= 12
    assert all(task["assignee"] and task["queue"] is None for task in project["tasks"])
    assert [each["code"] for each in project["milestones"]] == [each.code for each in order_type().milestones]
    (created,) = await project_service.told("project.created.v1")
    assert created["data"]["project_id"] == project["project_id"]
    assert [task["id"] for task in created["data"]["tasks"]] == [task["id"] for task in project["tasks"]]
    assert created["data"]["milestones"][-1]["planned_on"] == project["planned_finish"]


async def test_rule_21_a_second_approval_of_an_order_changes_nothing(project_service: Running) -> None:
    order = approved()
    records = await project_service.hear(order)
    before = await shown(project_service, order.order_id)
    await project_service.hear_again(records)
    template = default("templates/machining.json")
    template["deliverables"] = []
    assert (await project_service.put("/templates/machining", ADMINISTRATOR, json=template)).json()["version"] == 2
    await project_service.hear(order, order)  # new ids, one cause
    assert await shown(project_service, order.order_id) == before
    assert len(await project_service.told("project.created.v1")) == 1
    assert await project_service.count("timers") == 1


async def test_rule_32_without_people_every_task_waits_in_the_queue_of_its_role(empty_service: Running) -> None:
    await ready(empty_service, people=False)
    project = await planned(empty_service)
    assert project["manager"] is None
    assert all(task["queue"] == task["role"] and task["planned_finish"] for task in project["tasks"])


async def test_the_orders_of_one_batch_are_spread_over_the_people(project_service: Running) -> None:
    orders = [approved() for _ in range(4)]
    await project_service.hear(*orders)
    projects = [await shown(project_service, order.order_id) for order in orders]
    inspectors = [task_of(project, "final_inspection")["assignee"]["id"] for project in projects]
    assert inspectors[:2] == ["ma.li", "zhu.ting"]
    assert {task_of(project, "batch_machining")["assignee"]["id"] for project in projects} == {"sun.hao", "xu.qiang"}
    assert {project["manager"]["id"] for project in projects} == {"daniel.meyer", "zhang.wei"}


async def test_ended_work_is_no_load(project_service: Running) -> None:
    first, second = await planned(project_service), await planned(project_service)
    buyers = [task_of(project, "material_purchase")["assignee"]["id"] for project in (first, second)]
    assert buyers == ["guo.xin", "hu.bin"]
    await project_service.hear(cancelled(second["order_id"]))
    assert task_of(await planned(project_service), "material_purchase")["assignee"]["id"] == "hu.bin"


async def test_an_approval_before_its_template_waits_and_is_applied_later(empty_service: Running) -> None:
    order = approved()
    await empty_service.hear(order)
    (waiting,) = await empty_service.rows("SELECT reason, waits FROM parked_keys")
    assert waiting["waits"]
    assert "No template fits version 1 of the order type machining" in waiting["reason"]
    await empty_service.hear(order_type())
    answer = await empty_service.put("/templates/machining", ADMINISTRATOR, json=default("templates/machining.json"))
    assert answer.status_code == 200
    await empty_service.worker.inbox.try_again()
    assert len((await shown(empty_service, order.order_id))["tasks"]) >= 12
    assert await empty_service.count("parked_keys") == 0


async def test_an_order_of_an_older_type_gets_the_newest_template_that_fits_it(project_service: Running) -> None:
    newer = order_type(version=2)
    stages = [stage.model_copy(update={"code": stage.code.replace("created", "begun")}) for stage in newer.stages]
    await project_service.hear(newer.model_copy(update={"stages": tuple(stages)}))
    template = default("templates/machining.json")
    template["tasks"][0]["stage"] = "begun"
    answer = await project_service.put("/templates/machining", ADMINISTRATOR, json=template)
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert (await planned(project_service, type_version=2))["template"]["version"] == 2
    assert (await planned(project_service, type_version=1))["template"]["version"] == 1


async def test_an_order_type_told_twice_is_known_once(empty_service: Running) -> None:
    records = await empty_service.hear(order_type(), order_type())
    await empty_service.hear_again(records)
    assert await empty_service.count("order_types") == 1


async def test_people_are_as_their_users_were_told_last(empty_service: Running) -> None:
    registered = next(user for user in users() if user.user_id == "xu.qiang")
    told = registered.model_dump()
    records = await empty_service.hear(registered, UserChanged(**told | {"roles": ["warehouse"], "name": "徐"}))
    assert (await empty_service.rows("SELECT name, roles, is_active FROM people")) == [
        {"name": "徐", "roles": ["warehouse"], "is_active": True}
    ]
    await empty_service.hear_again(records)
    await empty_service.hear(UserChanged(**told | {"active": False}))
    assert (await empty_service.rows("SELECT is_active FROM people")) == [{"is_active": False}]
    await empty_service.hear(UserChanged(**told | {"user_id": "someone", "client_id": new_id()}))
    assert await empty_service.count("people") == 1


async def test_what_a_person_knows_survives_a_change_of_the_user(empty_service: Running) -> None:
    registered = users()[0]
    body = {"skills": ["milling"], "cost_per_hour": "99.50", "currency": "CNY"}
    path = f"/people/{registered.user_id}"
    assert (await empty_service.put(path, ADMINISTRATOR, json=body)).status_code == 404
    records = await empty_service.hear(registered)
    assert (await empty_service.put(path, ADMINISTRATOR, json=body)).json()["cost_per_hour"] == "99.50"
    await empty_service.hear_again(records)
    await empty_service.hear(UserChanged(**registered.model_dump()))
    assert (await empty_service.get("/people", MANAGER)).json()[0]["skills"] == ["milling"]


async def test_while_held_nothing_starts_but_work_is_finished_and_no_timer_fires(project_service: Running) -> None:
    project = await planned(project_service)
    order_id, first = project["order_id"], project["tasks"][0]
    await do(project_service, first, "start")
    records = await project_service.hear(held(order_id))
    await project_service.hear_again(records)
    assert (await shown(project_service, order_id))["status"] == "on_hold"
    assert await project_service.rows("SELECT DISTINCT is_suspended FROM timers") == [{"is_suspended": True}]
    await do(project_service, first, "finish")
    refused = await project_service.post(f"/tasks/{project['tasks'][1]['id']}/start", MANAGER)
    assert (refused.status_code, refused.json()["type"]) == (409, "project-is-held")
    records = await project_service.hear(resumed(order_id))
    await project_service.hear_again(records)
    assert await project_service.rows("SELECT DISTINCT is_suspended FROM timers") == [{"is_suspended": False}]
    await do(project_service, project["tasks"][1], "start")


async def test_cancelling_ends_what_is_open_and_its_timers(project_service: Running) -> None:
    project = await planned(project_service)
    order_id, first, second = project["order_id"], project["tasks"][0], project["tasks"][1]
    await do(project_service, first, "start", "finish")
    await do(project_service, second, "start")
    records = await project_service.hear(cancelled(order_id))
    await project_service.hear_again(records)
    await project_service.hear(cancelled(order_id), held(order_id), resumed(order_id), accepted(order_id))
    after = await shown(project_service, order_id)
    assert after["status"] == "cancelled"
    assert [task["status"] for task in after["tasks"]] == ["finished"] + ["cancelled"] * (len(after["tasks"]) - 1)
    (told,) = await project_service.told("project.cancelled.v1")
    assert told["data"]["finished_tasks"] == [first["id"]]
    assert set(told["data"]["cancelled_tasks"]) == {task["id"] for task in after["tasks"][1:]}
    assert await project_service.count("timers") == 0
    refused = await project_service.post(f"/tasks/{second['id']}/finish", MANAGER)
    assert (refused.status_code, refused.json()["type"]) == (409, "task-not-started")
    assert (await project_service.post(f"/orders/{order_id}/delivery", MANAGER)).json()[
        "type"
    ] == "project-is-cancelled"


async def test_all_that_happens_to_an_order_may_come_in_one_batch(project_service: Running) -> None:
    order, other = approved(), approved()
    await project_service.hear(order, held(order.order_id), resumed(order.order_id), cancelled(order.order_id))
    assert (await shown(project_service, order.order_id))["status"] == "cancelled"
    assert await project_service.count("timers") == 0
    await project_service.hear(other, held(other.order_id), accepted(other.order_id))
    assert await project_service.rows("SELECT DISTINCT is_suspended FROM timers") == [{"is_suspended": True}]


async def test_an_order_that_ends_before_its_approval_has_no_project(project_service: Running) -> None:
    order_id = new_id()
    await project_service.hear(held(order_id), resumed(order_id), cancelled(order_id), accepted(order_id))
    assert await project_service.told(topic="orders") == []
    assert await project_service.count("parked_keys") == 0


async def test_the_client_reaches_the_last_milestone_once(project_service: Running) -> None:
    project = await planned(project_service)
    await do_everything(project_service, project)
    assert (await project_service.post(f"/orders/{project['order_id']}/delivery", MANAGER)).status_code == 200
    records = await project_service.hear(accepted(project["order_id"]))
    await project_service.hear_again(records)
    await project_service.hear(accepted(project["order_id"]))
    after = await shown(project_service, project["order_id"])
    assert (after["status"], after["milestones"][-1]["reached_on"]) == ("accepted", "2026-12-20")
    reached = await project_service.told("milestone.reached.v1")
    codes = [each["data"]["milestone_code"] for each in reached]
    assert codes == ["review_passed", "production_finished", "inspection_passed", "accepted"]
    assert reached[-1]["data"]["evidence"] == [dict(records[0].headers)["ce_id"].decode()]


async def test_dates_are_working_days_and_follow_the_dependencies(project_service: Running) -> None:
    project = await planned(project_service, approved_on="2026-09-26")  # a holiday, just before the National Day
    by_id = {task["id"]: task for task in project["tasks"]}
    off = {day["date"] for day in default("calendar.json") if not day["is_working"]}
    on = {day["date"] for day in default("calendar.json") if day["is_working"]}
    for task in project["tasks"]:
        for day in (task["planned_start"], task["planned_finish"]):
            assert day not in off and (date.fromisoformat(day).weekday() < 5 or day in on)
        for before in task["depends_on"]:
            assert by_id[before]["planned_finish"] <= task["planned_start"]
    assert project["planned_start"] == "2026-09-28"
    assert project["planned_finish"] == max(task["planned_finish"] for task in project["tasks"])
    assert date.fromisoformat(project["planned_finish"]) - date.fromisoformat("2026-09-26") > timedelta(days=14)
