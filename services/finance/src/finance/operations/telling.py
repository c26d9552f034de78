"""Telling what happened to the money of an order."""

from collections.abc import Iterable
from datetime import date
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from chassis import outbox
from contracts import finance as facts
from finance.models import Account, Instalment, InstalmentStatus, Invoice, LedgerEntry, Receipt
from finance.models.receipt import ReceiptPart


def tell_plan(session: AsyncSession, account: Account) -> None:
    """The whole plan, and what of it is paid from the start because it is zero."""
    planned = facts.InstalmentsPlanned(
        order_id=account.order_id,
        account_id=account.account_id,
        currency=account.currency,
        net=account.net_amount,
        tax=account.tax_amount,
        total=account.total_amount,
        instalments=tuple(_plan(each) for each in account.instalments),
    )
    outbox.record(session, planned)
    tell_paid(session, account, account.instalments)


def tell_due(
    session: AsyncSession,
    account: Account,
    fallen_due: Iterable[Instalment],
    because: Literal["milestone", "acceptance", "date"],
) -> None:
    """One of zero is paid with that, and tells only so."""
    fallen_due = list(fallen_due)
    for each in fallen_due:
        if each.status == InstalmentStatus.DUE:
            due = facts.InstalmentDue(
                order_id=account.order_id,
                instalment_id=each.instalment_id,
                code=each.code,
                due_date=_known(each.due_date),
                because=because,
            )
            outbox.record(session, due)
    tell_paid(session, account, fallen_due)


def tell_dated(session: AsyncSession, account: Account, instalment: Instalment) -> None:
    dated = facts.InstalmentDated(
        order_id=account.order_id,
        instalment_id=instalment.instalment_id,
        code=instalment.code,
        due_date=_known(instalment.due_date),
    )
    outbox.record(session, dated)


def tell_invoice(session: AsyncSession, invoice: Invoice) -> None:
    issued = facts.InvoiceIssued(
        order_id=invoice.order_id,
        invoice_id=invoice.invoice_id,
        number=invoice.number,
        instalment_ids=invoice.instalment_ids,
        currency=invoice.currency,
        net=invoice.net_amount,
        tax=invoice.tax_amount,
        total=invoice.total_amount,
        by_rate=invoice.shares,
        issued_on=invoice.issued_on,
        payable_by=invoice.payable_by,
    )
    outbox.record(session, issued)


def tell_receipt(session: AsyncSession, receipt: Receipt, part: ReceiptPart) -> None:
    """To the one order that `part` concerns."""
    recorded = facts.ReceiptRecorded(
        order_id=part.order_id,
        receipt_id=receipt.receipt_id,
        currency=receipt.currency,
        amount=part.amount.amount,
        received_on=receipt.received_on,
        allocations=tuple(
            facts.Allocation(invoice_id=each.invoice_id, instalment_id=each.instalment_id, amount=each.amount)
            for each in part.allocations
        ),
        unallocated=part.unallocated.amount,
    )
    outbox.record(session, recorded)


def tell_paid(session: AsyncSession, account: Account, instalments: Iterable[Instalment]) -> None:
    """Which of `instalments` are paid, as of now, and whether the account is settled with that."""
    for each in instalments:
        if each.status == InstalmentStatus.PAID:
            paid = facts.InstalmentPaid(
                order_id=account.order_id,
                instalment_id=each.instalment_id,
                code=each.code,
                paid_on=_known(each.paid_on),
            )
            outbox.record(session, paid)
    if account.settle_if_paid():
        settled = facts.AccountSettled(
            order_id=account.order_id,
            settled_on=_known(account.settled_on),
            currency=account.currency,
            total=account.total_amount,
        )
        outbox.record(session, settled)


def tell_cancelled(session: AsyncSession, account: Account, cancelled: Iterable[Instalment]) -> None:
    """What will not be invoiced, and the invoices that were issued, for finance to credit."""
    instalments_cancelled = facts.InstalmentsCancelled(
        order_id=account.order_id,
        cancelled=tuple(each.instalment_id for each in cancelled),
        kept_invoices=tuple(invoice.number for invoice in account.invoices),
    )
    outbox.record(session, instalments_cancelled)


def post(session: AsyncSession, entry: LedgerEntry | None) -> None:
    """Post what there is to post."""
    if entry is not None:
        session.add(entry)
        session.add_all(entry.lines)


def _plan(instalment: Instalment) -> facts.Instalment:
    return facts.Instalment.model_validate(
        {
            "id": instalment.instalment_id,
            "code": instalment.code,
            "percent": instalment.percent,
            "net": instalment.net_amount,
            "tax": instalment.tax_amount,
            "amount": instalment.total_amount,
            "rule": instalment.rule,
            "due_date": instalment.due_date,
            "status": instalment.status,
        }
    )


def _known(day: date | None) -> date:
    assert day is not None
    return day
