"""Orders as the finance service hears of them, and people who ask it."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis.ids import new_id
from contracts.money import Money
from contracts.order import (
    ClientRef,
    DeliveryAccepted,
    Line,
    OrderApproved,
    OrderCancelled,
    OrderHeld,
    OrderResumed,
    Term,
)
from contracts.project import MilestoneReached
from stack import Running, Who

FINANCE = Who("chen", ("finance",))
FINANCE_MANAGER = Who("zhao", ("finance_manager",))
SALES = Who("wang", ("sales",))
CLIENT_ID = UUID(int=7)
CLIENT = Who("kim", ("client",), kind="client", client_id=CLIENT_ID)

APPROVED_ON = dt.date(2026, 11, 3)
ACCEPTED_ON = dt.date(2026, 11, 20)
ADVANCE = Term(code="advance", percent=Decimal(30), due="on_approval")
DESIGN = Term(code="design", percent=Decimal(30), due="on_milestone", milestone="design_approved")
ACCEPTANCE = Term(code="acceptance", percent=Decimal(60), due="on_acceptance")
RETENTION = Term(code="retention", percent=Decimal(10), due="after_acceptance", days=365)
MACHINING = (ADVANCE, ACCEPTANCE, RETENTION)


def on_date(day: dt.date, *, code: str = "dated", percent: int = 100) -> Term:
    return Term(code=code, percent=Decimal(percent), due="on_date", date=day)


def line(net: str, tax_rate: str = "0.13", *, currency: str = "CNY") -> Line:
    """One that costs `net`."""
    rate = Decimal(tax_rate)
    return Line(
        item="BRKT-01",
        quantity=Decimal(1),
        unit="pcs",
        unit_price=Decimal(net),
        discount=Decimal(0),
        tax_rate=rate,
        billing_method="fixed",
        net=Decimal(net),
        tax=Money.rounded(Decimal(net) * rate, currency).amount,
    )


def approved(
    *lines: Line,
    terms: Sequence[Term] = MACHINING,
    currency: str = "CNY",
    approved_on: dt.date = APPROVED_ON,
    client_id: UUID = CLIENT_ID,
    order_id: UUID | None = None,
) -> OrderApproved:
    """An order of those lines; of 1,000.00 with 130.00 tax, if there are none."""
    priced = lines or (line("1000.00"),)
    net = Money.total((Money(amount=each.net, currency=currency) for each in priced), currency)
    tax = Money.total((Money(amount=each.tax, currency=currency) for each in priced), currency)
    return OrderApproved(
        order_id=order_id or new_id(),
        order_no="SO-000042",
        revision=1,
        client=ClientRef(id=client_id, code="C-0007", name="Example Works"),
        order_type="machining",
        type_version=1,
        title="120 brackets",
        priority=3,
        currency=currency,
        lines=tuple(priced),
        net=net.amount,
        tax=tax.amount,
        total=(net + tax).amount,
        fields={},
        terms=tuple(terms),
        milestone_codes=("design_approved", "accepted"),
        approval_steps=(),
        requester="user:wang",
        stage="created",
        approved_on=approved_on,
        approvers=("user:li",),
    )


def accepted(order_id: UUID, on: dt.date = ACCEPTED_ON) -> DeliveryAccepted:
    return DeliveryAccepted(order_id=order_id, accepted_on=on, accepted_by="client:kim")


def reached(order_id: UUID, milestone_code: str, on: dt.date = ACCEPTED_ON) -> MilestoneReached:
    return MilestoneReached(order_id=order_id, milestone_code=milestone_code, reached_on=on, evidence=())


def held(order_id: UUID) -> OrderHeld:
    return OrderHeld(order_id=order_id, reason="The client asked", by="user:li")


def resumed(order_id: UUID) -> OrderResumed:
    return OrderResumed(order_id=order_id, by="user:li")


def cancelled(order_id: UUID) -> OrderCancelled:
    return OrderCancelled(order_id=order_id, reason="The client asked", by="user:li")


async def account_of(finance: Running, order_id: UUID) -> dict[str, Any]:
    """As staff see it."""
    answer = await finance.get(f"/orders/{order_id}/account", SALES)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def issue(finance: Running, order_id: UUID) -> dict[str, Any]:
    """An invoice over all that is due."""
    answer = await finance.post(f"/orders/{order_id}/invoices", FINANCE)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def receive(finance: Running, invoice: dict[str, Any], amount: str | None = None, **more: Any) -> dict[str, Any]:
    """Money for one invoice, all of it unless an amount is given."""
    amount = amount or str(invoice["open_amount"])
    allocations = [{"invoice_id": invoice["invoice_id"], "amount": amount}]
    body = {"currency": invoice["currency"], "amount": amount, "allocations": allocations} | more
    answer = await finance.post("/receipts", FINANCE, json=body)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def defects(finance: Running) -> list[Any]:
    """What is wrong in the books."""
    answer = await finance.get("/ledger/check", FINANCE_MANAGER)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()
    return found
