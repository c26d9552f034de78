"""Issuing invoices."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import roots
from chassis.clock import business_date
from chassis.versions import Expected
from finance.models import Account, Invoice, LedgerEntry
from finance.models.account import AccountNotFound
from finance.numbers import next_invoice_number
from finance.operations.telling import post, tell_invoice
from finance.queries.accounts import WITH_INSTALMENTS


async def issue_invoice(
    session: AsyncSession,
    *,
    order_id: UUID,
    instalment_ids: Sequence[UUID] | None,
    expected: Expected,
    payment_days: int,
    zone: ZoneInfo,
    by: str,
    now: datetime,
) -> Invoice:
    """One invoice over the instalments asked for, or over all that are due.

    Raises `AccountNotFound`, a stale version, and what `Account.billable` raises.
    """
    account = await roots.lock(session, Account, order_id, WITH_INSTALMENTS)
    if account is None:
        raise AccountNotFound(f"Order {order_id} has no account: it is not approved, or not yet known here.")
    expected.check(account.version)
    instalments = account.billable(instalment_ids)
    issued_on = business_date(now, zone)
    number = await next_invoice_number(session, issued_on)  # the last lock: nothing is waited for while it is held
    invoice = Invoice.issue(
        account, instalments, number=number, issued_on=issued_on, payment_days=payment_days, by=by, now=now
    )
    session.add(invoice)
    post(session, LedgerEntry.of_invoice(account, invoice, now=now))
    tell_invoice(session, invoice)
    return invoice
