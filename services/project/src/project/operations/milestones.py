"""Telling what is reached."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from contracts.project import MilestoneReached
from project.models import Project


def reach_milestones(session: AsyncSession, project: Project, *, today: date) -> None:
    """Tell each milestone that the last fact reached, with the facts that prove it. Tasks and milestones are loaded."""
    by_id = {str(task.task_id): task for task in project.tasks}
    for milestone in project.reach_milestones(today=today):
        evidence = [event for task_id in milestone.task_ids for event in by_id[task_id].evidence]
        reached = MilestoneReached(
            order_id=project.order_id, milestone_code=milestone.code, reached_on=today, evidence=tuple(evidence)
        )
        outbox.record(session, reached)
