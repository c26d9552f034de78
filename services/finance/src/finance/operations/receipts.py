"""Recording money that came in."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from chassis import roots
from chassis.clock import business_date
from chassis.errors import FieldError
from chassis.versions import Expected
from finance import queries
from finance.models import Account, Instalment, Invoice, LedgerEntry, Receipt
from finance.models.account import AccountNotFound
from finance.models.receipt import ReceiptOfNobody, exactly
from finance.operations.telling import post, tell_paid, tell_receipt


async def record_receipt(
    session: AsyncSession,
    *,
    currency: str,
    amount: Decimal,
    received_on: date | None,
    reference: str | None,
    wanted: Mapping[UUID, Decimal],
    order_id: UUID | None,
    expected: Expected,
    zone: ZoneInfo,
    by: str,
    now: datetime,
) -> Receipt:
    """Money, and what of it pays which invoice (`wanted`); the rest stays the client's open credit.

    The rest is told with the order of `order_id`, or of the first invoice. `expected` is the version of that order's
    account. Raises `InvoiceNotFound`, `AccountNotFound`, `ReceiptOfNobody`, a stale version, and what `exactly`,
    `Receipt.record` and `Receipt.allocate` raise.
    """
    accounts = await _lock_accounts(session, await queries.orders_of_invoices(session, wanted), order_id)
    home = next(iter(accounts.values()))
    expected.check(home.version)
    today = business_date(now, zone)
    receipt = Receipt.record(
        home,
        exactly(amount, currency, field="/amount"),
        received_on=received_on or today,
        today=today,
        reference=reference,
        by=by,
        now=now,
    )
    invoices = {invoice.invoice_id: invoice for account in accounts.values() for invoice in account.invoices}
    for position, (invoice_id, part) in enumerate(wanted.items()):
        receipt.allocate(invoices[invoice_id], exactly(part, currency, field=f"/allocations/{position}/amount"))
    session.add(receipt)
    session.add_all(receipt.allocations)
    for each in receipt.parts:
        account = accounts[each.order_id]
        post(session, LedgerEntry.of_receipt(account, receipt, each, now=now))
        tell_receipt(session, receipt, each)
        tell_paid(session, account, _paid_by(receipt, account))
    return receipt


async def _lock_accounts(
    session: AsyncSession, orders_of_invoices: Mapping[UUID, UUID], order_id: UUID | None
) -> dict[UUID, Account]:
    """By order, the one that the unallocated rest is told with first; all locked at once, in the order of their ids."""
    order_ids = list(dict.fromkeys([*([order_id] if order_id else []), *orders_of_invoices.values()]))
    if not order_ids:
        nobody = [FieldError("/order_id", "name the order whose client paid, or allocate to an invoice")]
        raise ReceiptOfNobody("Say whose money it is.", errors=nobody)
    await roots.lock_all(
        session,
        Account,
        order_ids,
        selectinload(Account.instalments),
        selectinload(Account.invoices).options(selectinload(Invoice.instalments), selectinload(Invoice.account)),
    )
    accounts = {}
    for each in order_ids:
        account = await roots.lock(session, Account, each)
        if account is None:
            raise AccountNotFound(f"Order {each} has no account: it is not approved, or not yet known here.")
        accounts[each] = account
    return accounts


def _paid_by(receipt: Receipt, account: Account) -> list[Instalment]:
    touched = {each.instalment_id for each in receipt.allocations}
    return [each for each in account.instalments if each.instalment_id in touched]
