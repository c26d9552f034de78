"""The ledger: double entry, each entry for one fact about one order, balanced, and never changed (rule 20).

What each fact posts is the table in the service's README. The database checks the balance again when it commits, and
refuses to change or delete what is posted.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from chassis.ids import id_of_now
from contracts.money import Money
from finance.models.account import Account
from finance.models.invoice import Invoice
from finance.models.model import Model
from finance.models.receipt import Receipt, ReceiptPart


class EntryOutOfBalance(Exception):
    """A mistake of ours, not of the caller: debits and credits differ, or one of them is below zero."""


class LedgerAccount(StrEnum):
    BANK = "bank"
    RECEIVABLE = "receivable"
    CONTRACT_ASSET = "contract_asset"
    """Earned by the acceptance, not yet invoiced."""
    CONTRACT_LIABILITY = "contract_liability"
    """Invoiced, not yet earned."""
    VAT_PAYABLE = "vat_payable"
    CLIENT_CREDIT = "client_credit"
    """Received, and not yet allocated to an invoice."""
    REVENUE = "revenue"


class Cause(StrEnum):
    """The kind of document whose id is the entry's `cause_id`."""

    INVOICE = "invoice"
    ACCEPTANCE = "acceptance"
    RECEIPT = "receipt"


class LedgerEntry(Model):
    """What one fact means for the books. The same cause is never posted twice for an order."""

    __tablename__ = "ledger_entries"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey(Account.order_id))
    cause: Mapped[str]
    cause_id: Mapped[UUID]
    posted_on: Mapped[dt.date]
    """The date of the fact, in the company's zone."""
    recorded_at: Mapped[dt.datetime]
    currency: Mapped[str]
    total: Mapped[Decimal]
    """Of its debits, and of its credits: a line that is added later would break it."""

    lines: Mapped[list["LedgerLine"]] = relationship(lazy="raise", order_by="LedgerLine.position", viewonly=True)

    __table_args__ = (
        UniqueConstraint("order_id", "cause", "cause_id"),
        CheckConstraint("total > 0", name="above_zero"),
    )

    @classmethod
    def of_invoice(cls, account: Account, invoice: Invoice, *, now: dt.datetime) -> "LedgerEntry | None":
        """What is billed before the acceptance is still to be earned; what is billed after it was earned by it."""
        earned = account.accepted_on is not None
        net_account = LedgerAccount.CONTRACT_ASSET if earned else LedgerAccount.CONTRACT_LIABILITY
        return cls.post(
            account,
            (Cause.INVOICE, invoice.invoice_id),
            debits={LedgerAccount.RECEIVABLE: invoice.total},
            credits={net_account: invoice.net, LedgerAccount.VAT_PAYABLE: invoice.tax},
            posted_on=invoice.issued_on,
            now=now,
        )

    @classmethod
    def of_acceptance(cls, account: Account, *, accepted_on: dt.date, now: dt.datetime) -> "LedgerEntry | None":
        """The whole net of the order is earned: what is billed already, and what will be billed."""
        return cls.post(
            account,
            (Cause.ACCEPTANCE, account.order_id),
            debits={
                LedgerAccount.CONTRACT_LIABILITY: account.billed_net,
                LedgerAccount.CONTRACT_ASSET: account.net - account.billed_net,
            },
            credits={LedgerAccount.REVENUE: account.net},
            posted_on=accepted_on,
            now=now,
        )

    @classmethod
    def of_receipt(
        cls, account: Account, receipt: Receipt, part: ReceiptPart, *, now: dt.datetime
    ) -> "LedgerEntry | None":
        return cls.post(
            account,
            (Cause.RECEIPT, receipt.receipt_id),
            debits={LedgerAccount.BANK: part.amount},
            credits={LedgerAccount.RECEIVABLE: part.allocated, LedgerAccount.CLIENT_CREDIT: part.unallocated},
            posted_on=receipt.received_on,
            now=now,
        )

    @classmethod
    def post(
        cls,
        account: Account,
        cause: tuple[Cause, UUID],
        *,
        debits: Mapping[LedgerAccount, Money],
        credits: Mapping[LedgerAccount, Money],
        posted_on: dt.date,
        now: dt.datetime,
    ) -> "LedgerEntry | None":
        """The entry with its lines, without those of zero; None if all are. Raises `EntryOutOfBalance`."""
        debit, credit = Money.total(debits.values(), account.currency), Money.total(credits.values(), account.currency)
        if debit != credit or any(money.amount < 0 for money in [*debits.values(), *credits.values()]):
            raise EntryOutOfBalance(f"{cause[0]} {cause[1]} of order {account.order_no}: {debits} against {credits}.")
        if not debit:
            return None
        entry = cls(
            entry_id=id_of_now(),
            order_id=account.order_id,
            cause=cause[0],
            cause_id=cause[1],
            posted_on=posted_on,
            recorded_at=now,
            currency=account.currency,
            total=debit.amount,
        )
        nothing = Money.zero(account.currency)
        sides = [(name, money, nothing) for name, money in debits.items() if money]
        sides += [(name, nothing, money) for name, money in credits.items() if money]
        lines = [
            LedgerLine(entry_id=entry.entry_id, position=position, account=name, debit=left.amount, credit=right.amount)
            for position, (name, left, right) in enumerate(sides, start=1)
        ]
        set_committed_value(entry, "lines", lines)  # the caller adds them
        return entry


class LedgerLine(Model):
    """One side of an entry, in the entry's currency."""

    __tablename__ = "ledger_lines"

    entry_id: Mapped[UUID] = mapped_column(ForeignKey(LedgerEntry.entry_id), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    debit: Mapped[Decimal]
    credit: Mapped[Decimal]

    __table_args__ = (CheckConstraint("debit >= 0 AND credit >= 0 AND (debit = 0) <> (credit = 0)", name="one_side"),)
