"""How old the open invoices are, by client and currency: 账龄."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

BANDS = (0, 30, 60)
"""Days past the due date up to which a band reaches; the first is not due yet, the last has no end."""


@dataclass
class Row:
    """Of one client: what is open in each band, and in all."""

    client_code: str
    client_name: str
    amounts: list[Decimal] = field(default_factory=lambda: [Decimal()] * (len(BANDS) + 1))

    @property
    def total(self) -> Decimal:
        return sum(self.amounts, Decimal())


@dataclass(frozen=True)
class Ageing:
    """Of one currency. `shares` are percentages of the whole, with where each begins."""

    currency: str
    rows: Sequence[Row]
    sums: Sequence[Decimal]

    @property
    def total(self) -> Decimal:
        return sum(self.sums, Decimal())

    @property
    def overdue(self) -> Decimal:
        return sum(self.sums[1:], Decimal())

    @property
    def shares(self) -> Sequence[tuple[float, float]]:
        begin, found = 0.0, []
        for each in self.sums:
            width = float(each * 100 / self.total) if self.total else 0.0
            found.append((round(begin, 2), round(width, 2)))
            begin += width
        return found


def ageing_of(invoices: Iterable[dict[str, Any]], today: dt.date) -> list[Ageing]:
    """One for each currency, the largest first; amounts are never added over currencies."""
    by_currency: dict[str, dict[str, Row]] = {}
    for invoice in invoices:
        rows = by_currency.setdefault(invoice["currency"], {})
        row = rows.setdefault(invoice["client_code"], Row(invoice["client_code"], invoice["client_name"]))
        late = (today - dt.date.fromisoformat(invoice["payable_by"])).days
        row.amounts[_band(late)] += Decimal(invoice["open_amount"])
    found = [
        Ageing(
            currency,
            sorted(rows.values(), key=lambda row: -row.total),
            [sum((row.amounts[band] for row in rows.values()), Decimal()) for band in range(len(BANDS) + 1)],
        )
        for currency, rows in by_currency.items()
    ]
    return sorted(found, key=lambda ageing: -ageing.total)


def _band(days_late: int) -> int:
    return next((band for band, until in enumerate(BANDS) if days_late <= until), len(BANDS))
