"""Invoices: issued once, never changed."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from chassis.errors import NotFound
from chassis.ids import new_id
from contracts.finance import RateShare
from contracts.money import Money
from finance.models.account import Account
from finance.models.instalment import Instalment
from finance.models.model import Model
from finance.price import Price


class InvoiceNotFound(NotFound): ...


class InvoiceSeries(Model):
    """The numbers given in a year. Its row is the last one that a transaction locks."""

    __tablename__ = "invoice_series"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_number: Mapped[int]


class Invoice(Model):
    """Over whole instalments of one order. The database refuses to change it: what is wrong is credited."""

    __tablename__ = "invoices"

    invoice_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey(Account.account_id), index=True)
    order_id: Mapped[UUID] = mapped_column(index=True)
    currency: Mapped[str]
    net_amount: Mapped[Decimal]
    tax_amount: Mapped[Decimal]
    by_rate: Mapped[list[Any]]
    issued_on: Mapped[dt.date]
    payable_by: Mapped[dt.date]
    issued_by: Mapped[str]
    issued_at: Mapped[dt.datetime]

    account: Mapped[Account] = relationship(lazy="raise", viewonly=True)
    instalments: Mapped[list[Instalment]] = relationship(lazy="raise", order_by=Instalment.position, viewonly=True)

    __table_args__ = (
        CheckConstraint("net_amount >= 0 AND tax_amount >= 0 AND net_amount + tax_amount > 0", name="above_zero"),
    )

    @classmethod
    def issue(
        cls,
        account: Account,
        instalments: Sequence[Instalment],
        *,
        number: str,
        issued_on: dt.date,
        payment_days: int,
        by: str,
        now: dt.datetime,
    ) -> "Invoice":
        """Over `instalments`, all of which are billable."""
        price = Price.total((each.price for each in instalments), account.currency)
        invoice = cls(
            invoice_id=new_id(),
            number=number,
            account_id=account.account_id,
            order_id=account.order_id,
            currency=account.currency,
            net_amount=price.net.amount,
            tax_amount=price.tax.amount,
            by_rate=price.document,
            issued_on=issued_on,
            payable_by=issued_on + dt.timedelta(days=payment_days),
            issued_by=by,
            issued_at=now,
        )
        for each in instalments:
            each.bill(invoice.invoice_id)
        set_committed_value(invoice, "account", account)
        set_committed_value(invoice, "instalments", list(instalments))
        return invoice

    @property
    def instalment_ids(self) -> tuple[UUID, ...]:
        return tuple(each.instalment_id for each in self.instalments)

    @property
    def shares(self) -> tuple[RateShare, ...]:
        return Price.of_document(self.by_rate, self.currency).shares

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
    def open(self) -> Money:
        """What is still to be paid."""
        return Money.total((each.open for each in self.instalments), self.currency)

    @property
    def open_amount(self) -> Decimal:
        return self.open.amount
