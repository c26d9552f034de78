"""Amounts of money: exact, of a known currency, rounded half-up to its smallest unit (ISO 4217)."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from contracts.currencies import MINOR_DIGITS

PRECISION_DIGITS = 60


def _exact(value: object) -> object:
    if isinstance(value, float):
        raise PydanticCustomError("inexact", 'a float is not exact: write "19.99"')
    return value


def _digits(value: Decimal) -> str:
    """Never `1E+3` or `0E-7`, as `str` writes some."""
    return f"{value:f}"


Exact = Annotated[
    Decimal,
    BeforeValidator(_exact),
    PlainSerializer(_digits, when_used="json"),
    WithJsonSchema({"type": "string", "format": "decimal", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}),
]
"""A decimal that never was a float. In JSON it is a string that keeps its digits."""


class Money(BaseModel):
    """An amount, already rounded to the digits of its currency. `ValidationError` for one that is not."""

    model_config = ConfigDict(frozen=True)

    amount: Exact
    currency: str

    @model_validator(mode="after")
    def _has_the_digits_of_its_currency(self) -> Self:
        if self.currency not in MINOR_DIGITS:
            raise ValueError(f"{self.currency} is no currency of ISO 4217 with a smallest unit.")
        if self.amount.as_tuple().exponent != -MINOR_DIGITS[self.currency]:
            raise ValueError(f"{self.amount} does not have the digits of {self.currency}: use Money.rounded.")
        return self

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> "Money":
        """The amount of `currency` nearest to `amount`, halves away from zero. `KeyError` for an unknown currency."""
        with localcontext(prec=PRECISION_DIGITS):
            unit = Decimal(1).scaleb(-MINOR_DIGITS[currency])
            nearest = amount.quantize(unit, rounding=ROUND_HALF_UP)
            return cls(amount=nearest + 0, currency=currency)  # 0.00, never -0.00

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nothing, with the digits of `currency`."""
        return cls.rounded(Decimal(0), currency)

    @classmethod
    def total(cls, parts: Iterable["Money"], currency: str) -> "Money":
        """The sum of `parts`, zero if there are none; all must be of `currency`."""
        return sum(parts, start=cls.zero(currency))

    def __add__(self, other: "Money") -> "Money":
        self._must_share_currency(other)
        with localcontext(prec=PRECISION_DIGITS):
            return Money(amount=self.amount + other.amount, currency=self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._must_share_currency(other)
        with localcontext(prec=PRECISION_DIGITS):
            return Money(amount=self.amount - other.amount, currency=self.currency)

    def __bool__(self) -> bool:
        return bool(self.amount)

    def split(self, percents: Sequence[Decimal]) -> list["Money"]:
        """One part per percentage: exact in total, each within one minor unit of its share, none negative.

        Part k is round(cumulative % k) - round(cumulative % k-1). Were the last part to take what rounding left
        over, ten tenths of 0.05 would end in a negative one. Raises `ValueError` for percentages below zero, and
        unless they add up to 100.
        """
        with localcontext(prec=PRECISION_DIGITS):
            if any(percent < 0 for percent in percents):
                raise ValueError("A percentage is below zero: a part of the amount would be, too.")
            if sum(percents) != 100:
                raise ValueError(f"The percentages add up to {sum(percents)}: make them 100.")
            parts, share, taken = [], Decimal(0), Decimal(0)
            for percent in percents:
                share += percent
                until = Money.rounded(self.amount * share / 100, self.currency).amount
                parts.append(Money(amount=until - taken, currency=self.currency))
                taken = until
            return parts

    def _must_share_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"{other.currency} and {self.currency} cannot be added: convert one of them first.")
