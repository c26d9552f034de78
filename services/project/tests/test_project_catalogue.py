"""Templates, the calendar and people over HTTP."""

from typing import Any

import pytest
from project_world import ADMINISTRATOR, CLIENT, MANAGER, SALES, default, planned

from stack import Running, problems


async def test_a_template_is_published_when_something_in_it_is_new(project_service: Running) -> None:
    template = default("templates/machining.json")
    same = await project_service.put("/templates/machining", ADMINISTRATOR, json=template)
    assert (same.status_code, same.json()["version"]) == (200, 1)
    template["tasks"][0]["duration_days"] = 2
    newer = await project_service.put("/templates/machining", ADMINISTRATOR, json=template)
    assert newer.json()["version"] == 2
    assert (await planned(project_service))["template"]["version"] == 2
    listed = (await project_service.get("/templates", MANAGER)).json()
    assert [(each["code"], each["version"]) for each in listed] == [("it-outsourcing", 1), ("machining", 2)]


async def test_a_template_of_an_order_type_that_is_not_known_yet_waits(empty_service: Running) -> None:
    template = default("templates/machining.json")
    answer = await empty_service.put("/templates/machining", ADMINISTRATOR, json=template)
    assert answer.status_code == 503 and answer.headers["Retry-After"]


async def test_rule_28_a_template_with_a_cycle_is_refused(project_service: Running) -> None:
    template = default("templates/machining.json")
    template["tasks"][0]["depends_on"] = ["review_release"]
    refused = await project_service.put("/templates/machining", ADMINISTRATOR, json=template)
    assert (refused.status_code, refused.json()["type"], problems(refused)) == (422, "template-wrong", ["/tasks"])
    assert await project_service.count("templates") == 2


async def test_the_calendar_is_replaced_and_planned_by_at_once(project_service: Running) -> None:
    days = (await project_service.get("/calendar-days?year=2026", MANAGER)).json()
    assert {day["date"] for day in days if day["is_working"]} == {
        "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
    }  # fmt: skip
    off = [{"date": "2026-11-23", "is_working": False, "name": "Factory closed"}]
    assert (await project_service.put("/calendar-days", ADMINISTRATOR, json=off)).status_code == 204
    assert (await project_service.get("/calendar-days", MANAGER)).json() == off
    assert (await planned(project_service, approved_on="2026-11-23"))["planned_start"] == "2026-11-24"
    wrong = await project_service.put("/calendar-days", ADMINISTRATOR, json=[off[0] | {"date": "2026-02-30"}])
    assert (wrong.status_code, problems(wrong)) == (422, ["/0/date"])
    twice = await project_service.put("/calendar-days", ADMINISTRATOR, json=off * 2)
    assert (twice.status_code, problems(twice)) == (422, ["/1/date"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/templates/machining", default("templates/machining.json")),
        ("/calendar-days", []),
        ("/people/xu.qiang", {"skills": [], "cost_per_hour": "1", "currency": "CNY"}),
    ],
)
async def test_rule_33_only_administrators_change_reference_data(
    project_service: Running, path: str, body: Any
) -> None:
    for who in (MANAGER, SALES, CLIENT):
        assert (await project_service.put(path, who, json=body)).status_code == 403
    assert (await project_service.put(path, json=body)).status_code == 401


async def test_rule_33_what_people_cost_is_not_for_everyone(project_service: Running) -> None:
    for who in (SALES, CLIENT):
        assert (await project_service.get("/people", who)).status_code == 403
    for path in ("/templates", "/calendar-days"):
        assert (await project_service.get(path, CLIENT)).status_code == 403
    people = (await project_service.get("/people", MANAGER)).json()
    assert [each["user_id"] for each in people] == sorted(each["user_id"] for each in default("people.json"))


async def test_the_demo_people_are_described_as_they_are_written(project_service: Running) -> None:
    for each in default("people.json"):
        body = {name: each[name] for name in ("skills", "cost_per_hour", "currency")}
        answer = await project_service.put(f"/people/{each['user_id']}", ADMINISTRATOR, json=body)
        assert answer.status_code == 200 and answer.json() | body == answer.json()
    wrong = {"skills": [], "cost_per_hour": 1.5, "currency": "XXX"}
    refused = await project_service.put("/people/xu.qiang", ADMINISTRATOR, json=wrong)
    assert (refused.status_code, set(problems(refused))) == (422, {"/cost_per_hour", "/currency"})
