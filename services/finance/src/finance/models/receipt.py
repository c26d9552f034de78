"""Receipts: money that came in, and what it pays."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from chassis.errors import Conflict, FieldError, Invalid
from chassis.ids import new_id
from contracts.money import Money
from finance.models.account import Account
from finance.models.invoice import Invoice
from finance.models.model import Model, checked_at_commit


class AmountTooFine(Invalid):
    """It has digits that the currency has not."""


class ReceivedInTheFuture(Invalid): ...


class ReceiptOfNobody(Invalid):
    """Money without an invoice or an order is no client's."""


class ReceiptInAnotherCurrency(Conflict): ...


class InvoiceOfAnotherClient(Conflict): ...


class MoreThanOpen(Conflict): ...


class MoreThanReceived(Conflict): ...


def exactly(amount: Decimal, currency: str, *, field: str) -> Money:
    """The money that `amount` is, never rounded. Raises `AmountTooFine`."""
    money = Money.rounded(amount, currency)
    if money.amount != amount:
        raise AmountTooFine(
            f"{amount} is no amount of {currency}.", errors=[FieldError(field, f"{currency} has no such small part")]
        )
    return money


@dataclass(frozen=True)
class ReceiptPart:
    """What of a receipt concerns one order. The parts add up to the receipt."""

    order_id: UUID
    allocations: Sequence["Allocation"]
    allocated: Money
    unallocated: Money

    @property
    def amount(self) -> Money:
        return self.allocated + self.unallocated


class Receipt(Model):
    """Money of one client. What pays no invoice stays the client's open credit (rule 16)."""

    __tablename__ = "receipts"

    receipt_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey(Account.order_id), index=True)
    """The order that the unallocated rest is told with."""
    client_id: Mapped[UUID] = mapped_column(index=True)
    currency: Mapped[str]
    total_amount: Mapped[Decimal]
    received_on: Mapped[dt.date]
    reference: Mapped[str | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[dt.datetime]

    account: Mapped[Account] = relationship(lazy="raise", viewonly=True)
    allocations: Mapped[list["Allocation"]] = relationship(lazy="raise", order_by="Allocation.position", viewonly=True)

    __table_args__ = (CheckConstraint("total_amount > 0", name="above_zero"),)

    @classmethod
    def record(
        cls,
        account: Account,
        amount: Money,
        *,
        received_on: dt.date,
        today: dt.date,
        reference: str | None,
        by: str,
        now: dt.datetime,
    ) -> "Receipt":
        """Of the client of `account`, not allocated yet. Raises `ReceiptInAnotherCurrency`, `ReceivedInTheFuture`."""
        if received_on > today:
            reason = [FieldError("/received_on", f"it is {today} now: write that day or one before")]
            raise ReceivedInTheFuture("Money is recorded when it is there.", errors=reason)
        if amount.currency != account.currency:
            raise ReceiptInAnotherCurrency(
                f"Order {account.order_no} is in {account.currency}: record what came in as {account.currency}."
            )
        receipt = cls(
            receipt_id=new_id(),
            order_id=account.order_id,
            client_id=account.client_id,
            currency=amount.currency,
            total_amount=amount.amount,
            received_on=received_on,
            reference=reference,
            recorded_by=by,
            recorded_at=now,
        )
        set_committed_value(receipt, "account", account)
        set_committed_value(receipt, "allocations", [])
        return receipt

    def allocate(self, invoice: Invoice, amount: Money) -> None:
        """Pay the invoice's instalments in their order.

        Raises `ReceiptInAnotherCurrency`, `InvoiceOfAnotherClient`, `MoreThanOpen`, `MoreThanReceived`.
        """
        if invoice.currency != self.currency:
            raise ReceiptInAnotherCurrency(
                f"Invoice {invoice.number} is in {invoice.currency}, not in {self.currency}."
            )
        if invoice.account.client_id != self.client_id:
            raise InvoiceOfAnotherClient(f"Invoice {invoice.number} is another client's: record a receipt for each.")
        if amount.amount > invoice.open_amount:
            raise MoreThanOpen(f"Only {invoice.open_amount} of invoice {invoice.number} is open, not {amount.amount}.")
        if amount.amount > self.unallocated.amount:
            raise MoreThanReceived(f"Only {self.unallocated.amount} of the receipt is left, not {amount.amount}.")
        left = amount
        for instalment in invoice.instalments:
            part = min(left, instalment.open, key=lambda money: money.amount)
            if part:
                instalment.pay(part, on=self.received_on)
                self.allocations.append(Allocation.of(self, invoice, instalment.instalment_id, part))
                left -= part

    @property
    def total(self) -> Money:
        return Money(amount=self.total_amount, currency=self.currency)

    @property
    def unallocated(self) -> Money:
        return self.total - Money.total((each.money for each in self.allocations), self.currency)

    @property
    def unallocated_amount(self) -> Decimal:
        return self.unallocated.amount

    @property
    def parts(self) -> list[ReceiptPart]:
        """By order, the one with the unallocated rest first."""
        order_ids = dict.fromkeys([self.order_id, *(each.order_id for each in self.allocations)])
        parts = [self.part(order_id) for order_id in order_ids]
        return [part for part in parts if part.amount]

    def part(self, order_id: UUID) -> ReceiptPart:
        allocations = [each for each in self.allocations if each.order_id == order_id]
        return ReceiptPart(
            order_id=order_id,
            allocations=allocations,
            allocated=Money.total((each.money for each in allocations), self.currency),
            unallocated=self.unallocated if order_id == self.order_id else Money.zero(self.currency),
        )


class Allocation(Model):
    """What part of a receipt pays one instalment. It can be reversed one day, never edited."""

    __tablename__ = "allocations"

    receipt_id: Mapped[UUID] = mapped_column(checked_at_commit("receipts.receipt_id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey(Account.order_id))
    invoice_id: Mapped[UUID] = mapped_column(ForeignKey(Invoice.invoice_id))
    instalment_id: Mapped[UUID] = mapped_column(ForeignKey("instalments.instalment_id"), index=True)
    currency: Mapped[str]
    amount: Mapped[Decimal]

    __table_args__ = (
        CheckConstraint("amount > 0", name="above_zero"),
        Index("allocations_order_id_ix", "order_id", "receipt_id"),
    )

    @classmethod
    def of(cls, receipt: Receipt, invoice: Invoice, instalment_id: UUID, amount: Money) -> "Allocation":
        return cls(
            receipt_id=receipt.receipt_id,
            position=len(receipt.allocations) + 1,
            order_id=invoice.order_id,
            invoice_id=invoice.invoice_id,
            instalment_id=instalment_id,
            currency=amount.currency,
            amount=amount.amount,
        )

    @property
    def money(self) -> Money:
        return Money(amount=self.amount, currency=self.currency)
