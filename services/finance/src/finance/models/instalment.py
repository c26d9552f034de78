"""Instalments: the shares of a price, from planned to paid."""

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from chassis.ids import new_id
from contracts.money import Money
from contracts.order import Term
from finance.models.model import Model, checked_at_commit
from finance.price import Price

if TYPE_CHECKING:
    from finance.models.account import Account


class InstalmentStatus(StrEnum):
    PLANNED = "planned"
    DUE = "due"
    INVOICED = "invoiced"
    PAID = "paid"
    CANCELLED = "cancelled"


class Instalment(Model):
    """One term's share of the price. What it costs never changes, only how far it has come."""

    __tablename__ = "instalments"

    instalment_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.account_id"))
    position: Mapped[int]
    code: Mapped[str]
    percent: Mapped[Decimal]
    rule: Mapped[str]
    milestone: Mapped[str | None]
    days: Mapped[int | None]
    currency: Mapped[str]
    net_amount: Mapped[Decimal]
    tax_amount: Mapped[Decimal]
    by_rate: Mapped[list[Any]]
    status: Mapped[str]
    due_date: Mapped[dt.date | None]
    """From when it may be invoiced, once that is known."""
    invoice_id: Mapped[UUID | None] = mapped_column(checked_at_commit("invoices.invoice_id"), index=True)
    paid_amount: Mapped[Decimal]
    paid_on: Mapped[dt.date | None]

    account: Mapped["Account"] = relationship(lazy="raise", viewonly=True)

    __table_args__ = (
        UniqueConstraint("account_id", "position"),
        CheckConstraint("net_amount >= 0 AND tax_amount >= 0", name="not_negative"),
        CheckConstraint("paid_amount BETWEEN 0 AND net_amount + tax_amount", name="not_overpaid"),
        Index("instalments_due_ix", "due_date", "instalment_id", postgresql_where=text("status = 'due'")),
        Index("instalments_invoiced_ix", "invoice_id", postgresql_where=text("status = 'invoiced'")),
    )

    @classmethod
    def plan(cls, term: Term, *, account_id: UUID, position: int, price: Price, approved_on: dt.date) -> "Instalment":
        """Already due if the approval makes it so, or a date that is not after the approval."""
        instalment = cls(
            instalment_id=new_id(),
            account_id=account_id,
            position=position,
            code=term.code,
            percent=term.percent,
            rule=term.due,
            milestone=term.milestone,
            days=term.days,
            currency=price.currency,
            net_amount=price.net.amount,
            tax_amount=price.tax.amount,
            by_rate=price.document,
            status=InstalmentStatus.PLANNED,
            due_date=term.date,
            invoice_id=None,
            paid_amount=Money.zero(price.currency).amount,
            paid_on=None,
        )
        if term.due == "on_approval" or (term.date is not None and term.date <= approved_on):
            instalment.fall_due(approved_on)
        return instalment

    def fall_due(self, on: dt.date) -> None:
        """From now on it may be invoiced. One of zero is paid with that (rule 2). A date agreed before stays."""
        self.due_date = self.due_date or on
        self.status = InstalmentStatus.DUE
        if not self.total:
            self.status, self.paid_on = InstalmentStatus.PAID, on

    def bill(self, invoice_id: UUID) -> None:
        """It stands on that invoice."""
        self.status, self.invoice_id = InstalmentStatus.INVOICED, invoice_id

    def pay(self, amount: Money, *, on: dt.date) -> None:
        """Take `amount`, which is at most what is open."""
        self.paid_amount = (self.paid + amount).amount
        if not self.open:
            self.status, self.paid_on = InstalmentStatus.PAID, on

    def cancel(self) -> None:
        self.status = InstalmentStatus.CANCELLED

    @property
    def is_planned(self) -> bool:
        return self.status == InstalmentStatus.PLANNED

    @property
    def is_billed(self) -> bool:
        """Whether it stands on an invoice: one of zero never does."""
        return self.invoice_id is not None

    @property
    def waits_for(self) -> str:
        """What makes a planned one due, for people."""
        if self.due_date is not None:
            return f"falls due on {self.due_date}"
        if self.rule == "on_milestone":
            return f"waits for the milestone {self.milestone}"
        return f"waits for the acceptance and {self.days} days" if self.days else "waits for the acceptance"

    @property
    def price(self) -> Price:
        return Price.of_document(self.by_rate, self.currency)

    @property
    def net(self) -> Money:
        return Money(amount=self.net_amount, currency=self.currency)

    @property
    def tax(self) -> Money:
        return Money(amount=self.tax_amount, currency=self.currency)

    @property
    def total(self) -> Money:
        return self.net + self.tax

    @property
    def total_amount(self) -> Decimal:
        return self.total.amount

    @property
    def paid(self) -> Money:
        return Money(amount=self.paid_amount, currency=self.currency)

    @property
    def open(self) -> Money:
        """What is still to be paid, invoiced or not."""
        return self.total - self.paid
