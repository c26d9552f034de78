"""Invoices that wait for their client: overdue, or soon to be paid."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

SOON = dt.timedelta(days=7)
"""An invoice that is due later waits for nobody yet."""


@dataclass(frozen=True)
class Payable:
    """What is still open of one invoice."""

    number: str
    currency: str
    open_amount: Decimal
    payable_by: dt.date
    is_late: bool


def to_pay(orders: Iterable[Any], today: dt.date) -> list[tuple[Any, Payable]]:
    """Each with its order, the most urgent first."""
    found = [(order, _payable(invoice, today)) for order in orders for invoice in order.invoices]
    waiting = [each for each in found if each[1].open_amount > 0 and each[1].payable_by <= today + SOON]
    return sorted(waiting, key=lambda each: each[1].payable_by)


def _payable(invoice: dict[str, Any], today: dt.date) -> Payable:
    payable_by = dt.date.fromisoformat(invoice["payable_by"])
    return Payable(
        number=invoice["number"],
        currency=invoice["currency"],
        open_amount=Decimal(invoice["total"]) - Decimal(invoice["paid"]),
        payable_by=payable_by,
        is_late=payable_by < today,
    )
