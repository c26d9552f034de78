"""Accounts, and what of them may be invoiced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import contains_eager, selectinload

from chassis.paging import Cut
from finance.models import Account, Allocation, Instalment, InstalmentStatus, Invoice, Receipt
from finance.models.account import AccountNotFound
from finance.models.receipt import ReceiptPart

WITH_INSTALMENTS, WITH_INVOICES = selectinload(Account.instalments), selectinload(Account.invoices)


@dataclass(frozen=True)
class AccountView:
    """An account with all that belongs to it; of a receipt, the part that concerns the order."""

    account: Account
    receipts: Sequence[tuple[Receipt, ReceiptPart]]


async def get_account(session: AsyncSession, order_id: UUID) -> AccountView:
    """Raises `AccountNotFound`, as long as the approval is not known here."""
    of_order = (
        select(Account)
        .where(Account.order_id == order_id)
        .options(WITH_INSTALMENTS, selectinload(Account.invoices).selectinload(Invoice.instalments))
    )
    account = (await session.scalars(of_order)).one_or_none()
    if account is None:
        raise AccountNotFound(f"Order {order_id} has no account: it is not approved, or not yet known here.")
    own = select(Receipt.receipt_id).where(Receipt.order_id == order_id)
    allocated = select(Allocation.receipt_id).where(Allocation.order_id == order_id)
    receipts = await session.scalars(
        select(Receipt)
        .where(Receipt.receipt_id.in_(own.union(allocated)))  # with OR, every receipt there is would be looked at
        .order_by(Receipt.receipt_id)
        .options(selectinload(Receipt.allocations))
    )
    parts = ((receipt, receipt.part(order_id)) for receipt in receipts)
    return AccountView(account, [(receipt, part) for receipt, part in parts if part.amount])


async def list_due_instalments(session: AsyncSession, cut: Cut) -> Sequence[Instalment]:
    """What may be invoiced now, the longest waiting first, with its account."""
    due = (
        select(Instalment)
        .join(Instalment.account)
        .where(Instalment.status == InstalmentStatus.DUE, ~Account.is_held)
        .order_by(Instalment.due_date, Instalment.instalment_id)
        .limit(cut.limit + 1)
        .options(contains_eager(Instalment.account))
    )
    if after := cut.after_as(date.fromisoformat, UUID):
        due = due.where(tuple_(Instalment.due_date, Instalment.instalment_id) > after)
    return (await session.scalars(due)).all()
