"""What became of the orders, read back through the gateway."""

import asyncio
from typing import Any

from orderloom.demo.life import Life
from orderloom.gateway import Gateway

ORDER_MEMBERS = (
    *("external_id", "order_id", "order_no", "status", "stage", "approved_on", "accepted_on"),
    *("currency", "net", "tax", "total"),
)
TASK_MEMBERS = ("id", "role", "status", "depends_on", "planned_start", "planned_finish")
INSTALMENT_MEMBERS = ("code", "net", "tax", "amount", "due_date", "status")
THREAD_MEMBERS = (
    *("position", "event_id", "type", "source", "time", "actor"),
    *("causation_id", "body_sha256", "hash"),
)


async def read(gateway: Gateway, reader: str, life: Life) -> dict[str, Any]:
    """One order's entry of the report."""
    order_id = life.order_id
    order, project, account, notices, verification = await asyncio.gather(
        gateway.get(reader, f"/api/order/orders/{order_id}"),
        gateway.get(reader, f"/api/project/orders/{order_id}/project"),
        gateway.get(reader, f"/api/finance/orders/{order_id}/account"),
        gateway.get(reader, f"/api/notify/orders/{order_id}/notices/counts"),
        gateway.get(reader, f"/api/order/orders/{order_id}/thread/verification"),
    )
    return _only(order, ORDER_MEMBERS) | {
        "as_of": str(life.as_of),
        "client": order["client"]["name"],
        "project": {
            "id": project["project_id"],
            "tasks": [_task(task) for task in project["tasks"]],
            "milestones": [_only(milestone, ("code", "reached_on")) for milestone in project["milestones"]],
        },
        "instalments": [_only(instalment, INSTALMENT_MEMBERS) for instalment in account["instalments"]],
        "invoices": [_only(invoice, ("number", "net", "tax", "total")) for invoice in account["invoices"]],
        "receipts": [_only(receipt, ("receipt_id", "amount", "received_on")) for receipt in account["receipts"]],
        "notices": {channel: notices[channel] for channel in ("email", "in_app")},
        "thread": [_only(entry, THREAD_MEMBERS) for entry in await life.thread()],
        "thread_verified": verification["verified"],
    }


def _task(task: dict[str, Any]) -> dict[str, Any]:
    assignee = task["assignee"]["id"] if task["assignee"] else task["queue"]
    return _only(task, TASK_MEMBERS) | {"name": task["name"]["en"], "assignee": assignee}


def _only(document: dict[str, Any], members: Any) -> dict[str, Any]:
    return {member: document[member] for member in members}
