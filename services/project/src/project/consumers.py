"""Facts and timers in, operation called; decides nothing."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.settings import settings_of
from chassis.timers import Timer
from contracts.directory import OrderTypePublished, UserChanged, UserRegistered
from contracts.order import DeliveryAccepted, OrderApproved, OrderCancelled, OrderHeld, OrderResumed
from project import operations
from project.operations.projects import OVERDUE
from project.settings import Settings

effects = Consumers("project.effects")


@effects.on(OrderTypePublished)
async def learn_of_order_type(event: OrderTypePublished, session: AsyncSession) -> None:
    await operations.learn_of_order_type(session, event)


@effects.on(UserRegistered)
async def learn_of_person(event: UserRegistered, session: AsyncSession) -> None:
    await operations.learn_of_user(session, event)


@effects.on(UserChanged)
async def follow_person(event: UserChanged, session: AsyncSession) -> None:
    await operations.learn_of_user(session, event)


@effects.on(OrderApproved)
async def plan_project(event: OrderApproved, session: AsyncSession) -> None:
    await operations.plan_project(session, event, zone=settings_of(session, Settings).company_zone)


@effects.on(OrderHeld)
async def hold_project(event: OrderHeld, session: AsyncSession) -> None:
    await operations.hold_project(session, event.order_id)


@effects.on(OrderResumed)
async def resume_project(event: OrderResumed, session: AsyncSession) -> None:
    await operations.resume_project(session, event.order_id)


@effects.on(OrderCancelled)
async def cancel_project(event: OrderCancelled, session: AsyncSession) -> None:
    await operations.cancel_project(session, event.order_id)


@effects.on(DeliveryAccepted)
async def reach_acceptance(event: DeliveryAccepted, session: AsyncSession) -> None:
    event_id = UUID(outbox.cause_of(session).id)
    await operations.accept_delivery(session, event.order_id, accepted_on=event.accepted_on, event_id=event_id)


@effects.on_timer(OVERDUE)
async def tell_overdue(timer: Timer, session: AsyncSession) -> None:
    await operations.tell_overdue(
        session,
        order_id=timer.order_id,
        zone=settings_of(session, Settings).company_zone,
        now=timer.fired_at or utc_now(),
    )
