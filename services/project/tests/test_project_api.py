"""Work on projects and tasks over HTTP."""

from typing import Any

import pytest
from project_world import CLIENT, MANAGER, SALES, do, do_everything, planned, ready, shown, task_of, users

from chassis.ids import new_id
from contracts.directory import UserChanged
from stack import Running, Who, problems

SOMEONE = new_id()
BODIES: dict[str, dict[str, Any]] = {
    "start": {},
    "finish": {},
    "block": {"reason": "no drawing"},
    "unblock": {},
    "reassignment": {"person_id": "xu.qiang", "reason": "holidays"},
    "time-entries": {"work_date": "2026-11-20", "hours": "7.5"},
    "inspections": {"result": "passed"},
}


async def test_a_task_goes_from_start_to_finish_and_everyone_is_told(project_service: Running) -> None:
    project = await planned(project_service)
    first = project["tasks"][0]
    owner = Who(first["assignee"]["id"])
    started = await project_service.post(f"/tasks/{first['id']}/start", owner)
    assert (started.status_code, started.json()["status"]) == (200, "started")
    assert int(started.headers["ETag"].strip('"')) == project["version"] + 1
    finished = await project_service.post(f"/tasks/{first['id']}/finish", owner, headers={"If-Match": '"3"'})
    assert (finished.status_code, finished.json()["status"]) == (200, "finished")
    told = await project_service.told("task.started.v1", "task.finished.v1")
    assert [each["data"]["task_id"] for each in told] == [first["id"]] * 2
    assert told[1]["data"]["by"] == f"user:{owner.user_id}"
    assert told[1]["data"]["stage"] == "technical_review"
    assert finished.headers["Orderloom-Event"] == str(told[1]["event_id"])


async def test_what_must_come_first_is_named(project_service: Running) -> None:
    project = await planned(project_service)
    refused = await project_service.post(f"/tasks/{task_of(project, 'process_plan')['id']}/start", MANAGER)
    assert (refused.status_code, refused.json()["type"]) == (409, "predecessors-not-finished")
    assert "drawing_review" in refused.json()["title"]
    assert await project_service.told("task.started.v1") == []


async def test_rule_33_nobody_works_on_what_is_not_theirs(project_service: Running) -> None:
    task = task_of(await planned(project_service), "final_inspection")
    for action, body in BODIES.items():
        path = f"/tasks/{task['id']}/{action}"
        assert (await project_service.post(path, json=body)).status_code == 401, action
        for who in (CLIENT, SALES, Who("erp", ("orders:write",), kind="integration")):
            assert (await project_service.post(path, who, json=body)).status_code == 403, action
    unknown = await project_service.post(f"/tasks/{SOMEONE}/start", MANAGER)
    assert (unknown.status_code, unknown.json()["type"]) == (404, "task-not-found")


async def test_rule_33_only_leaders_reassign_and_hand_over(project_service: Running) -> None:
    project = await planned(project_service)
    machinist = Who("xu.qiang", ("machinist",))
    path = f"/tasks/{task_of(project, 'first_article')['id']}/reassignment"
    assert (await project_service.post(path, machinist, json=BODIES["reassignment"])).status_code == 403
    assert (await project_service.post(f"/orders/{project['order_id']}/delivery", machinist)).status_code == 403
    path = f"/deliverables/{project['deliverables'][0]['id']}/submissions"
    for who in (SALES, CLIENT):
        assert (await project_service.post(path, who, json={"reference": "DOC-1"})).status_code == 403
    for path in (f"/orders/{project['order_id']}/project", "/tasks"):
        assert (await project_service.get(path, CLIENT)).status_code == 403
        assert (await project_service.get(path)).status_code == 401


async def test_rule_35_a_stale_version_changes_nothing(project_service: Running) -> None:
    project = await planned(project_service)
    task = task_of(project, "final_inspection")
    stale = {"If-Match": '"1"'}
    paths = {f"/tasks/{task['id']}/{action}": body for action, body in BODIES.items()}
    paths[f"/deliverables/{project['deliverables'][0]['id']}/submissions"] = {"reference": "DOC-1"}
    paths[f"/orders/{project['order_id']}/delivery"] = {}
    for path, body in paths.items():
        assert (await project_service.post(path, MANAGER, json=body, headers=stale)).status_code == 412, path
    assert await shown(project_service, project["order_id"]) == project


async def test_a_blocked_task_is_again_what_it_was(project_service: Running) -> None:
    project = await planned(project_service)
    path = f"/tasks/{project['tasks'][0]['id']}"
    await do(project_service, project["tasks"][0], "start")
    blocked = await project_service.post(f"{path}/block", MANAGER, json={"reason": "no drawing"})
    assert (blocked.json()["status"], blocked.json()["blocked_reason"]) == ("blocked", "no drawing")
    assert (await project_service.post(f"{path}/finish", MANAGER)).json()["type"] == "task-not-started"
    unblocked = await project_service.post(f"{path}/unblock", MANAGER, json={"reason": "it came"})
    assert (unblocked.json()["status"], unblocked.json()["blocked_reason"]) == ("started", None)
    told = await project_service.told("task.blocked.v1", "task.unblocked.v1")
    assert [each["data"]["reason"] for each in told] == ["no drawing", "it came"]


async def test_who_starts_a_task_of_a_queue_takes_it_over(empty_service: Running) -> None:
    await ready(empty_service, people=False)
    task = (await planned(empty_service))["tasks"][0]
    await empty_service.hear(*users())
    engineer = Who("zhou.bo", ("process_engineer",))
    listed = (await empty_service.get("/tasks?queue=process_engineer", engineer)).json()["items"]
    assert task["id"] in [each["id"] for each in listed]
    started = await empty_service.post(f"/tasks/{task['id']}/start", engineer)
    assert (started.json()["assignee"], started.json()["queue"]) == ({"id": "zhou.bo", "name": "周波"}, None)
    told = await empty_service.told("task.reassigned.v1", "task.started.v1")
    assert [each["type"] for each in told] == ["task.reassigned.v1", "task.started.v1"]
    assert (told[0]["data"]["from"], told[0]["data"]["to"]["id"]) == (None, "zhou.bo")
    other = await empty_service.post(f"/tasks/{task['id']}/finish", Who("wu.min", ("process_engineer",)))
    assert (other.status_code, other.json()["type"]) == (403, "task-not-yours")


async def test_a_task_is_reassigned_to_someone_who_may_do_it(project_service: Running) -> None:
    task = task_of(await planned(project_service), "first_article")
    path = f"/tasks/{task['id']}/reassignment"
    to = next(user_id for user_id in ("xu.qiang", "sun.hao") if user_id != task["assignee"]["id"])

    async def reassigned_to(person_id: str) -> Any:
        return await project_service.post(path, MANAGER, json={"person_id": person_id, "reason": "holidays"})

    assert (await reassigned_to("nobody")).status_code == 404
    assert (await reassigned_to("wang.lin")).json()["type"] == "person-lacks-role"
    answer = await reassigned_to(to)
    assert (answer.status_code, answer.json()["assignee"]["id"]) == (200, to)
    (told,) = await project_service.told("task.reassigned.v1")
    assert (told["data"]["from"], told["data"]["to"]["id"]) == (task["assignee"], to)
    gone = next(user for user in users() if user.user_id == task["assignee"]["id"])
    await project_service.hear(UserChanged(**gone.model_dump() | {"active": False}))
    assert (await reassigned_to(gone.user_id)).json()["type"] == "person-not-active"


async def test_hours_are_exact_and_of_one_day(project_service: Running) -> None:
    task = (await planned(project_service))["tasks"][0]
    path = f"/tasks/{task['id']}/time-entries"
    entry = {"work_date": "2026-11-20", "hours": "7.50", "note": "drawings"}
    assert (await project_service.post(path, MANAGER, json=entry)).json()["type"] == "task-not-started"
    await do(project_service, task, "start")
    assert (await project_service.post(path, MANAGER, json=entry)).status_code == 200
    (told,) = await project_service.told("time.logged.v1")
    assert (told["data"]["hours"], told["data"]["person_id"]) == ("7.50", MANAGER.user_id)
    for hours in ("0", "24.5", 7.5, "1e1", "-1"):
        refused = await project_service.post(path, MANAGER, json=entry | {"hours": hours})
        assert (refused.status_code, problems(refused)) == (422, ["/hours"])
    refused = await project_service.post(path, MANAGER, json=entry | {"work_date": "2999-01-01"})
    assert (refused.status_code, refused.json()["type"]) == (422, "work-date-in-future")


@pytest.mark.parametrize("inspected_last", [True, False])
async def test_a_milestone_is_told_once_with_the_facts_that_prove_it(
    project_service: Running, inspected_last: bool
) -> None:
    project = await planned(project_service)
    inspected = task_of(project, "final_inspection")
    inspections = f"/tasks/{inspected['id']}/inspections"
    for task in project["tasks"][:9]:
        await do(project_service, task, "start", "finish")
    await do(project_service, inspected, "start")
    assert (await project_service.post(inspections, MANAGER, json={"result": "failed"})).status_code == 200
    if inspected_last:
        await do(project_service, inspected, "finish")
    assert len(await project_service.told("milestone.reached.v1")) == 2
    assert (await project_service.post(inspections, MANAGER, json={"result": "passed"})).status_code == 200
    if not inspected_last:
        await do(project_service, inspected, "finish")
    await project_service.post(inspections, MANAGER, json={"result": "passed"})
    told = await project_service.told("milestone.reached.v1")
    assert [each["data"]["milestone_code"] for each in told][2:] == ["inspection_passed"]
    finished = (await project_service.told("task.finished.v1"))[-1]["event_id"]
    passed = (await project_service.told("inspection.recorded.v1"))[1]["event_id"]
    assert told[-1]["data"]["evidence"] == [str(finished), str(passed)]
    after = await shown(project_service, project["order_id"])
    assert [each["result"] for each in after["inspections"]] == ["failed", "passed", "passed"]


async def test_the_delivery_is_submitted_once_when_everything_is_in(project_service: Running) -> None:
    project = await planned(project_service)
    path = f"/orders/{project['order_id']}/delivery"
    refused = await project_service.post(path, MANAGER)
    assert (refused.status_code, refused.json()["type"]) == (409, "delivery-not-ready")
    assert {"/tasks/packing", "/deliverables/packing_list"} <= set(problems(refused))
    await do_everything(project_service, project)
    answer = await project_service.post(path, MANAGER, json={}, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 200 and answer.json()["delivery_submitted_at"]
    again = await project_service.post(path, MANAGER, json={}, headers={"Idempotency-Key": "one"})
    assert again.json() == answer.json()
    assert (await project_service.post(path, MANAGER)).json()["type"] == "delivery-already-submitted"
    (told,) = await project_service.told("delivery.submitted.v1")
    assert [(each["code"], each["version"]) for each in told["data"]["deliverables"]] == [
        ("inspection_report", 1),
        ("packing_list", 1),
    ]
    late = f"/deliverables/{project['deliverables'][0]['id']}/submissions"
    assert (await project_service.post(late, MANAGER, json={"reference": "DOC-2"})).status_code == 409
    assert (await project_service.post(f"/orders/{SOMEONE}/delivery", MANAGER)).status_code == 404


async def test_a_deliverable_counts_its_versions(project_service: Running) -> None:
    project = await planned(project_service)
    path = f"/deliverables/{project['deliverables'][0]['id']}/submissions"
    for version in (1, 2):
        answer = await project_service.post(path, MANAGER, json={"reference": f"DOC-{version}"})
        assert answer.json()["deliverables"][0]["version"] == version
    told = await project_service.told("deliverable.submitted.v1")
    assert [(each["data"]["version"], each["data"]["reference"]) for each in told] == [(1, "DOC-1"), (2, "DOC-2")]
    unknown = await project_service.post(f"/deliverables/{SOMEONE}/submissions", MANAGER, json={"reference": "DOC-1"})
    assert unknown.status_code == 404


async def test_tasks_are_listed_by_owner_and_state_from_page_to_page(project_service: Running) -> None:
    project, _ = await planned(project_service), await planned(project_service)
    await do(project_service, project["tasks"][0], "start")
    seen: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await project_service.get(f"/tasks?limit=5&status=planned{cursor and '&cursor=' + cursor}", MANAGER)
        seen += page.json()["items"]
        cursor = page.json()["next_cursor"]
    assert len(seen) == len({task["id"] for task in seen}) == 2 * len(project["tasks"]) - 1
    assert [task["planned_finish"] for task in seen] == sorted(task["planned_finish"] for task in seen)
    assert {task["order_no"] for task in seen} == {project["order_no"]}
    mine = (await project_service.get("/tasks?assignee=xu.qiang", MANAGER)).json()["items"]
    assert mine and {task["assignee"]["id"] for task in mine} == {"xu.qiang"}
    assert (await project_service.get("/tasks?queue=machinist", MANAGER)).json()["items"] == []
