"""The account of an order: what it costs, in which instalments, and how far they have come."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.orm.attributes import set_committed_value

from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import new_id
from chassis.roots import Root
from contracts.money import Money
from contracts.order import OrderApproved
from finance.models.instalment import Instalment, InstalmentStatus
from finance.models.model import Model
from finance.price import Price

if TYPE_CHECKING:
    from finance.models.invoice import Invoice


class AccountNotFound(NotFound): ...


class InstalmentNotFound(NotFound): ...


class OrderDoesNotAddUp(Invalid):
    """The lines of an approved order are not what it says that it costs."""


class AccountOnHold(Conflict): ...


class AccountCancelled(Conflict): ...


class NothingDue(Conflict): ...


class InstalmentNotDue(Conflict): ...


class InstalmentAlreadyInvoiced(Conflict): ...


class AccountStatus(StrEnum):
    OPEN = "open"
    ON_HOLD = "on_hold"
    CANCELLED = "cancelled"
    SETTLED = "settled"


NOT_YET_BILLED = (InstalmentStatus.PLANNED, InstalmentStatus.DUE)


@dataclass(frozen=True)
class Acceptance:
    """What the client's acceptance did to the instalments that waited for it."""

    due: Sequence[Instalment]
    dated: Sequence[Instalment]
    """Due on a later day, which is known now."""


class Account(Root, Model):
    """What is owed for an order: one per order, as it is approved once. The row is the root of all that is its."""

    __tablename__ = "accounts"

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[UUID] = mapped_column(unique=True)
    order_no: Mapped[str]
    version: Mapped[int]
    client_id: Mapped[UUID] = mapped_column(index=True)
    client_code: Mapped[str]
    client_name: Mapped[str]
    client_tax_id: Mapped[str | None]
    currency: Mapped[str]
    net_amount: Mapped[Decimal]
    tax_amount: Mapped[Decimal]
    approved_on: Mapped[dt.date]
    is_held: Mapped[bool]
    is_cancelled: Mapped[bool]
    accepted_on: Mapped[dt.date | None]
    settled_on: Mapped[dt.date | None]

    instalments: Mapped[list["Instalment"]] = relationship(lazy="raise", order_by="Instalment.position", viewonly=True)
    invoices: Mapped[list["Invoice"]] = relationship(lazy="raise", order_by="Invoice.invoice_id", viewonly=True)

    __table_args__ = (CheckConstraint("net_amount >= 0 AND tax_amount >= 0", name="not_negative"),)

    @classmethod
    def open(cls, approved: OrderApproved) -> "Account":
        """With its instalments, net and tax of each tax rate split apart (rule 2). Raises `OrderDoesNotAddUp`."""
        price = Price.of_lines(approved.lines, approved.currency)
        if (price.net.amount, price.tax.amount) != (approved.net, approved.tax):
            raise OrderDoesNotAddUp(f"The lines of order {approved.order_no} are not its net and tax.")
        account = cls(
            account_id=new_id(),
            order_id=approved.order_id,
            order_no=approved.order_no,
            version=1,
            client_id=approved.client.id,
            client_code=approved.client.code,
            client_name=approved.client.name,
            client_tax_id=approved.client.tax_id,
            currency=approved.currency,
            net_amount=price.net.amount,
            tax_amount=price.tax.amount,
            approved_on=approved.approved_on,
            is_held=False,
            is_cancelled=False,
            accepted_on=None,
            settled_on=None,
        )
        parts = price.split([term.percent for term in approved.terms])
        instalments = [
            Instalment.plan(
                term, account_id=account.account_id, position=position, price=part, approved_on=approved.approved_on
            )
            for position, (term, part) in enumerate(zip(approved.terms, parts, strict=True), start=1)
        ]
        set_committed_value(account, "instalments", instalments)  # the caller adds them
        set_committed_value(account, "invoices", [])
        return account

    def reach(self, milestone_code: str, *, on: dt.date) -> list[Instalment]:
        """Those that fall due with the milestone; none the second time."""
        reached = [each for each in self._planned("on_milestone") if each.milestone == milestone_code]
        for each in reached:
            each.fall_due(on)
        return reached

    def accept(self, *, on: dt.date) -> Acceptance | None:
        """The client accepted: revenue is earned. None when that is known already, or the order is cancelled."""
        if self.accepted_on is not None or self.is_cancelled:
            return None
        self.accepted_on = on
        waiting = self._planned("on_acceptance", "after_acceptance")
        later = [each for each in waiting if each.days]
        at_once = [each for each in waiting if not each.days]
        for each in later:
            each.due_date = on + dt.timedelta(days=each.days or 0)
        for each in at_once:
            each.fall_due(on)
        return Acceptance(due=at_once, dated=later)

    def reach_date(self, instalment_id: UUID) -> list[Instalment]:
        """The instalment whose date has come; none when it is no longer planned."""
        reached = [each for each in self._planned() if each.instalment_id == instalment_id and each.due_date]
        for each in reached:
            assert each.due_date is not None
            each.fall_due(each.due_date)
        return reached

    def hold(self) -> None:
        """No invoice is issued any more. What falls due meanwhile waits."""
        self.is_held = True
        self.version += 1  # nothing is told of it, yet whoever read the account before has overlooked it

    def resume(self) -> None:
        self.is_held = False
        self.version += 1

    def cancel(self) -> list[Instalment] | None:
        """Those that will never be invoiced. What was invoiced stays as it is. None when that is known already."""
        if self.is_cancelled:
            return None
        self.is_cancelled = True
        cancelled = [each for each in self.instalments if each.status in NOT_YET_BILLED]
        for each in cancelled:
            each.cancel()
        return cancelled

    def billable(self, instalment_ids: Sequence[UUID] | None) -> list[Instalment]:
        """Those to be invoiced now: the ones asked for, or all that are due.

        Raises `AccountOnHold`, `AccountCancelled`, `NothingDue`, `InstalmentNotFound`, `InstalmentAlreadyInvoiced`,
        `InstalmentNotDue`.
        """
        if self.is_cancelled:
            raise AccountCancelled(f"Order {self.order_no} is cancelled: nothing more is invoiced for it.")
        if self.is_held:
            raise AccountOnHold(f"Order {self.order_no} is on hold: invoice it once it is resumed.")
        if instalment_ids is not None:
            return [self._due_instalment(instalment_id) for instalment_id in dict.fromkeys(instalment_ids)]
        due = [each for each in self.instalments if each.status == InstalmentStatus.DUE]
        if not due:
            waiting = [f"{each.code} {each.waits_for}" for each in self._planned()]
            raise NothingDue(
                f"Nothing of order {self.order_no} is due: {', '.join(waiting)}."
                if waiting
                else f"Nothing of order {self.order_no} is due: all of it is invoiced or paid."
            )
        return due

    def settle_if_paid(self) -> bool:
        """Whether everything is paid as of now. A cancelled instalment is never paid."""
        if self.settled_on is not None or any(each.status != InstalmentStatus.PAID for each in self.instalments):
            return False
        self.settled_on = max(each.paid_on for each in self.instalments if each.paid_on is not None)
        return True

    @property
    def status(self) -> AccountStatus:
        if self.is_cancelled:
            return AccountStatus.CANCELLED
        if self.settled_on is not None:
            return AccountStatus.SETTLED
        return AccountStatus.ON_HOLD if self.is_held else AccountStatus.OPEN

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
    def billed_net(self) -> Money:
        """Of what stands on invoices."""
        return Money.total((each.net for each in self.instalments if each.is_billed), self.currency)

    def _due_instalment(self, instalment_id: UUID) -> Instalment:
        found = next((each for each in self.instalments if each.instalment_id == instalment_id), None)
        if found is None:
            raise InstalmentNotFound(f"Order {self.order_no} has no instalment {instalment_id}.")
        if found.is_billed:
            raise InstalmentAlreadyInvoiced(f"Instalment {found.code} of order {self.order_no} is invoiced already.")
        if found.is_planned:
            raise InstalmentNotDue(f"Instalment {found.code} of order {self.order_no} {found.waits_for}.")
        if found.status != InstalmentStatus.DUE:
            raise InstalmentNotDue(f"Instalment {found.code} of order {self.order_no} is zero: it needs no invoice.")
        return found

    def _planned(self, *rules: str) -> list[Instalment]:
        """Of these rules, or of any."""
        return [each for each in self.instalments if each.is_planned and (not rules or each.rule in rules)]
