"""What a client company is told of all of its orders at once, however many there are."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Text, and_, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.principal import Principal
from portal.models import OrderView
from portal.models.order_view import OVER
from portal.queries.orders import is_late, visible_to, with_types

WAITING_MAX = 100
UNPAID = "$[*] ? (@.paid != @.total && @.payable_by <= $until)"
"""In the invoices of an order: dates are compared as they are written, the year first."""


@dataclass(frozen=True)
class Standing:
    """Of a company's orders, how many."""

    under_way: int
    late: int
    """Of those, behind the date asked for, or behind the plan where none was."""


async def count_of_client(session: AsyncSession, *, seen_by: Principal, today: dt.date) -> Standing:
    counts = select(func.count(), func.count().filter(is_late(today)))
    row = await session.execute(counts.where(visible_to(seen_by), OrderView.status.not_in(OVER)))
    return Standing(*row.one())


async def list_waiting_on_client(
    session: AsyncSession, *, seen_by: Principal, payable_until: dt.date
) -> Sequence[OrderView]:
    """Orders to sign off, and those with an unpaid invoice that is payable by then; the oldest first."""
    until = func.jsonb_build_object("until", literal(payable_until.isoformat(), Text))
    to_sign_off = and_(
        OrderView.status == "approved", OrderView.delivery_submitted_at.is_not(None), OrderView.accepted_on.is_(None)
    )
    to_pay = and_(
        OrderView.settled_on.is_(None),
        func.jsonb_path_exists(OrderView.invoices, cast(UNPAID, JSONB.JSONPathType), until),
    )
    orders = select(OrderView).where(visible_to(seen_by), or_(to_sign_off, to_pay))
    return await with_types(
        session, (await session.scalars(orders.order_by(OrderView.order_id).limit(WAITING_MAX))).all()
    )
