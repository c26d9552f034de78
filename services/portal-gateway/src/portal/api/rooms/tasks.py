"""My tasks: begun, finished, blocked with the reason, the hours of it; and what I could take."""

from typing import Any
from uuid import UUID

from fastapi import Response

from chassis.http import PageCut
from chassis.paging import Cut
from portal import queries
from portal.pages.calls import CallRefused
from portal.pages.sent import Sent
from portal.pages.visit import SentForm, StaffVisit, Visit, pages_router

tasks = pages_router()

COMMANDS = {
    "start": "started",
    "finish": "finished",
    "block": "blocked",
    "unblock": "unblocked",
    "time-entries": "logged",
    "inspections": "inspected",
}


@tasks.get("/tasks")
async def show_tasks(visit: StaffVisit, cut: PageCut) -> Response:
    """The most urgent first."""
    return await _page(visit, cut)


@tasks.post("/tasks/{task_id}/{command}")
async def command_task(task_id: UUID, command: str, visit: StaffVisit, sent: SentForm) -> Response:
    if command not in COMMANDS:
        raise CallRefused(404, {"type": "not-found", "title": "There is no such command."})
    try:
        answer = await visit.calls.send("project", f"tasks/{task_id}/{command}", _body(command, sent), key=sent.key)
    except CallRefused as refusal:
        return await _page(visit, Cut(50, None), refused=refusal, opened=task_id, filled=sent.fields)
    return visit.done("/tasks", COMMANDS[command], answer)


def _body(command: str, sent: Sent) -> dict[str, Any]:
    match command:
        case "block":
            return {"reason": sent.text("reason")}
        case "time-entries":
            return {"work_date": sent.text("work_date"), "hours": sent.text("hours"), "note": sent.optional("note")}
        case "inspections":
            return inspection_in(sent)
    return {}


def inspection_in(sent: Sent) -> dict[str, Any]:
    """What was found, as the project service takes it."""
    return {"result": sent.text("result"), "note": sent.optional("note")}


async def _page(
    visit: Visit,
    cut: Cut,
    *,
    refused: CallRefused | None = None,
    opened: UUID | None = None,
    filled: dict[str, str] | None = None,
) -> Response:
    async with visit.reading() as session:
        rows = await queries.list_tasks(session, cut, owner=visit.viewer, status=None)
    page = cut.page(rows, lambda task: [task.planned_finish, task.task_id])
    mine = [task for task in page["items"] if task.assignee_id == visit.viewer.user_id]
    return visit.render(
        "work/tasks.html",
        refused=refused,
        mine=mine,
        free=[task for task in page["items"] if task.assignee_id != visit.viewer.user_id],
        cursor=page["next_cursor"],
        opened=opened,
        filled=filled or {},
    )
