"""A price: net and tax for each tax rate apart, as they stand on an invoice apart (rules 2 and 3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from contracts.finance import RateShare
from contracts.money import Money
from contracts.order import Line


@dataclass(frozen=True)
class Price:
    """Its shares are sorted by rate. A rate on which nothing falls is left out."""

    currency: str
    shares: tuple[RateShare, ...]

    @classmethod
    def of_lines(cls, lines: Iterable[Line], currency: str) -> "Price":
        """What the lines of an order cost together."""
        return cls._of((RateShare(tax_rate=line.tax_rate, net=line.net, tax=line.tax) for line in lines), currency)

    @classmethod
    def of_document(cls, document: list[Any], currency: str) -> "Price":
        """As `document` wrote it."""
        return cls(currency, tuple(RateShare.model_validate(share) for share in document))

    @classmethod
    def total(cls, prices: Iterable["Price"], currency: str) -> "Price":
        """The sum, rate by rate."""
        return cls._of((share for price in prices for share in price.shares), currency)

    def split(self, percents: Sequence[Decimal]) -> list["Price"]:
        """One price per percentage, which together are this one exactly: see `Money.split`."""
        parts: list[list[RateShare]] = [[] for _ in percents]
        for share in self.shares:
            nets, taxes = self._money(share.net).split(percents), self._money(share.tax).split(percents)
            for part, net, tax in zip(parts, nets, taxes, strict=True):
                if net or tax:
                    part.append(RateShare(tax_rate=share.tax_rate, net=net.amount, tax=tax.amount))
        return [Price(self.currency, tuple(part)) for part in parts]

    @property
    def net(self) -> Money:
        return Money.total((self._money(share.net) for share in self.shares), self.currency)

    @property
    def tax(self) -> Money:
        return Money.total((self._money(share.tax) for share in self.shares), self.currency)

    @property
    def document(self) -> list[Any]:
        """For a column of JSON: amounts are strings."""
        return [share.model_dump(mode="json") for share in self.shares]

    @classmethod
    def _of(cls, shares: Iterable[RateShare], currency: str) -> "Price":
        sums: dict[Decimal, tuple[Money, Money]] = {}
        for share in shares:
            net, tax = Money(amount=share.net, currency=currency), Money(amount=share.tax, currency=currency)
            if share.tax_rate in sums:
                net_before, tax_before = sums[share.tax_rate]
                net, tax = net_before + net, tax_before + tax
            sums[share.tax_rate] = (net, tax)
        return cls(
            currency,
            tuple(
                RateShare(tax_rate=rate, net=net.amount, tax=tax.amount)
                for rate, (net, tax) in sorted(sums.items())
                if net or tax
            ),
        )

    def _money(self, amount: Decimal) -> Money:
        return Money(amount=amount, currency=self.currency)
