"""Facts in, operation called; decides nothing."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.settings import settings_of
from contracts.directory import OrderTypePublished, User, UserChanged, UserRegistered
from contracts.event import OrderEvent
from notify import audience, operations
from notify.settings import Settings

directory = Consumers("notify.directory")
notices = Consumers("notify.notices")


@directory.on(UserRegistered)
@directory.on(UserChanged)
async def know_person(event: User, session: AsyncSession) -> None:
    await operations.know_person(session, event)


@directory.on(OrderTypePublished)
async def know_order_type(event: OrderTypePublished, session: AsyncSession) -> None:
    await operations.know_order_type(session, event)


async def give_notices(event: OrderEvent, session: AsyncSession) -> None:
    settings = settings_of(session, Settings)
    await operations.give_notices(
        session,
        event,
        cause_id=UUID(outbox.cause_of(session).id),
        zone=settings.company_zone,
        gateway_url=settings.gateway_url,
        now=utc_now(),
    )


for fact in audience.FACTS:
    notices.on(fact)(give_notices)
