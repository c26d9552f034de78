"""The life of one order, from its approval to its last payment: every role's steps, in their names."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from chassis.clock import business_date, utc_now
from orderloom.demo.cast import Cast
from orderloom.gateway import Gateway, Refused

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 120.0
T = TypeVar("T")


class Stuck(Exception):
    """The order did not get on in time, or not by what its people may do."""


class Life:
    """Plays an order from wherever it stands. Everything it does can be done again after an interruption."""

    def __init__(self, gateway: Gateway, cast: Cast, order_id: str, *, zone: ZoneInfo) -> None:
        self.order_id = order_id
        self.as_of: date | None = None
        """The company's date when instalments that are due were last looked for."""
        self._gateway = gateway
        self._cast = cast
        self._zone = zone
        self._last_event: str | None = None

    async def play(self, say: Callable[[str], None]) -> None:
        """Until everything that can be paid today is paid. Raises `Stuck`, `Refused`."""
        say("approving")
        await self._approve()
        say("paying the advance")
        await self._pay_what_is_due()
        say("working")
        project = await self._until(self._project, "its project")
        await self._do_tasks(project)
        say("delivering")
        await self._deliver(project)
        say("accepting")
        await self._accept()
        say("paying")
        await self.settle()
        await self._until(self._everything_arrived, "its end")

    async def settle(self) -> None:
        """Invoice and receive what is due, until the rest falls due on a later day."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            today = self.as_of = business_date(utc_now(), self._zone)
            account = await self._pay_what_is_due()
            if all(_is_done_or_later(each, today) for each in account["instalments"]):
                return
            await asyncio.sleep(POLL_SECONDS)
        raise Stuck(f"Order {self.order_id} waits for instalments that do not fall due.")

    async def _approve(self) -> None:
        order = await self._order()
        while order["status"] == "submitted":
            step = order["approval_steps"][order["step"] - 1]
            approver = self._cast.holder(step["role"], other_than=order["requester"])
            order = await self._post(approver, f"/api/order/orders/{self.order_id}/approval", {"step": step["step"]})
        if order["status"] not in ("approved", "delivered", "closed"):
            raise Stuck(f"Order {order['order_no']} is {order['status']}: nobody can go on with it.")

    async def _do_tasks(self, project: dict[str, Any]) -> None:
        """In the order of their dependencies, which is the order in which the project lists what can start."""
        done = {task["id"] for task in project["tasks"] if task["status"] == "finished"}
        waiting = [task for task in project["tasks"] if task["id"] not in done]
        while waiting:
            ready = [task for task in waiting if done.issuperset(task["depends_on"])]
            if not ready:
                raise Stuck(f"Tasks of order {self.order_id} wait for each other.")
            for task in ready:
                await self._do_task(task, project["inspections"])
                done.add(task["id"])
            waiting = [task for task in waiting if task["id"] not in done]

    async def _do_task(self, task: dict[str, Any], inspections: list[dict[str, Any]]) -> None:
        path = f"/api/project/tasks/{task['id']}"
        manager = self._cast.holder("project_manager")
        worker = task["assignee"]["id"] if task["assignee"] else self._cast.anyone(task["queue"]) or manager
        if task["status"] == "blocked":
            await self._post(manager, f"{path}/unblock")
            task = next(each for each in (await self._project())["tasks"] if each["id"] == task["id"])
        if task["status"] == "planned":
            await self._post(worker, f"{path}/start")
        passed = {each["task_id"]: each["result"] == "passed" for each in inspections}.get(task["id"], False)
        if task["inspection"] and not passed:
            await self._post(
                worker, f"{path}/inspections", {"result": "passed", "note": "All dimensions in tolerance."}
            )
        await self._post(worker, f"{path}/finish")

    async def _deliver(self, project: dict[str, Any]) -> None:
        manager = self._cast.holder("project_manager")
        if project["delivery_submitted_at"]:
            return
        for deliverable in project["deliverables"]:
            if deliverable["required"] and not deliverable["version"]:
                reference = {"reference": f"DOC-{project['order_no']}-{deliverable['code']}"}
                await self._post(manager, f"/api/project/deliverables/{deliverable['id']}/submissions", reference)
        await self._post(manager, f"/api/project/orders/{self.order_id}/delivery")

    async def _accept(self) -> None:
        order = await self._order()
        if order["accepted_on"]:
            return
        person = await self._cast.client_person(order["client"], after=self._last_event)

        async def sign_off() -> bool:
            try:
                note = {"note": "Received in good order."}
                await self._post(person, f"/api/order/orders/{self.order_id}/acceptance", note, after=self._last_event)
            except Refused as refusal:
                if refusal.problem.get("type") != "delivery-not-submitted":
                    raise
                return False
            return True

        await self._until(sign_off, "its delivery to be known")

    async def _pay_what_is_due(self) -> dict[str, Any]:
        """Invoice what is due and receive what is open, until nothing is; the account then."""
        while True:
            account = await self._account()
            unpaid = [invoice for invoice in account["invoices"] if _is_open(invoice)]
            if any(each["status"] == "due" for each in account["instalments"]):
                unpaid += await self._invoice()
            elif not unpaid:
                return account
            for invoice in unpaid:
                await self._receive(invoice, account["currency"])

    async def _invoice(self) -> list[dict[str, Any]]:
        """Nothing, when someone else did it in the same moment."""
        finance = self._cast.holder("finance")
        try:
            return [await self._post(finance, f"/api/finance/orders/{self.order_id}/invoices", {})]
        except Refused as refusal:
            if refusal.status != 409:
                raise
            await asyncio.sleep(POLL_SECONDS)
            return []

    async def _receive(self, invoice: dict[str, Any], currency: str) -> None:
        receipt = {
            "currency": currency,
            "amount": invoice["open_amount"],
            "reference": invoice["number"],
            "allocations": [{"invoice_id": invoice["invoice_id"], "amount": invoice["open_amount"]}],
        }
        await self._post(self._cast.holder("finance"), "/api/finance/receipts", receipt)

    async def _everything_arrived(self) -> bool:
        """The order is where its money says it should be, its milestones are reached, people are told."""
        order, project, account = await asyncio.gather(self._order(), self._project(), self._account())
        is_paid = all(each["status"] == "paid" for each in account["instalments"])
        if order["status"] != ("closed" if is_paid else "delivered"):
            return False
        if not project or not all(milestone["reached_on"] for milestone in project["milestones"]):
            return False
        counts = await self._get(f"/api/notify/orders/{self.order_id}/notices/counts")
        verification = await self._get(f"/api/order/orders/{self.order_id}/thread/verification")
        if not (counts["email"] and counts["in_app"]) or not verification["verified"]:
            return False
        types = {entry["type"] for entry in await self.thread()}
        return ("order.closed.v1" in types) == is_paid and "delivery.accepted.v1" in types

    async def thread(self) -> list[dict[str, Any]]:
        """Everything that happened to the order."""
        return await self._gateway.all_pages(self._cast.reader, f"/api/order/orders/{self.order_id}/thread")

    async def _order(self) -> dict[str, Any]:
        order: dict[str, Any] = await self._get(f"/api/order/orders/{self.order_id}")
        return order

    async def _project(self) -> dict[str, Any]:
        """Empty until it is there."""
        return await self._get_or_empty(f"/api/project/orders/{self.order_id}/project")

    async def _account(self) -> dict[str, Any]:
        account = await self._until(
            lambda: self._get_or_empty(f"/api/finance/orders/{self.order_id}/account"), "its account"
        )
        return account

    async def _get_or_empty(self, path: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = await self._get(path)
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return {}
        return found

    async def _get(self, path: str) -> Any:
        return await self._gateway.get(self._cast.reader, path)

    async def _post(self, user: str, path: str, body: Any = None, *, after: str | None = None) -> dict[str, Any]:
        answer = await self._gateway.post(user, path, body, after=after)
        self._last_event = answer.headers.get("Orderloom-Event") or self._last_event
        changed: dict[str, Any] = answer.json()
        return changed

    async def _until(self, look: Callable[[], Awaitable[T]], what: str) -> T:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := await look()):
            if time.monotonic() > deadline:
                raise Stuck(f"Order {self.order_id} waits for {what}.")
            await asyncio.sleep(POLL_SECONDS)
        return found


def _is_open(invoice: dict[str, Any]) -> bool:
    return Decimal(invoice["open_amount"]) > 0


def _is_done_or_later(instalment: dict[str, Any], today: date) -> bool:
    if instalment["status"] == "planned":
        due_date = instalment["due_date"]
        return due_date is not None and date.fromisoformat(due_date) > today
    return instalment["status"] in ("paid", "cancelled")
