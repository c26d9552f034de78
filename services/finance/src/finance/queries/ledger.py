"""The ledger, read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from chassis.paging import Cut
from contracts.money import Money
from finance.models import LedgerEntry, LedgerLine


@dataclass(frozen=True)
class TrialBalanceRow:
    """`balance` is debit less credit."""

    account: str
    debit: Decimal
    credit: Decimal
    balance: Decimal


@dataclass(frozen=True)
class TrialBalance:
    """Of one currency. Debit and credit are equal, or the books are wrong."""

    currency: str
    debit: Decimal
    credit: Decimal
    accounts: Sequence[TrialBalanceRow]


async def trial_balance(session: AsyncSession, *, currency: str | None, until: date | None) -> list[TrialBalance]:
    """By currency, of what was posted up to and with `until`."""
    sums = (
        select(LedgerEntry.currency, LedgerLine.account, func.sum(LedgerLine.debit), func.sum(LedgerLine.credit))
        .join(LedgerEntry, LedgerEntry.entry_id == LedgerLine.entry_id)
        .group_by(LedgerEntry.currency, LedgerLine.account)
        .order_by(LedgerEntry.currency, LedgerLine.account)
    )
    if currency:
        sums = sums.where(LedgerEntry.currency == currency)
    if until:
        sums = sums.where(LedgerEntry.posted_on <= until)
    return [_balance(code, list(rows)) for code, rows in groupby(await session.execute(sums), key=lambda row: row[0])]


async def list_entries(session: AsyncSession, cut: Cut, *, order_id: UUID | None) -> Sequence[LedgerEntry]:
    """As they were posted, with their lines; one more than the page holds if there are more."""
    entries = select(LedgerEntry).order_by(LedgerEntry.entry_id).limit(cut.limit + 1)
    if after := cut.after_as(UUID):
        entries = entries.where(LedgerEntry.entry_id > after[0])
    if order_id:
        entries = entries.where(LedgerEntry.order_id == order_id)
    return (await session.scalars(entries.options(selectinload(LedgerEntry.lines)))).all()


def _balance(currency: str, rows: Sequence[tuple[str, str, Decimal, Decimal]]) -> TrialBalance:
    debits = [Money(amount=debit, currency=currency) for _, _, debit, _ in rows]
    credits = [Money(amount=credit, currency=currency) for _, _, _, credit in rows]
    accounts = [
        TrialBalanceRow(account, debit.amount, credit.amount, (debit - credit).amount)
        for (_, account, _, _), debit, credit in zip(rows, debits, credits, strict=True)
    ]
    debit, credit = Money.total(debits, currency).amount, Money.total(credits, currency).amount
    return TrialBalance(currency, debit, credit, accounts)
