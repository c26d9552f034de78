"""Orders that are left where people have something to do: for pages with more to see than what has ended."""

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chassis.clock import business_date, utc_now
from orderloom.demo.cast import Cast
from orderloom.demo.life import Life
from orderloom.gateway import Gateway

LEFT = Path(__file__).with_name("under_way.json")
"""Each order, how far it gets, after how many tasks, and in how many days its client wants it."""


def orders(today: date) -> list[dict[str, Any]]:
    """`LEFT`, with dates: `order` is what is placed, `until` the part of `Begun` that it gets to."""
    left: list[dict[str, Any]] = json.loads(LEFT.read_text(encoding="utf-8"))
    for each in left:
        wanted = today + timedelta(days=each.pop("wanted_in_days"))
        each["order"]["requested_date"] = wanted.isoformat()
    return left


def today_in(zone: ZoneInfo) -> date:
    return business_date(utc_now(), zone)


class Begun(Life):
    """Plays an order up to a point. Played again, it stays there."""

    async def until(self, point: str, tasks: int) -> None:
        """Its client then has somebody who may sign in. Raises `Stuck`, `Refused`."""
        order = await self._order()
        await self._cast.client_person(order["client"], after=None)
        if point == "submitted" or order["status"] not in ("submitted", "approved"):
            return
        await self._approve()
        if point == "approved":
            return
        await self._pay_what_is_due()
        project = await self._until(self._project, "its project")
        if point in ("delivered", "unpaid"):
            await self._hand_over(project, is_accepted=point == "unpaid")
            return
        await self._do_first_tasks(project, tasks)
        if point == "held":
            await self._hold()
        else:
            await self._begin_next_task(is_blocked=point == "blocked")

    async def _hand_over(self, project: dict[str, Any], *, is_accepted: bool) -> None:
        await self._do_tasks(project)
        await self._deliver(project)
        if is_accepted:
            await self._accept()
            await self._until(self._something_is_due, "its instalments")
            await self._invoice()

    async def _do_first_tasks(self, project: dict[str, Any], count: int) -> None:
        """As projects list their tasks, none stands before one that it waits for."""
        for task in project["tasks"][:count]:
            if task["status"] != "finished":
                await self._do_task(task, project["inspections"])

    async def _begin_next_task(self, *, is_blocked: bool) -> None:
        project = await self._project()
        task = next(each for each in project["tasks"] if each["status"] != "finished")
        worker = task["assignee"]["id"] if task["assignee"] else self._cast.holder("project_manager")
        if task["status"] == "planned":
            await self._post(worker, f"/api/project/tasks/{task['id']}/start")
        if is_blocked and task["status"] != "blocked":
            reason = {"reason": "The material certificate of the supplier is missing."}
            await self._post(worker, f"/api/project/tasks/{task['id']}/block", reason)

    async def _hold(self) -> None:
        reason = {"reason": "The client is changing the drawing and sends it next week."}
        await self._post(self._cast.holder("sales_manager"), f"/api/order/orders/{self.order_id}/hold", reason)

    async def _something_is_due(self) -> bool:
        account = await self._account()
        return any(each["status"] != "planned" for each in account["instalments"][1:])


async def leave(gateway: Gateway, cast: Cast, *, zone: ZoneInfo, at_once: int) -> int:
    """How many orders are under way now, those of an earlier run among them. Raises `Stuck`, `Refused`."""
    left = orders(today_in(zone))
    answer = await gateway.request(
        cast.seller,
        "POST",
        "/api/order/orders/import",
        content="\n".join(json.dumps(each["order"]) for each in left).encode(),
        headers={"content-type": "application/x-ndjson"},
    )
    placed = [
        (Begun(gateway, cast, result["order_id"], zone=zone), each)
        for result, each in zip(answer.json()["results"], left, strict=True)
        if result["outcome"] != "rejected"
    ]
    places = asyncio.Semaphore(at_once)

    async def play(life: Begun, each: dict[str, Any]) -> None:
        async with places:
            await life.until(each["until"], each.get("tasks", 0))

    await asyncio.gather(*(play(life, each) for life, each in placed))
    return len(placed)
