"""What a line costs: rounded once for the net, once for its tax, and never again (rule 1)."""

from decimal import Decimal, localcontext

from contracts.money import PRECISION_DIGITS, Money


def price(
    *, quantity: Decimal, unit_price: Decimal, discount: Decimal, tax_rate: Decimal, currency: str
) -> tuple[Money, Money]:
    """Net after the discount, and the tax on the rounded net. Discount and tax rate are fractions."""
    with localcontext(prec=PRECISION_DIGITS):
        net = Money.rounded(quantity * unit_price * (1 - discount), currency)
        return net, Money.rounded(net.amount * tax_rate, currency)
