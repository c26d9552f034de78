"""Who has to approve an order, by its amount: every rung whose threshold it passes, in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from contracts.money import PRECISION_DIGITS, Money
from contracts.order import ApprovalStep


@dataclass(frozen=True)
class Rung:
    """A holder of `role` must approve what is above `above`, in the company's currency."""

    role: str
    above: Decimal


def steps_for(
    total: Money, *, rungs: Sequence[Rung], company_currency: str, rates: Mapping[str, Decimal]
) -> tuple[ApprovalStep, ...]:
    """The steps, counted from 1. `rates` say what one unit of a currency is worth; without one, all steps apply.

    The first rung always applies: nobody's order goes through by itself.
    """
    rate = Decimal(1) if total.currency == company_currency else rates.get(total.currency)
    with localcontext(prec=PRECISION_DIGITS):
        worth = None if rate is None else total.amount * rate
    needed = [rung for rank, rung in enumerate(rungs) if rank == 0 or worth is None or worth > rung.above]
    return tuple(ApprovalStep(step=step, role=rung.role) for step, rung in enumerate(needed, start=1))
