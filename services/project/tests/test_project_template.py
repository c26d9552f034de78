"""What a template may say, and who gets its tasks; without a database."""

from typing import Any

import pytest
from project_world import default, order_type, users
from pydantic import ValidationError

from chassis.clock import utc_now
from contracts.project import Person
from project.models import Template
from project.models.catalogue import TemplateWrong
from project.team import Member, Team
from project.template import TemplateBody


def errors_of(document: dict[str, Any]) -> dict[str, str]:
    body = TemplateBody.model_validate(document)
    with pytest.raises(TemplateWrong) as refused:
        Template.publish(body, order_type=order_type(), version=1, now=utc_now())
    return {error.field: error.reason for error in refused.value.errors}


@pytest.mark.parametrize("code", ["machining", "it-outsourcing"])
def test_the_defaults_are_whole(code: str) -> None:
    body = TemplateBody.model_validate(default(f"templates/{code}.json"))
    assert body.contradictions(order_type(code)) == []
    assert len(body.tasks) >= 12 and any(task.inspection for task in body.tasks)
    inspected = {task.code for task in body.tasks if task.inspection}
    assert any(inspected & set(milestone.tasks) for milestone in body.milestones)
    assert {task.role for task in body.tasks} <= {role for user in users() for role in user.roles}


def test_rule_28_a_template_whose_tasks_wait_for_each_other_is_refused_with_the_path() -> None:
    document = default("templates/machining.json")
    document["tasks"][0]["depends_on"] = ["process_plan"]
    path = errors_of(document)["/tasks"]
    assert path.startswith("these wait for each other: ") and path.count("→") == 2
    assert "drawing_review" in path and "process_plan" in path


def test_every_contradiction_is_named_at_once() -> None:
    document = default("templates/machining.json")
    document["tasks"][10]["code"] = "packing"
    document["tasks"][2]["stage"] = "nowhere"
    document["tasks"][3]["depends_on"] = ["nothing"]
    document["milestones"][0]["code"] = "half_way"
    document["milestones"][1]["tasks"] = ["nothing"]
    document["milestones"][2]["tasks"] = []
    document["milestones"][3]["tasks"] = ["packing"]
    document["deliverables"].append(document["deliverables"][0])
    assert set(errors_of(document)) == {
        "/tasks/11/code",
        "/tasks/11/depends_on/0",  # its predecessor took another code
        "/tasks/2/stage",
        "/tasks/3/depends_on/0",
        "/milestones",
        "/milestones/0/code",
        "/milestones/1/tasks/0",
        "/milestones/2/tasks",
        "/milestones/3/tasks",
        "/deliverables/3/code",
    }


@pytest.mark.parametrize("changed", [{"duration_days": 0}, {"duration_days": "2"}, {"code": ""}, {"colour": "red"}])
def test_nothing_in_a_template_is_coerced_or_left_over(changed: dict[str, Any]) -> None:
    document = default("templates/machining.json")
    document["tasks"][0] |= changed
    with pytest.raises(ValidationError):
        TemplateBody.model_validate(document)


def member(user_id: str, roles: str, skills: str = "") -> Member:
    return Member(Person(id=user_id, name=user_id), frozenset(roles.split()), frozenset(skills.split()))


def test_work_goes_to_the_least_loaded_of_those_who_know_it_and_else_of_those_who_may() -> None:
    team = Team([member("c", "machinist", "milling"), member("b", "machinist"), member("a", "warehouse")], {"c": 9})

    def owner(role: str, skill: str | None, days: int) -> str | None:
        person = team.give(role=role, skill=skill, days=days)
        return person.id if person else None

    assert owner("machinist", "milling", 1) == "c"  # the skill comes before the load
    assert owner("machinist", None, 3) == "b"
    assert owner("machinist", "turning", 7) == "b"  # nobody knows it
    assert team.open_days == {"b": 10, "c": 10}
    assert owner("machinist", None, 1) == "b"  # of equals, the first by id
    assert owner("tester", None, 1) is None
