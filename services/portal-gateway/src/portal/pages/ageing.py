"""How old what clients owe is, as the finance service adds it up (账龄): one table for each currency."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

BANDS = ("not_overdue", "overdue_1_to_30", "overdue_31_to_60", "overdue_61_and_more")


@dataclass(frozen=True)
class Row:
    """What is open in each band, and in all: of one client, or of all those that have no row of their own."""

    amounts: Sequence[Decimal]
    total: Decimal
    client_code: str = ""
    client_name: str = ""
    clients: int = 1

    @classmethod
    def of(cls, open: dict[str, Any], **whose: Any) -> "Row":
        return cls([Decimal(open[band]) for band in BANDS], Decimal(open["total"]), **whose)

    @property
    def overdue(self) -> Decimal:
        return sum(self.amounts[1:], Decimal())


@dataclass(frozen=True)
class Ageing:
    """Of one currency."""

    currency: str
    invoices: int
    rows: Sequence[Row]
    others: Row | None
    whole: Row

    @property
    def shares(self) -> Sequence[tuple[float, float]]:
        """Of each band, in percent of the whole: where it begins, and how much it is."""
        begin, found = 0.0, []
        for amount in self.whole.amounts:
            width = float(amount * 100 / self.whole.total) if self.whole.total else 0.0
            found.append((round(begin, 2), round(width, 2)))
            begin += width
        return found


def ageing_of(receivables: Iterable[dict[str, Any]]) -> list[Ageing]:
    """The currency of the most invoices first: amounts are neither added nor compared over currencies."""
    found = [
        Ageing(
            currency=each["currency"],
            invoices=each["invoices"],
            rows=[
                Row.of(client["open"], client_code=client["client_code"], client_name=client["client_name"])
                for client in each["clients"]
            ],
            others=Row.of(each["others"], clients=each["other_clients"]) if each["other_clients"] else None,
            whole=Row.of(each["open"]),
        )
        for each in receivables
    ]
    return sorted(found, key=lambda ageing: -ageing.invoices)
