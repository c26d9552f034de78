"""Facts in, operation called; decides nothing."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.settings import settings_of
from chassis.timers import Timer
from contracts.order import DeliveryAccepted, OrderApproved, OrderCancelled, OrderHeld, OrderResumed
from contracts.project import MilestoneReached
from finance import operations
from finance.operations.accounts import DATE_TIMER
from finance.settings import Settings

consumers = Consumers("finance")


@consumers.on(OrderApproved)
async def open_account_for_order(event: OrderApproved, session: AsyncSession) -> None:
    await operations.open_account(session, event, zone=settings_of(session, Settings).company_zone)


@consumers.on(MilestoneReached)
async def make_instalments_due_by_milestone(event: MilestoneReached, session: AsyncSession) -> None:
    await operations.reach_milestone(session, event)


@consumers.on(DeliveryAccepted)
async def make_instalments_due_by_acceptance(event: DeliveryAccepted, session: AsyncSession) -> None:
    zone = settings_of(session, Settings).company_zone
    await operations.accept_delivery(session, event, zone=zone, now=utc_now())


@consumers.on(OrderHeld)
async def stop_invoicing(event: OrderHeld, session: AsyncSession) -> None:
    await operations.hold_account(session, event.order_id)


@consumers.on(OrderResumed)
async def allow_invoicing(event: OrderResumed, session: AsyncSession) -> None:
    await operations.resume_account(session, event.order_id)


@consumers.on(OrderCancelled)
async def cancel_what_is_not_invoiced(event: OrderCancelled, session: AsyncSession) -> None:
    await operations.cancel_account(session, event)


@consumers.on_timer(DATE_TIMER)
async def make_instalment_due_by_date(timer: Timer, session: AsyncSession) -> None:
    await operations.reach_date(session, order_id=timer.order_id, instalment_id=UUID(timer.subject))
