"""Facts told by the finance service. Every amount has the digits of the body's one currency."""

from datetime import date
from typing import ClassVar, Literal
from uuid import UUID

from contracts.event import Body, OrderEvent
from contracts.money import Exact
from contracts.order import Due


class RateShare(Body):
    """What falls on one tax rate."""

    tax_rate: Exact
    net: Exact
    tax: Exact


class Instalment(Body):
    """One term's share of the price, split for each tax rate, so that all of them add up exactly."""

    id: UUID
    code: str
    percent: Exact
    net: Exact
    tax: Exact
    amount: Exact
    """Net and tax."""
    rule: Due
    due_date: date | None = None
    """From when it may be invoiced, once that is known."""
    status: Literal["planned", "due", "paid"]


class InstalmentsPlanned(OrderEvent):
    """The price of an approved order was split by its terms; what is due on approval is due already."""

    type: ClassVar[str] = "instalments.planned.v1"
    teller: ClassVar[str] = "finance"

    account_id: UUID
    currency: str
    net: Exact
    tax: Exact
    total: Exact
    instalments: tuple[Instalment, ...]


class InstalmentDue(OrderEvent):
    """From now on it may be invoiced."""

    type: ClassVar[str] = "instalment.due.v1"
    teller: ClassVar[str] = "finance"

    instalment_id: UUID
    code: str
    due_date: date
    because: Literal["milestone", "acceptance", "date"]


class InstalmentDated(OrderEvent):
    """The acceptance fixed the later date on which it falls due."""

    type: ClassVar[str] = "instalment.dated.v1"
    teller: ClassVar[str] = "finance"

    instalment_id: UUID
    code: str
    due_date: date


class InvoiceIssued(OrderEvent):
    """One invoice over instalments that are due. It is never changed: what is wrong is credited."""

    type: ClassVar[str] = "invoice.issued.v1"
    teller: ClassVar[str] = "finance"

    invoice_id: UUID
    number: str
    """Without gaps in its company and year."""
    instalment_ids: tuple[UUID, ...]
    currency: str
    net: Exact
    tax: Exact
    total: Exact
    by_rate: tuple[RateShare, ...]
    issued_on: date
    payable_by: date


class Allocation(Body):
    """What part of a receipt pays one instalment of one invoice."""

    invoice_id: UUID
    instalment_id: UUID
    amount: Exact


class ReceiptRecorded(OrderEvent):
    """Money came in. `amount` is this order's part of the receipt; one receipt may be told to several orders."""

    type: ClassVar[str] = "receipt.recorded.v1"
    teller: ClassVar[str] = "finance"

    receipt_id: UUID
    currency: str
    amount: Exact
    received_on: date
    allocations: tuple[Allocation, ...]
    unallocated: Exact
    """Stays an open credit of the client."""


class InstalmentPaid(OrderEvent):
    """Nothing of it is open. One of zero is paid when it falls due."""

    type: ClassVar[str] = "instalment.paid.v1"
    teller: ClassVar[str] = "finance"

    instalment_id: UUID
    code: str
    paid_on: date


class AccountSettled(OrderEvent):
    """Every instalment is paid."""

    type: ClassVar[str] = "account.settled.v1"
    teller: ClassVar[str] = "finance"

    settled_on: date
    currency: str
    total: Exact


class InstalmentsCancelled(OrderEvent):
    """The order was cancelled: what was not invoiced will not be. What was is listed, to be credited."""

    type: ClassVar[str] = "instalments.cancelled.v1"
    teller: ClassVar[str] = "finance"

    cancelled: tuple[UUID, ...]
    kept_invoices: tuple[str, ...]
    """Their numbers."""
