"""Overdue tasks: each level is told once, whatever time does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from project_world import do, do_everything, planned

from chassis.clock import utc_now
from chassis.timekeeper import Timekeeper
from contracts.order import OrderCancelled, OrderHeld, OrderResumed
from project.models import Project
from stack import Running


@dataclass
class Clock:
    """Fires what is due at some moment, and knows which levels were told of which task since the beginning."""

    service: Running

    async def fire(self, now: datetime) -> dict[str, list[int]]:
        database, consumers = self.service.database, self.service.service.consumers
        keeper = Timekeeper(database, consumers, service="project", root=Project, clock=lambda: now)
        while await keeper.fire_due():
            pass
        levels: dict[str, list[int]] = {}
        for each in await self.service.told("task.overdue.v1"):
            levels.setdefault(each["data"]["task_id"], []).append(each["data"]["level"])
        return levels


def after(task: dict[str, Any], days: int) -> datetime:
    """Midnight in Shanghai, so many days after the task's planned finish."""
    return datetime.fromisoformat(task["planned_finish"]).replace(tzinfo=UTC) + timedelta(days=days, hours=-8)


async def test_rule_32_each_overdue_level_is_told_once_as_time_passes(project_service: Running) -> None:
    first = (await planned(project_service))["tasks"][0]
    clock = Clock(project_service)
    told = []
    for moment in (after(first, 1) - timedelta(seconds=1), *(after(first, days) for days in (1, 2, 4, 8, 300))):
        for _ in range(2):
            told.append((await clock.fire(moment)).get(first["id"]))
    assert told == [None, None, [1], [1], [1], [1], [1, 2], [1, 2], *[[1, 2, 3]] * 4]
    assert await project_service.rows("SELECT 1 FROM timers WHERE fired_at IS NULL") == []


async def test_after_a_forward_jump_only_the_highest_level_is_told(project_service: Running) -> None:
    project = await planned(project_service)
    told = await Clock(project_service).fire(after(project["tasks"][-1], 30))
    assert told == {task["id"]: [3] for task in project["tasks"]}


async def test_a_finished_task_is_never_overdue(project_service: Running) -> None:
    project = await planned(project_service)
    await do(project_service, project["tasks"][0], "start", "finish")
    told = await Clock(project_service).fire(utc_now() + timedelta(days=400))
    assert set(told) == {task["id"] for task in project["tasks"][1:]}


async def test_when_nothing_is_left_to_do_no_timer_is_left(project_service: Running) -> None:
    await do_everything(project_service, await planned(project_service))
    assert await project_service.count("timers") == 0


async def test_a_held_project_is_reminded_of_nothing_until_it_is_resumed(project_service: Running) -> None:
    project = await planned(project_service)
    order_id, later, clock = project["order_id"], utc_now() + timedelta(days=400), Clock(project_service)
    await project_service.hear(OrderHeld(order_id=order_id, reason="stop", by="user:li.na"))
    assert await clock.fire(later) == {}
    await project_service.hear(OrderResumed(order_id=order_id, by="user:li.na"))
    assert await clock.fire(later) == {task["id"]: [3] for task in project["tasks"]}


async def test_a_cancelled_project_is_never_overdue(project_service: Running) -> None:
    project = await planned(project_service)
    cancelled = OrderCancelled(order_id=project["order_id"], reason="stop", by="user:li.na")
    await project_service.hear(cancelled)
    assert await Clock(project_service).fire(utc_now() + timedelta(days=400)) == {}
