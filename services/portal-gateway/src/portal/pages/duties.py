"""What can be done about tasks from the page of an order: who could take which, and which wait for an inspection."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

OPEN = ("planned", "started", "blocked")
INSPECTED_WHILE = ("started", "finished")


def could_take(tasks: Sequence[Any], people: Sequence[Mapping[str, Any]] | None) -> dict[UUID, list[Mapping[str, Any]]]:
    """By open task, who holds its role and does not have it already; nothing while `people` are not known."""
    return {
        task.task_id: found
        for task in tasks
        if task.status in OPEN and (found := [person for person in people or () if _could_take(person, task)])
    }


def could_inspect(order: Any, tasks: Sequence[Any], *, roles: frozenset[str], leads: bool) -> set[UUID]:
    """The tasks whose inspection someone with these roles may record now."""
    return {
        task.task_id
        for task in tasks
        if str(task.task_id) in order.inspections and task.status in INSPECTED_WHILE and (leads or task.role in roles)
    }


def _could_take(person: Mapping[str, Any], task: Any) -> bool:
    return person["is_active"] and task.role in person["roles"] and person["user_id"] != task.assignee_id
