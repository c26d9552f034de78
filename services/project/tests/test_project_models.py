"""The rules of projects and tasks, without a database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from project_world import approved, default, order_type

from chassis.clock import utc_now
from chassis.ids import new_id
from chassis.principal import Principal
from contracts.project import Person
from project.models import Project, Task
from project.models.project import (
    DeliveryAlreadySubmitted,
    DeliveryNotReady,
    NotOfTheProject,
    PredecessorsNotFinished,
    ProjectIsCancelled,
    ProjectIsHeld,
)
from project.models.task import (
    TaskNotBlocked,
    TaskNotInspected,
    TaskNotOpen,
    TaskNotPlanned,
    TaskNotStarted,
    TaskNotYours,
    WorkDateInFuture,
)
from project.team import Member, Team
from project.template import TemplateBody
from project.working_calendar import WorkingCalendar

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
TODAY = date(2026, 11, 23)
MANAGER = Principal(user_id="zhang", roles=frozenset({"project_manager"}))
NOBODY = Principal(user_id="nobody", roles=frozenset({"sales"}))


def new_project(*members: Member) -> Project:
    return Project.plan(
        approved(),
        TemplateBody.model_validate(default("templates/machining.json")),
        template_version=1,
        order_type=order_type(),
        calendar=WorkingCalendar({}),
        team=Team(members, {}),
    )


def member(user_id: str, *roles: str) -> Member:
    return Member(Person(id=user_id, name=user_id), frozenset(roles), frozenset())


def task(project: Project, code: str) -> Task:
    return next(task for task in project.tasks if task.code == code)


def finish(project: Project, *codes: str) -> None:
    """By default, everything that is open."""
    for code in codes or [each.code for each in project.tasks if each.is_open]:
        project.start(task(project, code), now=NOW)
        task(project, code).finish(now=NOW)
        task(project, code).finished_event = new_id()


def test_rule_32_every_planned_task_has_one_owner_and_dates() -> None:
    project = new_project(member("a", "machinist"), member("m", "project_manager"))
    for each in project.tasks:
        assert (each.assignee is None) != (each.queue is None)
        assert project.planned_start <= each.planned_start <= each.planned_finish <= project.planned_finish
    assert task(project, "first_article").assignee == Person(id="a", name="a")
    assert task(project, "packing").queue == "warehouse"


def test_the_manager_owns_what_is_a_managers() -> None:
    project = new_project(member("m", "project_manager"), member("n", "project_manager"))
    assert project.manager == task(project, "review_release").assignee == Person(id="m", name="m")


def test_a_task_starts_when_those_before_it_are_finished() -> None:
    project = new_project()
    with pytest.raises(PredecessorsNotFinished, match="waits for drawing_review"):
        project.start(task(project, "process_plan"), now=NOW)
    finish(project, "drawing_review", "process_plan")
    with pytest.raises(TaskNotPlanned):
        project.start(task(project, "process_plan"), now=NOW)


def test_a_held_project_starts_nothing_and_finishes_what_is_started() -> None:
    project = new_project()
    project.start(task(project, "drawing_review"), now=NOW)
    assert project.hold() and not project.hold()
    task(project, "drawing_review").finish(now=NOW)
    with pytest.raises(ProjectIsHeld):
        project.start(task(project, "process_plan"), now=NOW)
    with pytest.raises(ProjectIsHeld):
        project.submit_delivery(now=NOW)
    assert project.resume() and not project.resume()
    project.start(task(project, "process_plan"), now=NOW)


def test_only_a_started_task_is_finished_and_only_an_open_one_blocked() -> None:
    project = new_project()
    first = task(project, "drawing_review")
    with pytest.raises(TaskNotStarted):
        first.finish(now=NOW)
    with pytest.raises(TaskNotBlocked):
        first.unblock()
    first.block("no drawing")
    with pytest.raises(TaskNotPlanned):
        project.start(first, now=NOW)
    first.unblock()
    assert (first.status, first.blocked_reason) == ("planned", None)
    project.start(first, now=NOW)
    first.block("no drawing")
    first.unblock()
    assert first.status == "started"
    first.finish(now=NOW)
    with pytest.raises(TaskNotOpen):
        first.block("late")
    with pytest.raises(TaskNotOpen):
        first.give_to(Person(id="x", name="x"))


def test_rule_33_a_task_is_for_its_owner_and_for_leaders() -> None:
    project = new_project(member("a", "machinist"), member("q", "quality_inspector"))
    own, queued = task(project, "first_article"), task(project, "packing")
    own.must_be_owned_by(Principal(user_id="a"))
    own.must_be_owned_by(MANAGER)
    with pytest.raises(TaskNotYours):
        own.must_be_owned_by(Principal(user_id="b", roles=frozenset({"machinist"})))
    queued.must_be_owned_by(Principal(user_id="w", roles=frozenset({"warehouse"})))
    with pytest.raises(TaskNotYours):
        queued.must_be_owned_by(NOBODY)
    inspected = task(project, "final_inspection")
    inspected.must_be_known_to(Principal(user_id="other", roles=frozenset({"quality_inspector"})))
    with pytest.raises(TaskNotYours):
        inspected.must_be_known_to(NOBODY)


def test_a_milestone_is_reached_once_by_its_last_task() -> None:
    project = new_project()
    finish(project, "drawing_review", "process_plan")
    assert project.reach_milestones(today=TODAY) == []
    finish(project, "review_release")
    (reached,) = project.reach_milestones(today=TODAY)
    assert (reached.code, reached.reached_on) == ("review_passed", TODAY)
    assert project.reach_milestones(today=TODAY) == []


@pytest.mark.parametrize("inspected_first", [True, False])
def test_an_inspected_milestone_also_waits_for_its_latest_inspection(inspected_first: bool) -> None:
    project = new_project()
    inspected = task(project, "final_inspection")
    finish(project, *(each.code for each in project.tasks[:9]))
    project.reach_milestones(today=TODAY)
    project.start(inspected, now=NOW)
    if inspected_first:
        project.inspect(inspected, "passed")
        assert project.reach_milestones(today=TODAY) == []
        inspected.finish(now=NOW)
    else:
        project.inspect(inspected, "passed")
        project.inspect(inspected, "failed")
        inspected.finish(now=NOW)
        assert project.reach_milestones(today=TODAY) == []
        project.inspect(inspected, "passed")
    assert [each.code for each in project.reach_milestones(today=TODAY)] == ["inspection_passed"]


def test_only_started_work_that_is_marked_is_inspected() -> None:
    project = new_project()
    with pytest.raises(TaskNotInspected):
        project.inspect(task(project, "packing"), "passed")
    with pytest.raises(TaskNotStarted):
        project.inspect(task(project, "final_inspection"), "passed")
    project.cancel()
    with pytest.raises(ProjectIsCancelled):
        project.inspect(task(project, "final_inspection"), "passed")


def test_a_delivery_names_everything_that_is_missing() -> None:
    project = new_project()
    with pytest.raises(DeliveryNotReady) as refused:
        project.submit_delivery(now=NOW)
    missing = {error.field: error.reason for error in refused.value.errors}
    assert missing["/tasks/packing"] == "finish it, it is planned"
    assert missing["/deliverables/inspection_report"] == "submit it"
    assert "/deliverables/material_certificate" not in missing
    finish(project)
    for each in project.deliverables:
        project.submit_deliverable(each.deliverable_id, "DOC-1", by=MANAGER)
    with pytest.raises(DeliveryNotReady, match="final_inspection: let its inspection pass, none is recorded"):
        project.submit_delivery(now=NOW)
    project.inspect(task(project, "final_inspection"), "failed")
    with pytest.raises(DeliveryNotReady, match="failed is recorded"):
        project.submit_delivery(now=NOW)
    project.inspect(task(project, "final_inspection"), "passed")
    project.submit_delivery(now=NOW)
    with pytest.raises(DeliveryAlreadySubmitted):
        project.submit_delivery(now=NOW)


def test_rule_27_what_the_client_is_asked_to_sign_is_frozen() -> None:
    project = new_project()
    project.delivery_submitted_at = NOW
    with pytest.raises(DeliveryAlreadySubmitted):
        project.submit_deliverable(project.deliverables[0].deliverable_id, "DOC-2", by=MANAGER)


def test_a_deliverable_is_submitted_by_those_who_work_on_the_order_and_counts_its_versions() -> None:
    project = new_project()
    wanted = project.deliverables[0]
    with pytest.raises(NotOfTheProject):
        project.submit_deliverable(wanted.deliverable_id, "DOC-1", by=NOBODY)
    for version in (1, 2):
        assert project.submit_deliverable(wanted.deliverable_id, "DOC-1", by=MANAGER).version == version
    project.cancel()
    with pytest.raises(ProjectIsCancelled):
        project.submit_deliverable(wanted.deliverable_id, "DOC-1", by=MANAGER)


def test_rule_24_cancelling_keeps_what_is_finished() -> None:
    project = new_project()
    finish(project, "drawing_review")
    cancelled = project.cancel()
    assert cancelled is not None and task(project, "drawing_review") not in cancelled
    assert {each.status for each in cancelled} == {"cancelled"}
    assert project.cancel() is None
    assert project.accept(accepted_on=TODAY) is None


def test_time_is_logged_on_work_that_was_started_and_not_ahead() -> None:
    first = new_project().tasks[0]
    with pytest.raises(TaskNotStarted):
        first.must_be_worked_on(TODAY, today=TODAY)
    first.start(now=NOW)
    first.must_be_worked_on(TODAY - timedelta(days=3), today=TODAY)
    with pytest.raises(WorkDateInFuture):
        first.must_be_worked_on(TODAY + timedelta(days=1), today=TODAY)


@pytest.mark.parametrize(("late_days", "level"), [(0, None), (1, 1), (3, 1), (4, 2), (8, 3), (400, 3)])
def test_rule_32_only_the_highest_overdue_level_is_told_and_once(late_days: int, level: int | None) -> None:
    first = new_project().tasks[0]
    today = first.planned_finish + timedelta(days=late_days)
    assert first.become_overdue(today) == level
    assert first.become_overdue(today) is None
    first.start(now=utc_now())
    first.finish(now=utc_now())
    assert first.become_overdue(today + timedelta(days=99)) is None


def test_the_next_overdue_day_is_that_of_the_task_that_is_late_first() -> None:
    project = new_project()
    first, second = project.tasks[:2]
    days = []
    for level in (0, 1, 2, 3):
        first.overdue_level = level
        days.append(first.next_overdue_on)
    assert days == [date(2026, 11, 24), date(2026, 11, 27), date(2026, 12, 1), None]
    assert project.next_overdue_on == second.planned_finish + timedelta(days=1)
    finish(project)
    assert project.next_overdue_on is None
