"""Rules 1 and 2: exact amounts, rounded once and half-up; instalments that add up and are never negative."""

import json
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from contracts.currencies import MINOR_DIGITS
from contracts.money import PRECISION_DIGITS, Exact, Money

currencies = st.sampled_from(sorted(MINOR_DIGITS))


@st.composite
def amounts(draw: st.DrawFn) -> Money:
    currency = draw(currencies)
    return Money.rounded(Decimal(draw(st.integers(0, 10**20))).scaleb(-MINOR_DIGITS[currency]), currency)


@st.composite
def percents(draw: st.DrawFn) -> list[Decimal]:
    """Up to sixty, above zero, 100 together, with up to six digits after the point."""
    cuts = sorted(draw(st.sets(st.integers(1, 10**8 - 1), max_size=59)))
    return [Decimal(end - start).scaleb(-6) for start, end in zip([0, *cuts], [*cuts, 10**8], strict=True)]


@given(st.decimals(-(10**30), 10**30, allow_nan=False), currencies)
def test_rule_01_an_amount_is_rounded_once_half_up_to_the_digits_of_its_currency(value: Decimal, currency: str) -> None:
    amount = Money.rounded(value, currency).amount
    with localcontext(prec=PRECISION_DIGITS * 2):
        unit = Decimal(1).scaleb(-MINOR_DIGITS[currency])
        assert amount.as_tuple().exponent == -MINOR_DIGITS[currency]
        assert abs(amount - value) <= unit / 2
        if abs(amount - value) == unit / 2:
            assert abs(amount) > abs(value)


@pytest.mark.parametrize(
    ("value", "currency", "rounded"),
    [
        ("666.665", "CNY", "666.67"),
        ("-666.665", "CNY", "-666.67"),
        ("0.5", "JPY", "1"),
        ("1E+5", "JPY", "100000"),
        ("1.0005", "KWD", "1.001"),
        ("0.00005", "CLF", "0.0001"),
        ("-0.001", "CNY", "0.00"),
    ],
)
def test_rule_01_halves_go_away_from_zero(value: str, currency: str, rounded: str) -> None:
    assert str(Money.rounded(Decimal(value), currency).amount) == rounded


@pytest.mark.parametrize(("currency", "digits"), {"IDR": 2, "HUF": 2, "UGX": 0, "ISK": 0, "IQD": 3, "CLF": 4}.items())
def test_rule_01_digits_are_those_of_iso_4217_not_of_cldr(currency: str, digits: int) -> None:
    assert MINOR_DIGITS[currency] == digits


@given(amounts())
def test_rule_01_in_json_an_amount_is_a_string_with_the_digits_of_its_currency(amount: Money) -> None:
    written = json.loads(amount.model_dump_json())
    whole, _, fraction = written["amount"].partition(".")
    assert whole.isdigit()
    assert len(fraction) == MINOR_DIGITS[amount.currency]
    assert Money.model_validate_json(amount.model_dump_json()) == amount


@pytest.mark.parametrize("value", ["1E+3", "0E-7", "1E-9", "12.3400", "-5"])
def test_rule_01_an_exact_number_is_written_without_exponent_and_keeps_its_digits(value: str) -> None:
    class Body(BaseModel):
        number: Exact

    written = json.loads(Body(number=Decimal(value)).model_dump_json())["number"]
    assert "E" not in written
    assert Decimal(written) == Decimal(value)
    if "E" not in value:
        assert written == value


@pytest.mark.parametrize("value", [19.99, float("nan"), "NaN", "Infinity", "", "twelve", None])
def test_rule_01_what_is_not_exact_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": value, "currency": "EUR"})


@pytest.mark.parametrize(("value", "currency"), [("1.234", "CNY"), ("1", "CNY"), ("1.0", "JPY"), ("1.00", "XAU")])
def test_rule_01_an_amount_with_other_digits_than_its_currency_is_refused(value: str, currency: str) -> None:
    with pytest.raises(ValidationError):
        Money(amount=Decimal(value), currency=currency)


def test_rule_01_an_unknown_currency_cannot_be_rounded_to() -> None:
    with pytest.raises(KeyError):
        Money.rounded(Decimal(1), "XAU")


def test_rule_01_sums_are_exact_far_beyond_the_usual_28_digits() -> None:
    large, small = Money.rounded(Decimal(10**40), "CNY"), Money.rounded(Decimal("0.01"), "CNY")
    assert str((large + small).amount) == f"{10**40}.01"
    assert large + small - large == small


def test_rule_01_nothing_is_zero_with_the_digits_of_its_currency() -> None:
    assert str(Money.total([], "KWD").amount) == "0.000"
    assert not Money.zero("CNY")
    assert Money.rounded(Decimal("0.01"), "CNY")


def test_rule_01_two_currencies_are_never_mixed() -> None:
    with pytest.raises(ValueError, match="convert one of them first"):
        Money.zero("CNY") + Money.zero("EUR")
    with pytest.raises(ValueError, match="convert one of them first"):
        Money.zero("CNY") - Money.zero("EUR")


@given(amounts(), percents())
def test_rule_02_a_split_is_exact_never_negative_and_within_one_minor_unit(
    amount: Money, shares: list[Decimal]
) -> None:
    parts = amount.split(shares)
    assert Money.total(parts, amount.currency) == amount
    with localcontext(prec=PRECISION_DIGITS):
        unit = Decimal(1).scaleb(-MINOR_DIGITS[amount.currency])
        for part, share in zip(parts, shares, strict=True):
            assert part.amount >= 0
            assert abs(part.amount - amount.amount * share / 100) <= unit


@given(amounts(), percents())
def test_rule_02_an_instalment_is_the_difference_of_two_rounded_cumulative_shares(
    amount: Money, shares: list[Decimal]
) -> None:
    parts = amount.split(shares)
    for count in range(1, len(shares) + 1):
        with localcontext(prec=PRECISION_DIGITS):
            until = Money.rounded(amount.amount * sum(shares[:count]) / 100, amount.currency)
        assert Money.total(parts[:count], amount.currency) == until


def test_rule_02_ten_tenths_of_five_cents_end_in_no_negative() -> None:
    parts = Money.rounded(Decimal("0.05"), "CNY").split([Decimal(10)] * 10)
    assert [str(part.amount) for part in parts] == ["0.01", "0.00"] * 5


@pytest.mark.parametrize("shares", [[], ["99.999999"], ["50", "50.000001"], ["150", "-50"]])
def test_rule_02_percentages_add_up_to_100_and_none_is_negative(shares: list[str]) -> None:
    with pytest.raises(ValueError, match="percentage"):
        Money.rounded(Decimal(1), "CNY").split([Decimal(share) for share in shares])
