"""What the client gets, and asking the client to sign it off."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.principal import Principal
from chassis.versions import Expected
from contracts.project import DeliverableSubmitted, DeliverySubmitted, SubmittedDeliverable
from project import queries
from project.models import Project
from project.operations.loading import locked


async def submit_deliverable(
    session: AsyncSession, *, deliverable_id: UUID, reference: str, by: Principal, expected: Expected
) -> Project:
    """The next version of it is at `reference`.

    Raises `DeliverableNotFound`, `NotOfTheProject`, `ProjectIsCancelled`, `DeliveryAlreadySubmitted`, a stale version.
    """
    order_id = await queries.order_of_deliverable(session, deliverable_id)
    project = await locked(session, order_id, *queries.EVERYTHING, expected=expected)
    deliverable = project.submit_deliverable(deliverable_id, reference, by=by)
    submitted = DeliverableSubmitted(
        order_id=order_id,
        deliverable_id=deliverable_id,
        code=deliverable.code,
        name=deliverable.name,
        version=deliverable.version,
        reference=reference,
    )
    outbox.record(session, submitted)
    return project


async def submit_delivery(session: AsyncSession, *, order_id: UUID, expected: Expected, now: datetime) -> Project:
    """Ask the client to sign off what is in. Raises what `Project.submit_delivery` raises, a stale version."""
    project = await locked(session, order_id, *queries.EVERYTHING, expected=expected)
    project.submit_delivery(now=now)
    submitted = DeliverySubmitted(
        order_id=order_id,
        deliverables=tuple(
            SubmittedDeliverable(id=each.deliverable_id, code=each.code, version=each.version)
            for each in project.deliverables
            if each.version
        ),
        submitted_at=now,
    )
    outbox.record(session, submitted)
    return project
