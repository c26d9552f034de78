"""Invoices and receipts."""

from collections.abc import Collection, Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from chassis.paging import Cut
from finance.models import Instalment, InstalmentStatus, Invoice, Receipt
from finance.models.invoice import InvoiceNotFound

WITH_ITS_PARTS = (selectinload(Invoice.instalments), selectinload(Invoice.account))


async def get_invoice(session: AsyncSession, invoice_id: UUID) -> Invoice:
    """Raises `InvoiceNotFound`."""
    invoice = await session.get(Invoice, invoice_id, options=WITH_ITS_PARTS)
    if invoice is None:
        raise InvoiceNotFound(f"There is no invoice {invoice_id}.")
    return invoice


async def list_invoices(
    session: AsyncSession, cut: Cut, *, status: Literal["open", "paid"] | None, order_id: UUID | None
) -> Sequence[Invoice]:
    """The newest first, one more than the page holds if there are more."""
    invoices = select(Invoice).order_by(Invoice.invoice_id.desc()).limit(cut.limit + 1).options(*WITH_ITS_PARTS)
    if after := cut.after_as(UUID):
        invoices = invoices.where(Invoice.invoice_id < after[0])
    if order_id:
        invoices = invoices.where(Invoice.order_id == order_id)
    if status:
        is_open = Invoice.instalments.any(Instalment.status == InstalmentStatus.INVOICED)
        invoices = invoices.where(is_open if status == "open" else ~is_open)
    return (await session.scalars(invoices)).all()


async def list_receipts(session: AsyncSession, cut: Cut) -> Sequence[Receipt]:
    """The newest first, one more than the page holds if there are more."""
    receipts = select(Receipt).order_by(Receipt.receipt_id.desc()).limit(cut.limit + 1)
    if after := cut.after_as(UUID):
        receipts = receipts.where(Receipt.receipt_id < after[0])
    return (
        await session.scalars(receipts.options(joinedload(Receipt.account), selectinload(Receipt.allocations)))
    ).all()


async def orders_of_invoices(session: AsyncSession, invoice_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The order of each, in the order given. It never changes, so no lock is needed. Raises `InvoiceNotFound`."""
    if not invoice_ids:
        return {}
    rows = await session.execute(
        select(Invoice.invoice_id, Invoice.order_id).where(Invoice.invoice_id.in_(invoice_ids))
    )
    found = {invoice_id: order_id for invoice_id, order_id in rows}
    for invoice_id in invoice_ids:
        if invoice_id not in found:
            raise InvoiceNotFound(f"There is no invoice {invoice_id}.")
    return {invoice_id: found[invoice_id] for invoice_id in invoice_ids}
