"""What facts add up to, and what of it a client may read. No database."""

from typing import Any

from gateway_world import END, LIFE, UNTIL_APPROVED, UNTIL_PLANNED, WORK, example
from sqlalchemy.orm.attributes import set_committed_value

from chassis.clock import utc_now
from contracts.catalogue import EVENTS
from contracts.directory import OrderTypePublished
from contracts.event import OrderEvent
from contracts.order import OrderHeld, OrderPlaced, OrderRejected
from contracts.project import InspectionRecorded, ProjectCreated, TaskFinished
from portal import disclosure
from portal.models import OrderType, OrderView, TaskView, effects
from portal.schemas.orders import PortalOrderOut, WorkOrderOut

OF_TASKS = ("task.started.v1", "task.blocked.v1", "task.unblocked.v1", "task.reassigned.v1", "task.overdue.v1")


def view_after(*events: OrderEvent) -> OrderView:
    """As the consumers make it, with its type and its tasks."""
    view = OrderView.of(example(OrderPlaced), now=utc_now())
    for event in events:
        if event.type not in (*OF_TASKS, "notice.given.v1", "time.logged.v1"):
            effects.apply(event, view)
    published = example(OrderTypePublished).model_dump(mode="json")
    order_type = OrderType(**{name: published[name] for name in ("code", "version", "labels", "stages")})
    order_type.client_visible_fields = ["material"]
    set_committed_value(view, "type", order_type)
    tasks = [TaskView.of(task, order_id=view.order_id, position=1) for task in example(ProjectCreated).tasks]
    set_committed_value(view, "tasks", tasks)
    return view


def states(view: OrderView) -> list[str]:
    return [stage["state"] for stage in view.stages]


def test_the_present_stage_is_marked_and_says_what_it_waits_for() -> None:
    placed = view_after(example(OrderPlaced))
    assert states(placed) == ["now", "next", "next", "next", "next"]
    assert placed.waiting_for == ["order.approved"]
    approved = view_after(*UNTIL_APPROVED)
    assert states(approved) == ["done", "now", "next", "next", "next"]
    assert approved.waiting_for == ["stage_tasks_finished"]  # nobody knows yet that there may be none
    assert approved.next_role is None


def test_a_stage_waits_for_all_its_tasks() -> None:
    view = view_after(*UNTIL_PLANNED)
    for _ in range(2):
        assert view.waiting_for == ["stage_tasks_finished"]
        effects.apply(example(TaskFinished, stage="technical_review"), view)
    assert view.waiting_for == []
    assert (view.tasks_finished, view.tasks_total) == (2, 6)


def test_the_latest_inspection_of_every_inspected_task_counts() -> None:
    view = view_after(*UNTIL_PLANNED)
    view.stage, view.open_tasks = "inspection_stock_in", {}
    assert view.waiting_for == ["inspection.passed"]
    effects.apply(example(InspectionRecorded), view)
    assert view.waiting_for == []
    effects.apply(example(InspectionRecorded, result="failed"), view)
    assert view.waiting_for == ["inspection.passed"]


def test_an_order_that_stopped_waits_for_nothing() -> None:
    held = view_after(*UNTIL_PLANNED, example(OrderHeld))
    assert (states(held)[1], held.waiting_for) == ("held", ["stage_tasks_finished"])
    rejected = view_after(example(OrderPlaced), example(OrderRejected))
    assert (states(rejected)[0], rejected.waiting_for) == ("skipped", [])
    assert set(states(view_after(*LIFE))) == {"done"}


def test_the_client_is_asked_to_sign_off_between_submission_and_acceptance() -> None:
    submitted, accepted = END[0], END[1]
    assert not view_after(*UNTIL_PLANNED).sign_off_possible
    assert view_after(*UNTIL_PLANNED, submitted).sign_off_possible
    assert not view_after(*UNTIL_PLANNED, submitted, example(OrderHeld)).sign_off_possible
    assert not view_after(*UNTIL_PLANNED, submitted, accepted).sign_off_possible


def test_a_task_goes_back_to_where_it_stood_and_a_late_fact_changes_nothing() -> None:
    task = TaskView.of(example(ProjectCreated).tasks[0], order_id=example(OrderPlaced).order_id, position=1)
    task.block()
    task.unblock()
    assert task.status == "planned"
    assert task.finish(utc_now())
    assert not task.finish(utc_now())
    task.block()
    task.cancel()
    assert not task.is_open


def test_before_the_orders_type_is_known_its_stage_is_shown_by_its_code() -> None:
    view = view_after(*UNTIL_PLANNED)
    set_committed_value(view, "type", None)
    assert view.stages == [{"code": "technical_review", "name": None, "state": "now"}]
    assert (view.waiting_for, PortalOrderOut.of(view).fields) == ([], {})


def test_rule_33_a_client_reads_what_is_named_and_nothing_else() -> None:
    shown = PortalOrderOut.of(view_after(*UNTIL_PLANNED, *WORK)).model_dump(mode="json")
    everything = WorkOrderOut.model_validate(view_after(*UNTIL_PLANNED, *WORK)).model_dump(mode="json")
    assert shown["fields"] == {"material": "6061-T6"}
    assert [task["name"]["en"] for task in shown["tasks"]] == ["Drawing review", "CNC milling", "Final inspection"]
    assert {name for task in shown["tasks"] for name in task} == {
        "name",
        "stage",
        "status",
        "planned_start",
        "planned_finish",
        "finished_at",
    }
    hidden = {"requester", "decisions", "approval_steps", "next_role", "receipts", "waiting_for", "priority", "source"}
    assert hidden & set(shown) == set()
    assert hidden <= set(everything)


def test_rule_33_a_deliverable_is_the_clients_once_the_delivery_is_submitted() -> None:
    def references(view: OrderView) -> list[Any]:
        return [each.reference for each in PortalOrderOut.of(view).deliverables]

    assert references(view_after(*UNTIL_PLANNED, *WORK)) == [None, None]
    assert references(view_after(*UNTIL_PLANNED, *WORK, END[0])) == ["QA-2026-0318", None]


def test_rule_33_a_new_type_of_fact_is_hidden_from_clients_until_someone_decides() -> None:
    assert disclosure.data_for_client("order.painted.v1", {"colour": "red"}) == {}
    assert disclosure.data_for_client("order.rejected.v1", {"reason": "internal", "by": "user:li"}) == {}
    assert set(EVENTS) >= set(disclosure.SEEN_BY_CLIENTS)


def test_every_fact_about_an_order_has_an_effect_or_stands_on_the_timeline_alone() -> None:
    timeline_alone = {"time.logged.v1", "notice.given.v1"}
    orders = {name for name, event in EVENTS.items() if issubclass(event, OrderEvent)}
    from portal.consumers import view

    assert orders - set(view.handlers) == timeline_alone
