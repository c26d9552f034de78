"""HTTP bodies."""

import datetime as dt
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AliasPath, BaseModel, ConfigDict, Field

from contracts.finance import RateShare
from contracts.money import Exact
from contracts.order_body import TERMS_MAX, Incoming
from contracts.strict import Currency, Day, Number, Text
from finance.models import Receipt
from finance.models.receipt import ReceiptPart

AMOUNT_MAX = Decimal(10) ** 24
"""Above what 500 lines of the greatest quantity, price and tax can cost."""
ALLOCATIONS_MAX = 200

Id = Annotated[UUID, Field(strict=False)]
Amount = Annotated[Number, Field(gt=0, le=AMOUNT_MAX)]


class InvoiceIn(Incoming):
    instalment_ids: Annotated[list[Id], Field(min_length=1, max_length=TERMS_MAX)] | None = None
    """Left out: all that are due."""


class AllocationIn(Incoming):
    invoice_id: Id
    amount: Amount


def _each_invoice_once(allocations: list[AllocationIn]) -> list[AllocationIn]:
    if len({each.invoice_id for each in allocations}) < len(allocations):
        raise ValueError("name each invoice once")
    return allocations


class ReceiptIn(Incoming):
    currency: Currency
    amount: Amount
    received_on: Day | None = None
    """Left out: today, in the company's zone."""
    reference: Text | None = None
    """What the bank wrote on it."""
    allocations: Annotated[
        list[AllocationIn], Field(max_length=ALLOCATIONS_MAX, default_factory=list), AfterValidator(_each_invoice_once)
    ]
    order_id: Id | None = None
    """Whose client keeps what is not allocated; left out, that of the first invoice."""


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True, validate_by_name=True, validate_by_alias=True)


class InstalmentOut(Out):
    id: Annotated[UUID, Field(validation_alias="instalment_id")]
    code: str
    percent: Exact
    rule: str
    milestone: str | None
    days: int | None
    net: Annotated[Exact, Field(validation_alias="net_amount")]
    tax: Annotated[Exact, Field(validation_alias="tax_amount")]
    amount: Annotated[Exact, Field(validation_alias="total_amount")]
    paid_amount: Exact
    due_date: dt.date | None
    status: str


class InvoiceOut(Out):
    invoice_id: UUID
    number: str
    instalment_ids: list[UUID]
    currency: str
    net: Annotated[Exact, Field(validation_alias="net_amount")]
    tax: Annotated[Exact, Field(validation_alias="tax_amount")]
    total: Annotated[Exact, Field(validation_alias="total_amount")]
    by_rate: list[RateShare]
    issued_on: dt.date
    payable_by: dt.date
    open_amount: Exact


class InvoiceOfOrderOut(InvoiceOut):
    """With whose it is, where it stands by itself."""

    order_id: UUID
    order_no: Annotated[str, Field(validation_alias=AliasPath("account", "order_no"))]
    client_code: Annotated[str, Field(validation_alias=AliasPath("account", "client_code"))]
    client_name: Annotated[str, Field(validation_alias=AliasPath("account", "client_name"))]
    client_tax_id: Annotated[str | None, Field(validation_alias=AliasPath("account", "client_tax_id"))]


class AllocationOut(Out):
    invoice_id: UUID
    instalment_id: UUID
    amount: Exact


class ReceiptOfOrderOut(Out):
    """The part of a receipt that concerns one order."""

    receipt_id: UUID
    amount: Exact
    received_on: dt.date
    reference: str | None
    allocations: list[AllocationOut]
    unallocated: Exact

    @classmethod
    def of(cls, receipt: Receipt, part: ReceiptPart) -> "ReceiptOfOrderOut":
        return cls(
            receipt_id=receipt.receipt_id,
            amount=part.amount.amount,
            received_on=receipt.received_on,
            reference=receipt.reference,
            allocations=[AllocationOut.model_validate(each) for each in part.allocations],
            unallocated=part.unallocated.amount,
        )


class ReceiptOut(Out):
    """The whole."""

    receipt_id: UUID
    order_id: UUID
    """The order that the unallocated rest is told with."""
    client_id: UUID
    client_code: Annotated[str, Field(validation_alias=AliasPath("account", "client_code"))]
    client_name: Annotated[str, Field(validation_alias=AliasPath("account", "client_name"))]
    currency: str
    amount: Annotated[Exact, Field(validation_alias="total_amount")]
    received_on: dt.date
    reference: str | None
    allocations: list[AllocationOut]
    unallocated: Annotated[Exact, Field(validation_alias="unallocated_amount")]


class AccountOut(Out):
    account_id: UUID
    order_id: UUID
    order_no: str
    version: int
    status: str
    client_id: UUID
    client_code: str
    client_name: str
    currency: str
    net: Annotated[Exact, Field(validation_alias="net_amount")]
    tax: Annotated[Exact, Field(validation_alias="tax_amount")]
    total: Annotated[Exact, Field(validation_alias="total_amount")]
    approved_on: dt.date
    accepted_on: dt.date | None
    settled_on: dt.date | None
    instalments: list[InstalmentOut]
    invoices: list[InvoiceOut]
    receipts: list[ReceiptOfOrderOut] = []


class DueInstalmentOut(InstalmentOut):
    currency: str
    order_id: Annotated[UUID, Field(validation_alias=AliasPath("account", "order_id"))]
    order_no: Annotated[str, Field(validation_alias=AliasPath("account", "order_no"))]
    client_code: Annotated[str, Field(validation_alias=AliasPath("account", "client_code"))]
    client_name: Annotated[str, Field(validation_alias=AliasPath("account", "client_name"))]


class AgedOut(Out):
    """Bands of days past the day by which it is payable. They add up to the total."""

    not_overdue: Exact
    overdue_1_to_30: Exact
    overdue_31_to_60: Exact
    overdue_61_and_more: Exact
    total: Exact


class OwingOut(Out):
    client_id: UUID
    client_code: str
    client_name: str
    invoices: int
    open: AgedOut


class ReceivablesOut(Out):
    """Of one currency. Clients and others add up to what is open."""

    currency: str
    as_of: dt.date
    invoices: int
    open: AgedOut
    clients: list[OwingOut]
    """The fifty that owe most, the largest first."""
    other_clients: int
    others: AgedOut


class LedgerLineOut(Out):
    account: str
    debit: Exact
    credit: Exact


class LedgerEntryOut(Out):
    entry_id: UUID
    order_id: UUID
    cause: str
    cause_id: UUID
    posted_on: dt.date
    recorded_at: dt.datetime
    currency: str
    total: Exact
    lines: list[LedgerLineOut]


class TrialBalanceRowOut(Out):
    account: str
    debit: Exact
    credit: Exact
    balance: Exact
    """Debit less credit."""


class TrialBalanceOut(Out):
    """Of one currency."""

    currency: str
    debit: Exact
    credit: Exact
    accounts: list[TrialBalanceRowOut]


class DefectOut(Out):
    rule: str
    about: str
    expected: str
    found: str
