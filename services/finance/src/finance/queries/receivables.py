"""What clients still owe for invoices: one by one, and by age (账龄)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Integer, Select, Text, bindparam, case, cast, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.paging import Cut
from contracts.money import Money
from finance.models import Account, Instalment, InstalmentStatus, Invoice
from finance.queries.documents import WITH_ITS_PARTS

BANDS = (0, 30, 60)
"""Days past the day by which it is payable up to which a band reaches: not overdue, 1–30, 31–60, and all beyond."""
CLIENTS_SHOWN = 50


@dataclass(frozen=True)
class Aged:
    """What is open, by how long it has been overdue. The bands add up to the total."""

    not_overdue: Decimal
    overdue_1_to_30: Decimal
    overdue_31_to_60: Decimal
    overdue_61_and_more: Decimal

    @property
    def bands(self) -> tuple[Decimal, ...]:
        return self.not_overdue, self.overdue_1_to_30, self.overdue_31_to_60, self.overdue_61_and_more

    @property
    def total(self) -> Decimal:
        return sum(self.bands, Decimal())

    @classmethod
    def sum(cls, parts: Iterable["Aged"], currency: str) -> "Aged":
        """Of one currency, with its digits also where there is nothing."""
        none = (Money.zero(currency).amount,) * (len(BANDS) + 1)
        return cls(*(sum(band, Decimal()) for band in zip(none, *(part.bands for part in parts), strict=True)))


@dataclass(frozen=True)
class Owing:
    """One client, and what of it is open."""

    client_id: UUID
    client_code: str
    client_name: str
    invoices: int
    open: Aged


@dataclass(frozen=True)
class Receivables:
    """Of one currency: all that is open, and of whom. Clients and others add up to the whole."""

    currency: str
    as_of: date
    invoices: int
    open: Aged
    clients: Sequence[Owing]
    """Those that owe most, the largest first."""
    other_clients: int
    others: Aged


def _owed_by_client() -> Select[Any]:
    """By currency and client, the largest first; those beyond `shown` in one row without a client. As of `as_of`."""
    invoices = (
        select(
            Instalment.invoice_id,
            func.sum(Instalment.net_amount + Instalment.tax_amount - Instalment.paid_amount).label("amount"),
        )
        .where(Instalment.status == InstalmentStatus.INVOICED)
        .group_by(Instalment.invoice_id)
        .subquery()
    )
    overdue_days = bindparam("as_of", type_=Date) - Invoice.payable_by
    band = case(*((overdue_days <= until, number) for number, until in enumerate(BANDS)), else_=len(BANDS))
    bands = [f"band_{number}" for number in range(len(BANDS) + 1)]
    latest = Invoice.invoice_id.desc()
    largest_first = (func.sum(invoices.c.amount).desc(), Account.client_id)
    clients = (
        select(
            Invoice.currency,
            Account.client_id,
            func.array_agg(aggregate_order_by(Account.client_code, latest))[1].label("client_code"),
            func.array_agg(aggregate_order_by(Account.client_name, latest))[1].label("client_name"),
            func.count().label("invoices"),
            *(
                func.coalesce(func.sum(invoices.c.amount).filter(band == number), 0).label(name)
                for number, name in enumerate(bands)
            ),
            func.row_number().over(partition_by=Invoice.currency, order_by=largest_first).label("place"),
        )
        .join_from(invoices, Invoice, Invoice.invoice_id == invoices.c.invoice_id)
        .join(Account, Account.account_id == Invoice.account_id)
        .group_by(Invoice.currency, Account.client_id)
        .subquery()
    )
    of = clients.c
    place = func.least(of.place, bindparam("shown", type_=Integer) + 1)
    return (
        select(
            of.currency,
            place,
            func.count(),
            func.sum(of.invoices),
            *(func.min(each) for each in (cast(of.client_id, Text), of.client_code, of.client_name)),
            *(func.sum(of[name]) for name in bands),
        )
        .group_by(of.currency, place)
        .order_by(of.currency, place)
    )


OWED_BY_CLIENT = _owed_by_client()
"""Built once: that takes longer than to ask it."""


async def list_open_invoices(session: AsyncSession, cut: Cut, *, until: date | None) -> Sequence[Invoice]:
    """The oldest first, one more than the page holds if there are more; `until`: those payable by then."""
    of_page = (
        select(Instalment.invoice_id)
        .where(Instalment.status == InstalmentStatus.INVOICED)
        .group_by(Instalment.invoice_id)
        .order_by(Instalment.invoice_id)
        .limit(cut.limit + 1)
    )
    if after := cut.after_as(UUID):
        of_page = of_page.where(Instalment.invoice_id > after[0])
    if until:
        of_page = of_page.join(Invoice, Invoice.invoice_id == Instalment.invoice_id).where(Invoice.payable_by <= until)
    invoices = select(Invoice).where(Invoice.invoice_id.in_(of_page)).order_by(Invoice.invoice_id)
    return (await session.scalars(invoices.options(*WITH_ITS_PARTS))).all()


async def age_receivables(session: AsyncSession, *, as_of: date) -> list[Receivables]:
    """By currency; amounts are never added over currencies. A client is called as on its latest invoice."""
    rows = await session.execute(OWED_BY_CLIENT, {"as_of": as_of, "shown": CLIENTS_SHOWN})
    return [_receivables(currency, list(each), as_of) for currency, each in groupby(rows, key=lambda row: row[0])]


def _receivables(currency: str, rows: Sequence[Any], as_of: date) -> Receivables:
    shown, others, other_clients = list[Owing](), Aged.sum([], currency), 0
    for _, place, count, invoices, client_id, code, name, *bands in rows:
        open = Aged.sum([Aged(*bands)], currency)
        if place <= CLIENTS_SHOWN:
            shown.append(Owing(UUID(client_id), code, name, int(invoices), open))
        else:
            others, other_clients = open, count
    return Receivables(
        currency=currency,
        as_of=as_of,
        invoices=int(sum(row[3] for row in rows)),
        open=Aged.sum([others, *(each.open for each in shown)], currency),
        clients=shown,
        other_clients=other_clients,
        others=others,
    )
