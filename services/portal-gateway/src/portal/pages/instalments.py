"""The instalments of an order as a table shows them: what each waits for, and how it stands."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from portal.pages import names
from portal.pages.language import N_, Formats
from portal.pages.marks import money_state


@dataclass(frozen=True)
class Standing:
    """Of one instalment."""

    name: str
    due_date: dt.date | None
    amount: Decimal
    mark: str
    """As the thread draws it."""
    is_cancelled: bool
    words: str


def standings(instalments: Iterable[Any], fmt: Formats) -> list[Standing]:
    return [
        Standing(
            name=f"{fmt.percent(each.percent)} {fmt.text(names.DUE_RULE.get(each.rule, each.rule))}",
            due_date=each.due_date,
            amount=each.amount,
            mark=money_state(each, fmt.today),
            is_cancelled=each.status == "cancelled",
            words=_words(each, fmt),
        )
        for each in instalments
    ]


def _words(instalment: Any, fmt: Formats) -> str:
    state = money_state(instalment, fmt.today)
    if state == "paid" and instalment.paid_on:
        return fmt.text(N_("Paid %(day)s"), day=fmt.day(instalment.paid_on))
    if state == "overdue":
        return fmt.due(instalment.due_date)
    told_by_state = state == "retained" and instalment.status != "cancelled"
    status = state if told_by_state else instalment.status
    return fmt.text(names.MONEY_STATUS.get(status, status))
