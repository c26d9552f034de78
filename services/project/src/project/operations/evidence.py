"""What people note on their work: time and inspections."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.clock import business_date
from chassis.ids import new_id
from chassis.principal import Principal
from chassis.versions import Expected
from contracts.project import InspectionRecorded, TimeLogged
from project.models import Inspection, Task, TimeEntry
from project.models.task import InspectionResult
from project.operations.loading import WITH_MILESTONES, locked_task
from project.operations.milestones import reach_milestones


async def log_time(
    session: AsyncSession,
    *,
    task_id: UUID,
    by: Principal,
    work_date: date,
    hours: Decimal,
    note: str | None,
    expected: Expected,
    zone: ZoneInfo,
    now: datetime,
) -> Task:
    """Hours of `by` on the task. Raises `TaskNotYours`, `TaskNotStarted`, `WorkDateInFuture`, a stale version."""
    _, task = await locked_task(session, task_id, expected=expected)
    task.must_be_known_to(by)
    task.must_be_worked_on(work_date, today=business_date(now, zone))
    entry = TimeEntry(
        entry_id=new_id(),
        task_id=task_id,
        person_id=by.user_id,
        work_date=work_date,
        hours=hours,
        note=note,
        logged_at=now,
    )
    session.add(entry)
    logged = TimeLogged(
        order_id=task.order_id,
        entry_id=entry.entry_id,
        task_id=task_id,
        person_id=by.user_id,
        work_date=work_date,
        hours=hours,
    )
    outbox.record(session, logged)
    return task


async def record_inspection(
    session: AsyncSession,
    *,
    task_id: UUID,
    by: Principal,
    result: InspectionResult,
    note: str | None,
    expected: Expected,
    zone: ZoneInfo,
    now: datetime,
) -> Task:
    """What was found; the latest counts.

    Raises `TaskNotYours`, `TaskNotInspected`, `TaskNotStarted`, `ProjectIsCancelled`, a stale version.
    """
    project, task = await locked_task(session, task_id, WITH_MILESTONES, expected=expected)
    task.must_be_known_to(by)
    project.inspect(task, result)
    inspection = Inspection.of(task, result, by=by.actor, note=note, now=now)
    session.add(inspection)
    recorded = InspectionRecorded(
        order_id=task.order_id,
        inspection_id=inspection.inspection_id,
        task_id=task_id,
        result=result,
        by=by.actor,
        note=note,
    )
    task.inspection_event = outbox.record(session, recorded)
    reach_milestones(session, project, today=business_date(now, zone))
    return task
