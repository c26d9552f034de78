"""The project to be written to, held until the end of the transaction."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption

from chassis import roots
from chassis.versions import Expected
from project import queries
from project.models import Project, Task
from project.models.project import ProjectNotFound

WITH_TASKS, WITH_MILESTONES = selectinload(Project.tasks), selectinload(Project.milestones)


async def locked(
    session: AsyncSession, order_id: UUID, *options: ORMOption, expected: Expected | None = None
) -> Project:
    """Raises `ProjectNotFound`, a stale version."""
    project = await roots.lock(session, Project, order_id, *options)
    if project is None:
        raise ProjectNotFound(f"There is no project for order {order_id}: it is made when the order is approved.")
    if expected is not None:
        expected.check(project.version)
    return project


async def locked_task(
    session: AsyncSession, task_id: UUID, *options: ORMOption, expected: Expected
) -> tuple[Project, Task]:
    """The task, in its project with all its tasks. Raises `TaskNotFound`, a stale version."""
    order_id = await queries.order_of_task(session, task_id)
    project = await locked(session, order_id, WITH_TASKS, *options, expected=expected)
    return project, project.task(task_id)
