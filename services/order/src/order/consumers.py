"""Facts in, operation called; decides nothing."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from chassis.clock import utc_now
from chassis.consumers import Consumers
from chassis.delivery import Delivery, Letter
from chassis.settings import settings_of
from contracts import topics
from contracts.finance import AccountSettled, InvoiceIssued, ReceiptRecorded
from contracts.project import DeliverySubmitted, InspectionRecorded, ProjectCreated, TaskFinished
from order import operations
from order.settings import Settings

thread = Consumers("order.thread")
effects = Consumers("order.effects")


@thread.on_every(topics.ORDERS)
async def append_to_thread(fact: Delivery, session: AsyncSession) -> None:
    await operations.append_to_thread(session, fact)


@effects.on(ProjectCreated)
async def learn_of_project(event: ProjectCreated, session: AsyncSession) -> None:
    await operations.learn_of_project(session, event, event_id=outbox.cause_of(session).id, now=utc_now())


@effects.on(TaskFinished)
async def learn_of_finished_task(event: TaskFinished, session: AsyncSession) -> None:
    await operations.learn_of_finished_task(session, event, event_id=outbox.cause_of(session).id, now=utc_now())


@effects.on(InspectionRecorded)
async def learn_of_inspection(event: InspectionRecorded, session: AsyncSession) -> None:
    await operations.learn_of_inspection(session, event, event_id=outbox.cause_of(session).id, now=utc_now())


@effects.on(DeliverySubmitted)
async def learn_of_delivery(event: DeliverySubmitted, session: AsyncSession) -> None:
    await operations.learn_of_delivery(session, event, event_id=outbox.cause_of(session).id, now=utc_now())


@effects.on(InvoiceIssued)
async def learn_of_invoice(event: InvoiceIssued, session: AsyncSession) -> None:
    cause = outbox.cause_of(session)
    await operations.learn_of_invoice(session, event, event_id=UUID(cause.id), now=cause.at or utc_now())


@effects.on(ReceiptRecorded)
async def learn_of_receipt(event: ReceiptRecorded, session: AsyncSession) -> None:
    cause = outbox.cause_of(session)
    await operations.learn_of_receipt(session, event, event_id=UUID(cause.id), now=cause.at or utc_now())


@effects.on(AccountSettled)
async def learn_of_settlement(event: AccountSettled, session: AsyncSession) -> None:
    await operations.learn_of_settlement(
        session, event, zone=settings_of(session, Settings).company_zone, now=utc_now()
    )


async def give_up_request(letter: Letter, reason: Exception, session: AsyncSession) -> None:
    await operations.give_up_request(session, letter, reason, now=utc_now())


@effects.on_requests(topics.INBOUND, give_up=give_up_request)
async def answer_request(letter: Letter, session: AsyncSession) -> None:
    settings = settings_of(session, Settings)
    await operations.answer_request(session, letter, company_currency=settings.company_currency, now=utc_now())
