"""Facts as the other services would tell them, with only what a test cares about."""

from datetime import date
from typing import Any
from uuid import UUID

from chassis.clock import utc_now
from chassis.ids import new_id
from contracts.event import Labels
from contracts.project import DeliverySubmitted, InspectionRecorded, ProjectCreated, Task, TaskFinished, TemplateRef

NAME = Labels(zh="某事", en="Something")
DAY = date(2026, 11, 23)


def task(stage: str, *, inspection: bool = False, **more: Any) -> Task:
    members: dict[str, Any] = {
        "id": new_id(),
        "code": f"{stage}-task",
        "stage": stage,
        "name": NAME,
        "role": "machinist",
        "queue": "machinist",
        "planned_start": DAY,
        "planned_finish": DAY,
        "depends_on": (),
        "client_visible": True,
        "inspection": inspection,
    }
    return Task(**members | more)


def project_created(order_id: UUID, *tasks: Task) -> ProjectCreated:
    return ProjectCreated(
        order_id=order_id,
        project_id=new_id(),
        template=TemplateRef(code="machining", version=1),
        planned_start=DAY,
        planned_finish=DAY,
        tasks=tasks,
        milestones=(),
        deliverables=(),
    )


def task_finished(order_id: UUID, finished: Task) -> TaskFinished:
    return TaskFinished(
        order_id=order_id, task_id=finished.id, stage=finished.stage, by="user:x", finished_at=utc_now()
    )


def inspection_recorded(order_id: UUID, inspected: Task, result: Any) -> InspectionRecorded:
    return InspectionRecorded(
        order_id=order_id, inspection_id=new_id(), task_id=inspected.id, result=result, by="user:x"
    )


def delivery_submitted(order_id: UUID) -> DeliverySubmitted:
    return DeliverySubmitted(order_id=order_id, deliverables=(), submitted_at=utc_now())
