"""The read model: what facts do to it, however often and in whatever company they come."""

from itertools import pairwise
from typing import Any

import pytest
from gateway_world import (
    CANCELLED,
    DIRECTORY,
    LIFE,
    ORDER,
    REJECTED,
    UNTIL_PLANNED,
    example,
    hear_one_by_one,
    picture,
    placed,
)
from sqlalchemy import text

from chassis.ids import new_id
from contracts.event import Event
from contracts.order import OrderHeld, OrderPlaced, StageAdvanced
from contracts.project import ProjectCreated, TaskStarted
from stack import Running


async def view(gateway: Running) -> dict[str, Any]:
    (row,) = await gateway.rows("SELECT * FROM order_views")
    return row


@pytest.mark.parametrize("story", [LIFE, REJECTED, CANCELLED], ids=["life", "rejected", "cancelled"])
async def test_every_fact_delivered_twice_changes_nothing_the_second_time(
    gateway: Running, story: tuple[Event, ...]
) -> None:
    for event in (*DIRECTORY, *story):
        records = await gateway.hear(event)
        before = await picture(gateway)
        await gateway.hear_again(records)
        assert await picture(gateway) == before, event.type
    assert await gateway.count("timeline") == len(story)
    assert await gateway.count("parked_keys") == 0


async def test_one_batch_gives_the_same_picture_as_fact_by_fact(gateway: Running) -> None:
    first = [gateway.record(event) for event in (*DIRECTORY, *LIFE)]
    second = [gateway.record(event, ce_id=str(new_id())) for event in (*DIRECTORY, *LIFE)]
    await gateway.worker.inbox.apply_all(first)
    in_one_batch = await picture(gateway)
    for table in ("timeline", "task_views", "order_views", "clients", "order_type_views", "inbox"):
        async with gateway.database.transaction() as session:
            await session.execute(text(f"DELETE FROM {table}"))
    for record in second:
        await gateway.worker.inbox.apply_all([record])
    assert len(in_one_batch[2]) == len(LIFE)
    assert without_envelope(await picture(gateway)) == without_envelope(in_one_batch)


def without_envelope(tables: list[Any]) -> list[Any]:
    passing = {"event_id", "time", "causation_id", "updated_at", "placed_at", "decisions"}
    return [[{name: row[name] for name in row if name not in passing} for row in table] for table in tables]


async def test_the_whole_life_ends_in_a_closed_and_settled_view(gateway: Running) -> None:
    await gateway.hear(*DIRECTORY, *LIFE)
    closed = await view(gateway)
    assert (closed["status"], closed["stage"], str(closed["closed_on"])) == ("closed", "technical_review", "2027-12-03")
    assert (closed["tasks_total"], closed["tasks_finished"], closed["version"]) == (6, 1, len(LIFE))
    assert [each["status"] for each in closed["instalments"]] == ["paid", "due", "planned"]
    assert [each["due_date"] for each in closed["instalments"]] == ["2026-11-03", "2026-12-02", "2027-12-02"]
    assert [(each["number"], each["paid"]) for each in closed["invoices"]] == [("INV-2026-00031", "3399.63")]
    assert [each["reached_on"] for each in closed["milestones"]] == [None, "2026-11-25", None, None]
    assert [each["reference"] for each in closed["deliverables"]] == ["QA-2026-0318", None]


async def test_the_timeline_has_every_fact_once_and_its_positions_have_no_gaps(gateway: Running) -> None:
    others = [placed(number) for number in range(3)]
    await gateway.hear(*LIFE, *others)
    rows = await gateway.rows("SELECT * FROM timeline ORDER BY order_id, position")
    of_order = [row for row in rows if row["order_id"] == ORDER]
    assert [row["position"] for row in of_order] == list(range(1, len(LIFE) + 1))
    assert [row["type"] for row in of_order] == [event.type for event in LIFE]
    assert all(later["position"] in (1, earlier["position"] + 1) for earlier, later in pairwise(rows))


async def test_a_fact_of_an_unknown_type_stands_on_the_timeline_and_changes_nothing_else(gateway: Running) -> None:
    await gateway.hear(*UNTIL_PLANNED)
    before = await view(gateway)
    record = gateway.record(example(OrderHeld), ce_type="order.painted.v1", ce_source="order")
    await gateway.worker.inbox.apply_all([record])
    after = await view(gateway)
    assert (after["version"], after["status"]) == (before["version"] + 1, before["status"])


async def test_a_fact_about_nobodys_order_is_a_dead_letter_and_parks_nothing(gateway: Running) -> None:
    other = placed(1)
    await gateway.hear(example(OrderHeld), other)
    assert await gateway.count("parked_keys") == 0
    assert [row["order_id"] for row in await gateway.rows("SELECT * FROM order_views")] == [other.order_id]
    assert len(await gateway.told(topic="gateway.dead-letter")) == 1


async def test_a_fact_that_breaks_its_schema_parks_its_order_and_others_flow_on(gateway: Running) -> None:
    await gateway.hear(*UNTIL_PLANNED)
    broken = gateway.record(example(StageAdvanced))
    broken = gateway.raw_record("orders", broken.key, b"{}", {n: v.decode() for n, v in broken.headers})
    other = placed(1)
    await gateway.worker.inbox.apply_all([broken, gateway.record(example(OrderHeld)), gateway.record(other)])
    assert (await gateway.rows("SELECT key FROM parked_keys")) == [{"key": str(ORDER)}]
    assert await gateway.count("parked_messages") == 2
    assert await gateway.count("order_views") == 2
    assert await gateway.count("timeline") == len(UNTIL_PLANNED) + 1


async def test_rule_21_a_second_project_instalments_invoice_or_receipt_of_the_same_cause_changes_nothing(
    gateway: Running,
) -> None:
    await gateway.hear(*LIFE)
    before = await view(gateway)
    again = [event for event in LIFE if not isinstance(event, OrderPlaced)][4:]
    await gateway.hear(example(ProjectCreated, project_id=new_id()), *again)
    after = await view(gateway)
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"version", "updated_at", "status", "closed_on", "stage"}
    assert await gateway.count("task_views") == 6


async def test_a_task_that_nobody_has_heard_of_is_passed_over(gateway: Running) -> None:
    await gateway.hear(*UNTIL_PLANNED, example(TaskStarted, task_id=new_id()))
    assert {row["status"] for row in await gateway.rows("SELECT status FROM task_views")} == {"planned"}


async def test_a_rejected_order_that_is_placed_again_shows_what_is_wanted_now(gateway: Running) -> None:
    await hear_one_by_one(gateway, *REJECTED)
    assert (await view(gateway))["next_role"] is None
    await gateway.hear(example(OrderPlaced, revision=2, title="240 brackets"))
    shown = await view(gateway)
    assert (shown["status"], shown["revision"], shown["title"]) == ("submitted", 2, "240 brackets")
    assert (shown["next_role"], shown["decisions"], shown["version"]) == ("sales_manager", [], 3)


async def test_a_cancelled_order_has_cancelled_tasks_and_instalments(gateway: Running) -> None:
    await gateway.hear(*CANCELLED)
    shown = await view(gateway)
    assert shown["status"] == "cancelled"
    assert [each["status"] for each in shown["instalments"]] == ["due", "cancelled", "cancelled"]
    tasks = await gateway.rows("SELECT status FROM task_views ORDER BY position")
    assert [task["status"] for task in tasks] == ["planned", "planned", *["cancelled"] * 4]
