"""The project of an order, and its delivery."""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from chassis.http import IfMatch, Now, Session, Staff, holding, router
from chassis.principal import Principal
from chassis.versions import etag
from contracts.roles import ADMINISTRATOR, PROJECT_MANAGER
from project import operations, queries
from project.models import Project
from project.schemas import ProjectOut, SubmissionIn

projects = router(tags=["projects"])

Leader = Annotated[Principal, holding(PROJECT_MANAGER, ADMINISTRATOR)]


@projects.get("/orders/{order_id}/project", response_model=ProjectOut)
async def get_project(order_id: UUID, response: Response, session: Session, principal: Staff) -> Project:
    return _tagged(response, await queries.get_project(session, order_id))


@projects.post("/deliverables/{deliverable_id}/submissions", response_model=ProjectOut)
async def submit_deliverable(
    deliverable_id: UUID,
    body: SubmissionIn,
    response: Response,
    session: Session,
    principal: Staff,
    expected: IfMatch,
) -> Project:
    """The next version of it, by someone who works on the order."""
    project = await operations.submit_deliverable(
        session, deliverable_id=deliverable_id, reference=body.reference, by=principal, expected=expected
    )
    return _tagged(response, project)


@projects.post("/orders/{order_id}/delivery", response_model=ProjectOut)
async def submit_delivery(
    order_id: UUID, response: Response, session: Session, principal: Leader, expected: IfMatch, now: Now
) -> Project:
    """Ask the client to sign off. What is missing is named."""
    project = await operations.submit_delivery(session, order_id=order_id, expected=expected, now=now)
    return _tagged(response, project)


def _tagged(response: Response, project: Project) -> Project:
    response.headers.update(etag(project.version))
    return project
