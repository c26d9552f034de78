"""Tasks, and what people note on them."""

from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Request, Response

from chassis.http import Filter, IfMatch, Now, PageCut, Session, Staff, router
from chassis.paging import Page
from chassis.settings import ServiceSettings
from chassis.versions import etag
from project import operations, queries
from project.api.projects import Leader
from project.models import Task
from project.schemas import (
    InspectionIn,
    ListedTaskOut,
    OptionalReasonIn,
    ReasonIn,
    ReassignmentIn,
    TaskOut,
    TimeEntryIn,
)

tasks = router(prefix="/tasks", tags=["tasks"])


async def _zone(request: Request) -> ZoneInfo:
    settings: ServiceSettings = request.app.state.settings
    return settings.company_zone


CompanyZone = Annotated[ZoneInfo, Depends(_zone)]


@tasks.get("", response_model=Page[ListedTaskOut])
async def list_tasks(
    session: Session,
    principal: Staff,
    cut: PageCut,
    assignee: Filter = None,
    queue: Filter = None,
    status: Filter = None,
) -> Any:
    """What is due first comes first."""
    rows = await queries.list_tasks(session, cut, assignee=assignee, queue=queue, status=status)
    return cut.page(rows, lambda task: [task.planned_finish, task.task_id])


@tasks.post("/{task_id}/start", response_model=TaskOut)
async def start_task(
    task_id: UUID, response: Response, session: Session, principal: Staff, expected: IfMatch, now: Now
) -> Task:
    """By its owner; who starts a task of a queue takes it over."""
    task = await operations.start_task(session, task_id=task_id, by=principal, expected=expected, now=now)
    return _tagged(response, task)


@tasks.post("/{task_id}/finish", response_model=TaskOut)
async def finish_task(
    task_id: UUID,
    response: Response,
    session: Session,
    principal: Staff,
    expected: IfMatch,
    zone: CompanyZone,
    now: Now,
) -> Task:
    """By its owner, also while the order is held."""
    task = await operations.finish_task(session, task_id=task_id, by=principal, expected=expected, zone=zone, now=now)
    return _tagged(response, task)


@tasks.post("/{task_id}/block", response_model=TaskOut)
async def block_task(
    task_id: UUID, body: ReasonIn, response: Response, session: Session, principal: Staff, expected: IfMatch
) -> Task:
    """By its owner, who says why nobody can go on."""
    task = await operations.block_task(session, task_id=task_id, by=principal, reason=body.reason, expected=expected)
    return _tagged(response, task)


@tasks.post("/{task_id}/unblock", response_model=TaskOut)
async def unblock_task(
    task_id: UUID, body: OptionalReasonIn, response: Response, session: Session, principal: Staff, expected: IfMatch
) -> Task:
    """By its owner: it is again what it was."""
    task = await operations.unblock_task(session, task_id=task_id, by=principal, reason=body.reason, expected=expected)
    return _tagged(response, task)


@tasks.post("/{task_id}/reassignment", response_model=TaskOut)
async def reassign_task(
    task_id: UUID, body: ReassignmentIn, response: Response, session: Session, principal: Leader, expected: IfMatch
) -> Task:
    """To someone who holds its role."""
    task = await operations.reassign_task(
        session, task_id=task_id, person_id=body.person_id, reason=body.reason, expected=expected
    )
    return _tagged(response, task)


@tasks.post("/{task_id}/time-entries", response_model=TaskOut)
async def log_time(
    task_id: UUID,
    body: TimeEntryIn,
    response: Response,
    session: Session,
    principal: Staff,
    expected: IfMatch,
    zone: CompanyZone,
    now: Now,
) -> Task:
    """Hours of one's own."""
    task = await operations.log_time(
        session,
        task_id=task_id,
        by=principal,
        work_date=body.work_date,
        hours=body.hours,
        note=body.note,
        expected=expected,
        zone=zone,
        now=now,
    )
    return _tagged(response, task)


@tasks.post("/{task_id}/inspections", response_model=TaskOut)
async def record_inspection(
    task_id: UUID,
    body: InspectionIn,
    response: Response,
    session: Session,
    principal: Staff,
    expected: IfMatch,
    zone: CompanyZone,
    now: Now,
) -> Task:
    """What was found; the latest counts."""
    task = await operations.record_inspection(
        session,
        task_id=task_id,
        by=principal,
        result=body.result,
        note=body.note,
        expected=expected,
        zone=zone,
        now=now,
    )
    return _tagged(response, task)


def _tagged(response: Response, task: Task) -> Task:
    """With the version of its project, which counts what is told of its tasks, too."""
    response.headers.update(etag(task.project.version))
    return task
