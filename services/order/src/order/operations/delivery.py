"""What the stage flow learns of the work, and the client's acceptance of it."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import business_date
from chassis.principal import Principal
from contracts.order import DeliveryAccepted, OrderClosed
from contracts.project import DeliverySubmitted, InspectionRecorded, ProjectCreated, TaskFinished
from order.models import Order
from order.operations.telling import advance, locked, tell
from order.workflow import DELIVERY_ACCEPTED, DELIVERY_SUBMITTED, Progress


async def accept_delivery(
    session: AsyncSession, *, order_id: UUID, client: Principal, note: str | None, zone: ZoneInfo, now: datetime
) -> Order:
    """The client signs the delivery off. Raises what `Order.accept` raises."""
    order = await locked(session, order_id)
    today = business_date(now, zone)
    order.accept(client_id=client.client_id, by=client.actor, today=today)
    accepted = DeliveryAccepted(order_id=order_id, accepted_on=today, accepted_by=client.actor, note=note)
    order.learn(DELIVERY_ACCEPTED, str(tell(session, order, accepted, now=now)))
    await advance(session, order, now=now)
    close_if_done(session, order, zone=zone, now=now)
    return order


def close_if_done(session: AsyncSession, order: Order, *, zone: ZoneInfo, now: datetime) -> None:
    """Close the order once it is accepted and settled, whichever came last."""
    today = business_date(now, zone)
    if order.close_if_done(today=today):
        tell(session, order, OrderClosed(order_id=order.order_id, closed_on=today), now=now)


async def learn_of_project(session: AsyncSession, created: ProjectCreated, *, event_id: str, now: datetime) -> None:
    order = await locked(session, created.order_id)
    progress = Progress.of(order.progress)
    progress.plan(created.tasks, event_id)
    await _advance_with(session, order, progress, now=now)


async def learn_of_finished_task(
    session: AsyncSession, finished: TaskFinished, *, event_id: str, now: datetime
) -> None:
    order = await locked(session, finished.order_id)
    progress = Progress.of(order.progress)
    progress.finish(str(finished.task_id), stage=finished.stage, event_id=event_id)
    await _advance_with(session, order, progress, now=now)


async def learn_of_inspection(
    session: AsyncSession, inspected: InspectionRecorded, *, event_id: str, now: datetime
) -> None:
    order = await locked(session, inspected.order_id)
    progress = Progress.of(order.progress)
    progress.inspect(str(inspected.task_id), result=inspected.result, event_id=event_id)
    await _advance_with(session, order, progress, now=now)


async def learn_of_delivery(
    session: AsyncSession, submitted: DeliverySubmitted, *, event_id: str, now: datetime
) -> None:
    order = await locked(session, submitted.order_id)
    progress = Progress.of(order.progress)
    progress.learn(DELIVERY_SUBMITTED, event_id)
    await _advance_with(session, order, progress, now=now)


async def _advance_with(session: AsyncSession, order: Order, progress: Progress, *, now: datetime) -> None:
    order.progress = progress.document
    await advance(session, order, now=now)
