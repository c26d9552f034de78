"""What an order learns of its money."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.finance import AccountSettled, InvoiceIssued, ReceiptRecorded
from order.operations.delivery import close_if_done
from order.operations.telling import locked, tell_progress


async def learn_of_invoice(session: AsyncSession, issued: InvoiceIssued, *, event_id: UUID, now: datetime) -> None:
    """From now on the order cannot be cancelled."""
    order = await locked(session, issued.order_id)
    order.has_invoice = True
    tell_progress(session, order, issued, event_id=event_id, happened_at=now)


async def learn_of_receipt(session: AsyncSession, receipt: ReceiptRecorded, *, event_id: UUID, now: datetime) -> None:
    order = await locked(session, receipt.order_id)
    tell_progress(session, order, receipt, event_id=event_id, happened_at=now)


async def learn_of_settlement(session: AsyncSession, settled: AccountSettled, *, zone: ZoneInfo, now: datetime) -> None:
    """Everything is paid: the order closes if it was accepted."""
    order = await locked(session, settled.order_id)
    order.settled_on = settled.settled_on
    close_if_done(session, order, zone=zone, now=now)
